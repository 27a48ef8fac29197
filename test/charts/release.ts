import { execa } from 'execa'
import { parseAllDocuments, stringify } from 'yaml'
import { requestToken } from '../../lab/cluster/account-token.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import type { ApiServerOptions } from '../../lab/cluster/api-server-type.ts'
import type { Credentials } from '../../runtime/kube/kubeconfig/credentials.ts'
import { KubeClient } from '../../runtime/kube/client.ts'

/** Runs the chart on a real API server with the real helm. */
export const chart = 'charts/multinic'

export type Manifest = { kind: string; metadata: { name: string; namespace?: string }; [field: string]: unknown }

/** Output and exit code of a command. */
export type Said = { exitCode: number | undefined; all: string }

/** Starts an API server; returns the programs that use it, and a client for each token. */
export async function startCluster(options: ApiServerOptions = {}) {
	const api = await startApiServer(options)
	const run = async (program: string, args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Said> => {
		const { exitCode, all = '' } = await execa(`${api.bin}/${program}`, args, {
			input,
			reject: false,
			all: true,
			env: { KUBECONFIG: api.kubeconfig, ...env },
		})
		return { exitCode, all }
	}
	const clients: KubeClient[] = []
	const as = (token: string, fieldManager = 'test') => {
		const client = new KubeClient(credentials(api, token), { fieldManager })
		clients.push(client)
		return client
	}
	return {
		credentials: (token: string) => credentials(api, token),
		helm: (...args: string[]) => run('helm', args),
		/** Runs helm with its releases in ConfigMaps. */
		helmInConfigMaps: (...args: string[]) => run('helm', args, '', { HELM_DRIVER: 'configmap' }),
		kubectl: (args: readonly string[], manifests: readonly object[] = []) =>
			run('kubectl', args, manifests.map(one => stringify(one)).join('---\n')),
		as,
		admin: as(api.token),
		stop: async () => {
			await Promise.all(clients.map(client => client.close()))
			await api.stop()
		},
	}
}
export type Cluster = Awaited<ReturnType<typeof startCluster>>

/** Returns the objects in the output of `helm template` or `helm get`. */
export function manifests(yaml: string): Manifest[] {
	return parseAllDocuments(yaml).flatMap(document => (document.toJS() as Manifest | null) ?? [])
}

/** Returns a token of a ServiceAccount; with a pod, it is bound to that pod, as a mounted one is. */
export async function tokenOf(
	{ admin }: Cluster,
	serviceAccount: string,
	namespace: string,
	pod?: { name: string; uid: string },
): Promise<string> {
	return requestToken(admin, { namespace, account: serviceAccount, pod })
}

function credentials({ server, ca }: ApiServer, token: string): Credentials {
	return { server, tls: { ca }, headers: async () => ({ authorization: `Bearer ${token}` }) }
}
