import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import type { Credentials } from './credentials.ts'
import type { User } from './schema.ts'

/**
 * Gets credentials from an identity provider (`auth-provider`, such as OIDC).
 *
 * Must only be loaded by `import()`: loading client-node costs 280 ms and 85 MiB (measured).
 *
 * @param now milliseconds
 */
export async function providerCredentials(
	provider: NonNullable<User['auth-provider']>,
	cluster: { server: string; ca?: string },
	now: () => number = Date.now,
): Promise<Pick<Credentials, 'tls' | 'headers'>> {
	let config = load(provider, cluster)
	let current = await signIn(config)
	let askedAt = now()
	const { tls } = current
	return {
		tls,
		headers: async refused => {
			if (!refused && now() - askedAt < 60_000) return current.headers
			// client-node keeps a credential until it expires, even after the server has rejected it
			if (refused) config = load(provider, cluster)
			current = await signIn(config)
			askedAt = now()
			return current.headers
		},
	}
}

function load(provider: object, { server, ca }: { server: string; ca?: string }): KubeConfig {
	const name = 'chosen'
	const contexts = [{ name, context: { cluster: name, user: name } }]
	const cluster = { server, ...(ca && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }) }
	const users = [{ name, user: { 'auth-provider': provider } }]
	const config = new KubeConfig()
	config.loadFromString(JSON.stringify({ 'current-context': name, contexts, clusters: [{ name, cluster }], users }))
	return config
}

async function signIn(config: KubeConfig): Promise<{ headers: Record<string, string>; tls: Credentials['tls'] }> {
	const options: RequestOptions = {}
	await config.applyToHTTPSOptions(options)
	const { cert, key } = options
	const headers = Object.entries(options.headers ?? {}).flatMap(([name, value]) =>
		typeof value === 'string' ? [[name.toLowerCase(), value]] : [],
	)
	return { headers: Object.fromEntries(headers), tls: { ...(cert && { cert: String(cert) }), ...(key && { key: String(key) }) } }
}
