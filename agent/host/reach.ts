import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../runtime/errors.ts'

/**
 * @returns whether a TCP connection comes about within 2 s; on any error it does not, nor where the socket has no peer: a connection that
 *   the kernel gives up (EHOSTUNREACH) was once told as made, and then the path that was never there counted as lost
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

/** What a nameserver says when it has no address to give. It says something, so the way to it works. */
const REFUSALS = new Set(['ENODATA', 'ENOTFOUND', 'ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR', 'EBADRESP'])

/** A question or its answer may be lost: when each of them is asked (milliseconds). */
const QUESTIONS = [0, 300, 600]
/** As long as they are waited for, all of them together (milliseconds). */
const ROUND = 1_000

/**
 * Asks for `localhost`, which a nameserver answers, or refuses, without asking others: only the way to it is of interest.
 *
 * @param servers IP addresses
 * @returns whether one of them says anything within 1 s, or within `withinMs` where that is less
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

/** @throws what there is to throw when nothing is said, or it is enough */
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
