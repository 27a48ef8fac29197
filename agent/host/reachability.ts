import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../runtime/errors.ts'

/**
 * @returns whether a TCP connection is established within 2 s; false on any error, and if the socket has no peer. A connection that failed
 *   with EHOSTUNREACH was once reported as established, so that a path that never existed was considered lost.
 */
export function tcpAnswers(host: string, port: number): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect({ host, port, timeout: 2_000 })
		const end = (ok: boolean) => {
			socket.destroy()
			resolve(ok)
		}
		socket.once('connect', () => end(socket.remoteAddress !== undefined))
		socket.once('timeout', () => end(false))
		socket.once('error', () => end(false))
	})
}

/** Errors with which a nameserver may answer instead of an address. Each of them shows that the path to the nameserver works. */
const REFUSALS = new Set(['ENODATA', 'ENOTFOUND', 'ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR', 'EBADRESP'])

/** Delay before each query (milliseconds). Several queries are sent, because a query or its answer may be lost. */
const QUERY_DELAYS = [0, 300, 600]
/** Total time to wait for an answer to any of them (milliseconds). */
const ROUND_MS = 1_000

/**
 * Queries `localhost`, which a nameserver answers or refuses without querying other servers, because only the path to it matters.
 *
 * @param servers IP addresses
 * @returns whether one of them answers within 1 s, or within `withinMs` if that is less
 */
export async function nameserverAnswers(servers: readonly string[], withinMs = ROUND_MS): Promise<boolean> {
	const enough = new AbortController()
	const { signal } = enough
	const queries = servers.flatMap(server =>
		QUERY_DELAYS.map(pause => sleep(pause, undefined, { signal }).then(() => answersQuery(server, signal))),
	)
	const firstAnswer = Promise.any(queries).catch(() => false)
	try {
		return await Promise.race([firstAnswer, sleep(Math.min(withinMs, ROUND_MS), false, { signal })])
	} finally {
		enough.abort()
	}
}

/** @throws the error if the server does not answer, or if `enough` is aborted */
async function answersQuery(server: string, enough: AbortSignal): Promise<true> {
	const resolver = new Resolver({ timeout: ROUND_MS, tries: 1 })
	enough.addEventListener('abort', () => resolver.cancel())
	resolver.setServers([server])
	try {
		await resolver.resolve4('localhost')
	} catch (error) {
		if (!REFUSALS.has(codeOf(error))) throw error
	}
	return true
}
