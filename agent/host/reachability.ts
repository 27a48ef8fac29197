import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../runtime/errors.ts'

/**
 * @returns whether a TCP connection is established within 2 s; false on any error, and if the socket has no peer: a connection that the
 *   kernel gives up (EHOSTUNREACH) was once reported as established, and a path that never existed then counted as lost
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

/** Errors of a nameserver that has no address to return. It answers, so the path to it works. */
const REFUSALS = new Set(['ENODATA', 'ENOTFOUND', 'ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR', 'EBADRESP'])

/** A query or its answer may be lost: when each query is sent (milliseconds). */
const QUESTIONS = [0, 300, 600]
/** Total wait for all of them (milliseconds). */
const ROUND = 1_000

/**
 * Queries `localhost`, which a nameserver answers, or refuses, without querying others, because only the path to it matters.
 *
 * @param servers IP addresses
 * @returns whether one of them answers within 1 s, or within `withinMs` if that is less
 */
export async function nameserverAnswers(servers: readonly string[], withinMs = ROUND): Promise<boolean> {
	const enough = new AbortController()
	const { signal } = enough
	const questions = servers.flatMap(server => QUESTIONS.map(pause => sleep(pause, undefined, { signal }).then(() => says(server, signal))))
	const heard = Promise.any(questions).catch(() => false)
	try {
		return await Promise.race([heard, sleep(Math.min(withinMs, ROUND), false, { signal })])
	} finally {
		enough.abort()
	}
}

/** @throws the error if the server does not answer, or if `enough` is aborted */
async function says(server: string, enough: AbortSignal): Promise<true> {
	const resolver = new Resolver({ timeout: ROUND, tries: 1 })
	enough.addEventListener('abort', () => resolver.cancel())
	resolver.setServers([server])
	try {
		await resolver.resolve4('localhost')
	} catch (error) {
		if (!REFUSALS.has(codeOf(error))) throw error
	}
	return true
}
