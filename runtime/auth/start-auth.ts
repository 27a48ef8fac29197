import { KubeClient, loadCredentials, type TransportOptions } from '../kube/index.ts'
import type { Log } from '../log.ts'
import { watchFiles } from '../watched-file.ts'
import { type Auth, createAuth, noAuth } from './auth.ts'
import type { AuthSettings } from './config.ts'
import { createKubeReviews } from './kube-reviews.ts'

export type StartAuthOptions = {
	/** The resource of group `group` that RBAC rules name, such as `nodeconfigs`. */
	resource: string
	group: string
	log: Log
	env: Readonly<Record<string, string | undefined>>
	/** Ends the watch of the clients file. */
	signal: AbortSignal
	onCall?: NonNullable<TransportOptions['onCall']>
}

/**
 * Starts authentication as configured: watches the clients file, and connects to the API server of the cluster in which the process runs.
 *
 * @returns the authentication, and a function that closes its connections
 * @throws Failure CONFIG_INVALID if Kubernetes tokens are accepted and there are no credentials to verify them
 */
export async function startAuth(settings: AuthSettings, options: StartAuthOptions): Promise<{ auth: Auth; close: () => Promise<void> }> {
	const { log, signal, resource } = options
	if (settings.isOff) {
		log.warn('authentication is switched off: every client may read and write everything')
		return { auth: noAuth, close: async () => {} }
	}
	const { token, usesKubernetes } = settings
	const clients = settings.clients && watchFiles(settings.clients, { log, signal })
	const kubernetes = usesKubernetes ? await connect(options) : undefined
	const auth = createAuth({ token, clients, kubernetes: kubernetes && { reviews: kubernetes.reviews, resource } })
	return { auth, close: async () => kubernetes?.client.close() }
}

async function connect({ resource, group, log, env, onCall }: StartAuthOptions) {
	const credentials = await loadCredentials({}, env)
	const client = new KubeClient(credentials, { fieldManager: 'multinic-auth', retryForMs: 0, ...(onCall && { onCall }) })
	return { client, reviews: createKubeReviews(client, { resource, group, namespace: credentials.namespace ?? 'default', log }) }
}
