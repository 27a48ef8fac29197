import { createHttpClient, type HttpClient } from '../runtime/http-client.ts'
import type { Log } from '../runtime/log.ts'

/** One client, and so one pool of connections, for each way of trusting. */
export type HttpClients = { for(trust: { ca?: string; insecure: boolean }): HttpClient; close(): Promise<void> }

/** Clients are made at their first use and kept; the first without verification warns in the log. */
export function createHttpClients(log: Log): HttpClients {
	const clients = new Map<string, HttpClient>()
	return {
		for({ ca, insecure }) {
			const key = `${insecure} ${ca ?? ''}`
			const known = clients.get(key)
			if (known) return known
			if (insecure) log.warn('certificates are not verified for some remote systems: give a caBundle instead of the insecure switch')
			const client = createHttpClient({ insecure, ...(ca && { ca }), userAgent: 'multinic-mgmt' })
			clients.set(key, client)
			return client
		},
		async close() {
			for (const client of clients.values()) await client.close()
		},
	}
}
