import { Failure } from '../errors.ts'
import type { Credentials } from './kubeconfig/credentials.ts'
import { serverUrl } from './kubeconfig/address.ts'
import { authorities, ownCertificate, serverTls } from './kubeconfig/certificates.ts'
import { execCredentials } from './kubeconfig/exec-plugin.ts'
import { hasOwnIdentity, identityOf, impersonation } from './kubeconfig/identity.ts'
import type { Chosen } from './kubeconfig/select.ts'
import { faultOf } from './kubeconfig/usable.ts'
import { proxyFor } from './proxy.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Creates credentials from the cluster and the user of a kubeconfig's context, as kubectl does. A server without TLS receives only the
 * impersonation headers, not a token or certificate. `@kubernetes/client-node` is only loaded for `auth-provider`.
 *
 * @param where name of the kubeconfig in messages
 * @throws Failure CONFIG_INVALID with the invalid field, never a value
 * @throws Failure SIGN_IN_FAILED if an exec plugin does not provide credentials
 */
export async function credentialsOf(chosen: Chosen, where: string, env: Environment): Promise<Credentials> {
	const fault = faultOf(chosen)
	if (fault) throw new Failure('CONFIG_INVALID', `${where}: ${fault}`)
	const { cluster, namespace } = chosen
	const url = serverUrl(cluster.server ?? '')
	const server = `${url?.origin}${url?.pathname}`.replace(/\/$/, '')
	const proxy = cluster['proxy-url'] ?? proxyFor(server, env)
	const common = { server, ...(namespace && { namespace }), ...(proxy && { proxy }) }
	if (url?.protocol === 'http:') {
		const headers = impersonation(chosen.user)
		return { ...common, tls: {}, headers: async () => headers }
	}
	const tls = await serverTls(cluster)
	const user = await signIn(chosen, { server, tls, env, ...(cluster['proxy-url'] && { proxy }) })
	return { ...common, ...authorities(cluster), ...user, tls: { ...tls, ...user.tls } }
}

type Reached = { server: string; tls: Credentials['tls']; env: Environment; proxy?: string | undefined }

type Identity = Pick<Credentials, 'tls' | 'certificate' | 'headers'>

async function signIn(chosen: Chosen, reached: Reached): Promise<Identity> {
	const { user } = chosen
	if (hasOwnIdentity(user)) return ownCredentials(user)
	const plugin = await plugged(chosen, reached)
	if (!plugin) throw new Failure('CONFIG_INVALID', `user ${user.name} of the kubeconfig has no token, certificate or exec plugin`)
	const acting = impersonation(user)
	return { ...plugin, headers: async refused => ({ ...(await plugin.headers(refused)), ...acting }) }
}

async function ownCredentials(user: Chosen['user']): Promise<Identity> {
	const certificate = await ownCertificate(user)
	const own = identityOf(user)
	const headers: Credentials['headers'] = async refused => {
		await certificate.read(refused)
		return own(refused)
	}
	await headers(false) // reports a missing file now
	return { tls: certificate.now() ?? {}, certificate: certificate.now, headers }
}

async function plugged({ cluster, user }: Chosen, { server, tls, env, proxy }: Reached): Promise<Identity | undefined> {
	if (user.exec) {
		const told = {
			server,
			...(cluster['tls-server-name'] && { 'tls-server-name': cluster['tls-server-name'] }),
			...(cluster['insecure-skip-tls-verify'] && { 'insecure-skip-tls-verify': true }),
			...(tls.ca && { 'certificate-authority-data': Buffer.from(tls.ca).toString('base64') }),
			...(proxy && { 'proxy-url': proxy }),
			...(cluster['disable-compression'] && { 'disable-compression': true }),
			config: cluster.extensions.get('client.authentication.k8s.io/exec'),
		}
		return execCredentials({ exec: user.exec, user: user.name, cluster: told, env })
	}
	if (!user['auth-provider']) return undefined
	const { providerCredentials } = await import('./kubeconfig/auth-provider.ts')
	return providerCredentials(user['auth-provider'], { server, ...(tls.ca && { ca: tls.ca }) })
}
