import { homedir } from 'node:os'
import { join } from 'node:path'
import { inClusterCredentials } from './in-cluster.ts'
import { credentialsFromKubeconfig } from './kubeconfig.ts'

/** How to reach one API server, and as whom. */
export type Credentials = {
	/** `https://host:port`, perhaps with a path, without a final slash. */
	server: string
	tls: {
		/** PEM. */
		ca?: string
		cert?: string
		key?: string
		rejectUnauthorized?: boolean
		servername?: string
	}
	/** `http://host:port` of a proxy between us and the server. */
	proxy?: string
	/** The namespace these credentials belong to, where they say so. */
	namespace?: string
	/**
	 * The headers that say who we are.
	 *
	 * @param refused the server has just answered 401 to the headers given last: read the token again
	 */
	headers(refused: boolean): Promise<Record<string, string>>
}

/**
 * Finds out how to reach the API server: the kubeconfig that is named, else the pod's own ServiceAccount, else `~/.kube/config`.
 *
 * @param options.kubeconfig path, or several with `:` between them as in KUBECONFIG
 * @param options.context default: the kubeconfig's current one
 * @throws Failure CONFIG_INVALID with the file and the field that is wrong, never a secret
 */
export async function loadCredentials(options: { kubeconfig?: string; context?: string }, env: Environment): Promise<Credentials> {
	const kubeconfig = options.kubeconfig ?? env.KUBECONFIG
	if (kubeconfig) return credentialsFromKubeconfig(kubeconfig, options.context)
	if (env.KUBERNETES_SERVICE_HOST) return inClusterCredentials(env)
	return credentialsFromKubeconfig(join(env.HOME ?? homedir(), '.kube', 'config'), options.context)
}

type Environment = Readonly<Record<string, string | undefined>>
