import { homedir } from 'node:os'
import { join } from 'node:path'
import { inClusterCredentials } from './in-cluster.ts'
import type { Credentials } from './credentials.ts'
import { credentialsFromKubeconfig } from './kubeconfig.ts'

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
