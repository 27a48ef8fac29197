import { createHttpClient, type HttpClient } from '../runtime/http-client.ts'
import type { Log } from '../runtime/log.ts'

export type Trust = { ca?: string; insecure: boolean }
/** The HTTP clients of one reconcile, one per combination of trust settings. */
export type Clients = {
	for(trust: Trust): HttpClient
	/** Aborted when the reconcile must end. */
	signal: AbortSignal
}

export type HttpClients = {
	/** Runs work with clients whose calls are aborted by the signal, because authors choose the timeouts of the calls. */
	during<T>(signal: AbortSignal, work: (clients: Clients) => Promise<T>): Promise<T>
	close(): Promise<void>
}

/**
 * Creates clients. Their connections are kept and shared, except those of clients with certificates of an OpenstackConfig, which are closed
 * after the work; otherwise all certificates that authors ever used would accumulate. The first client that does not verify certificates
 * logs a warning.
 */
export function createHttpClients(log: Log): HttpClients {
	const shared = new Map<boolean, HttpClient>()
	const create = ({ ca, insecure }: Trust) => createHttpClient({ insecure, ...(ca && { ca }), userAgent: 'multinic-mgmt' })
	const sharedFor = (trust: Trust): HttpClient => {
		const known = shared.get(trust.insecure)
		if (known) return known
		if (trust.insecure) log.warn('certificates are not verified for some remote systems: set caBundle instead of the InsecureTLS settings')
		const client = create(trust)
		shared.set(trust.insecure, client)
		return client
	}
	return {
		async during(signal, work) {
			const own: HttpClient[] = []
			const ownFor = (trust: Trust): HttpClient => {
				const client = create(trust)
				own.push(client)
				return client
			}
			try {
				const clientFor = (trust: Trust) => endingWith(signal, trust.ca && !trust.insecure ? ownFor(trust) : sharedFor(trust))
				return await work({ for: clientFor, signal })
			} finally {
				for (const client of own) await client.close()
			}
		},
		async close() {
			for (const client of shared.values()) await client.close()
		},
	}
}

function endingWith(signal: AbortSignal, client: HttpClient): HttpClient {
	return { ...client, call: call => client.call({ ...call, signal }), stream: call => client.stream({ ...call, signal }) }
}
