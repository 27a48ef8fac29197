import { readFile } from 'node:fs/promises'
import { Failure } from '../errors.ts'
import { bearerFromFile, mounted } from './kubeconfig/bearer-file.ts'
import type { Credentials } from './kubeconfig/credentials.ts'

/** Directory where the kubelet mounts a pod's token. */
export const mount = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Loads the credentials of the pod's ServiceAccount.
 *
 * @param folder directory where the token is mounted
 * @throws Failure CONFIG_INVALID if the variables or the mounted files are missing
 */
export async function inClusterCredentials(env: Readonly<Record<string, string | undefined>>, folder = mount): Promise<Credentials> {
	const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
	if (!host) throw new Failure('CONFIG_INVALID', 'KUBERNETES_SERVICE_HOST is required and not set')
	const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
	if (!URL.canParse(server))
		throw new Failure('CONFIG_INVALID', 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: must be host and port of the API server')
	const namespaceIfTold = readFile(`${folder}/namespace`, 'utf8').catch(() => '') // a projected token may come without this file
	const [ca, namespace] = await Promise.all([mounted(`${folder}/ca.crt`), namespaceIfTold])
	return {
		server,
		tls: { ca },
		authorities: () => mounted(`${folder}/ca.crt`),
		...(namespace.trim() && { namespace: namespace.trim() }),
		headers: bearerFromFile(`${folder}/token`),
	}
}
