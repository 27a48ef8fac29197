import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { codeOf } from '../../runtime/errors.ts'

/** @returns whether a TCP connection comes about within 2 s; on any error it does not */
export function tcpAnswers(host: string, port: number): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect({ host, port, timeout: 2_000 })
		const end = (ok: boolean) => {
			socket.destroy()
			resolve(ok)
		}
		socket.once('connect', () => end(true))
		socket.once('timeout', () => end(false))
		socket.once('error', () => end(false))
	})
}

/** What a nameserver says when it has no address to give. It says something, so the way to it works. */
const REFUSALS = new Set(['ENODATA', 'ENOTFOUND', 'ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR', 'EBADRESP'])

/**
 * Asks for `localhost`, which a nameserver answers, or refuses, without asking others: only the way to it is of interest.
 *
 * @param servers IP addresses
 * @returns whether one of them says anything within 2 s
 */
export function nameserverAnswers(servers: readonly string[]): Promise<boolean> {
	return Promise.any(servers.map(says)).catch(() => false)
}

/** @throws what there is to throw when nothing is said */
async function says(server: string): Promise<true> {
	const resolver = new Resolver({ timeout: 1_000, tries: 1 })
	resolver.setServers([server])
	try {
		await resolver.resolve4('localhost')
	} catch (error) {
		if (!REFUSALS.has(codeOf(error))) throw error
	}
	return true
}
