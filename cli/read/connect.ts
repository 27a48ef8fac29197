import { createTransport, KubeClient, loadAsKubectl } from '../../runtime/kube/index.ts'
import type { Cluster, ConnectFlags, CliIo } from '../model/io.ts'

/** The default namespace of MultiNIC. Object names are fixed, so a cluster has only one installation. */
export const DEFAULT_NAMESPACE = 'multinic-system'

/** Name of the writer in `managedFields`. */
export const FIELD_MANAGER = 'kubectl-multinic'

/**
 * Reads the kubeconfig as kubectl does, without sending a request to the API server.
 *
 * @throws Failure CONFIG_INVALID with the file and the field that is wrong
 */
export async function connect(flags: ConnectFlags, env: CliIo['env']): Promise<Cluster> {
	const { kubeconfig, context } = flags
	const credentials = await loadAsKubectl({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) }, env)
	const transport = createTransport(credentials, { userAgent: FIELD_MANAGER })
	return {
		client: new KubeClient(transport, { fieldManager: FIELD_MANAGER }),
		transport,
		namespace: flags.namespace ?? (env.MULTINIC_NAMESPACE || DEFAULT_NAMESPACE),
		server: credentials.server,
		close: transport.close,
	}
}
