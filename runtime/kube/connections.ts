import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { Credentials } from './credentials.ts'

/** Connections by what they carry, so that none waits for another kind: calls, calls a process lives by, and watches. */
export type Connections = { requests: Dispatcher; urgent: Dispatcher; streams: Dispatcher }

/** @param requests how many connections calls share */
export function openConnections(credentials: Credentials, requests: number): Connections {
	return { requests: agentFor(credentials, requests), urgent: agentFor(credentials, 1), streams: agentFor(credentials) }
}

/** HTTP/1.1 on purpose: measured, HTTP/2 is no faster here and costs the client up to twice the CPU. */
function agentFor({ tls, proxy }: Credentials, connections?: number): Dispatcher {
	const common = { allowH2: false, keepAliveTimeout: 60_000, keepAliveMaxTimeout: 600_000, ...(connections && { connections }) }
	if (proxy) return new ProxyAgent({ ...common, uri: proxy, requestTls: tls })
	return new Agent({ ...common, connect: { ...tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 } })
}
