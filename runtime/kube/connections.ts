import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { codeOf } from '../errors.ts'
import type { Credentials } from './kubeconfig/credentials.ts'

/** Separate connection pools for requests, urgent calls that the process depends on, and watches, which must not wait for each other. */
export type Agents = { requests: Dispatcher; urgent: Dispatcher; streams: Dispatcher }

export type Connections = {
	/**
	 * Returns the current agents. Must be called for every request: when the authorities or the client certificate change, new agents
	 * replace the old ones, which close when their requests have finished.
	 */
	agents(): Agents
	/**
	 * Sends the request, and sends it again if the server's certificate was not trusted and the authorities have changed since.
	 *
	 * @param once sends the request; if the server's certificate is not trusted, it sends nothing
	 */
	retryOnUntrustedCert<T>(once: () => Promise<T>): Promise<T>
	destroy(): Promise<void>
}

/**
 * Opens the connections to one API server. If the certificate authorities are in a file, the file is read again after a minute, and
 * immediately if they do not verify the server's certificate, because a cluster may change its authorities while this process runs. A new
 * client certificate is used as soon as it is available.
 *
 * @param requests number of connections that requests share
 * @param now milliseconds from an arbitrary start
 */
export function createConnections(credentials: Credentials, requests: number, now = () => performance.now()): Connections {
	let { tls } = credentials
	let agents = open(credentials, requests)
	let readAt = now()
	const retired = new Set<Agents>()
	const change = (fresh: Credentials['tls']) => {
		tls = { ...tls, ...fresh }
		retire(agents, retired)
		agents = open({ ...credentials, tls }, requests)
	}
	const read = async () => {
		readAt = now()
		const ca = await credentials.authorities?.()
		if (ca !== undefined && ca !== tls.ca) change({ ca })
	}
	const own = () => {
		const fresh = credentials.certificate?.()
		if (fresh && (fresh.cert !== tls.cert || fresh.key !== tls.key)) change(fresh)
	}
	// a read error is ignored here: if the authorities are outdated, the request fails with an error about the certificate
	const refresh = () => (credentials.authorities && now() - readAt >= 60_000 ? read().catch(() => {}) : undefined)
	const isOther = async (used: Agents) => {
		if (used === agents) await read()
		return used !== agents
	}
	return {
		agents: () => {
			own()
			return agents
		},
		async retryOnUntrustedCert(once) {
			await refresh()
			const used = agents
			try {
				return await once()
			} catch (error) {
				if (isUntrusted(error) && (await isOther(used))) return once()
				throw error
			}
		},
		destroy: async () => {
			const all = [agents, ...retired].flatMap(each => Object.values(each))
			await Promise.all(all.map(agent => agent.destroy()))
		},
	}
}

function open(credentials: Credentials, requests: number): Agents {
	return { requests: agentFor(credentials, requests), urgent: agentFor(credentials, 1), streams: agentFor(credentials) }
}

/** Closes the agents after their requests in progress have finished. */
function retire(agents: Agents, retired: Set<Agents>): void {
	retired.add(agents)
	const ended = Promise.allSettled(Object.values(agents).map(agent => agent.close()))
	void ended.then(() => retired.delete(agents))
}

/** Creates an agent for HTTP/1.1: HTTP/2 measured no faster here, and costs the client up to twice the CPU. */
function agentFor({ tls, proxy }: Credentials, connections?: number): Dispatcher {
	const common = { allowH2: false, keepAliveTimeout: 60_000, keepAliveMaxTimeout: 600_000, ...(connections && { connections }) }
	if (proxy) return new ProxyAgent({ ...common, uri: proxy, requestTls: tls })
	return new Agent({ ...common, connect: { ...tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 } })
}

/** OpenSSL's error codes for a certificate that the current authorities do not verify. */
const untrusted = [
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'CERT_SIGNATURE_FAILURE',
	'CERT_UNTRUSTED',
	'CERT_HAS_EXPIRED',
]

function isUntrusted(error: unknown): boolean {
	return untrusted.includes(codeOf(error)) || (error instanceof Error && error.cause !== undefined && isUntrusted(error.cause))
}
