import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import type { Credentials } from './credentials.ts'

/**
 * Credentials that a program or an identity provider hands out (`exec`, `auth-provider`).
 *
 * Only ever reached by `import()`: loading client-node costs 280 ms and 85 MiB (measured).
 *
 * @param kubeconfig a whole kubeconfig, as JSON, with one context, and that the current one
 * @param now milliseconds
 */
export async function pluginCredentials(kubeconfig: string, now: () => number = Date.now): Promise<Pick<Credentials, 'tls' | 'headers'>> {
	let config = load(kubeconfig)
	let current = await signIn(config)
	let askedAt = now()
	const { tls } = current
	return {
		tls,
		headers: async refused => {
			if (!refused && now() - askedAt < 60_000) return current.headers
			// client-node keeps a plugin's answer until it expires, even after the server refused it
			if (refused) config = load(kubeconfig)
			current = await signIn(config)
			askedAt = now()
			return current.headers
		},
	}
}

function load(kubeconfig: string): KubeConfig {
	const config = new KubeConfig()
	config.loadFromString(kubeconfig)
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
