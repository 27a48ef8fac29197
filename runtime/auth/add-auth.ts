import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Failure, isFailure } from '../errors.ts'
import type { HttpCode } from '../http-errors.ts'
import type { Log } from '../log.ts'
import type { Access } from './access.ts'
import type { Auth, Caller } from './auth.ts'

declare module 'fastify' {
	interface FastifyRequest {
		/** The client that sent the request. Set only on routes to which `addAuth` applies. */
		caller: Caller
	}
}

/** Maximum number of requests per client, and of invalid tokens per address, in a window of `timeWindow` milliseconds. */
export type RateLimit = { max: number; timeWindow: number }
const RATE: RateLimit = { max: 100, timeWindow: 2_000 }

export type AuthOptions = {
	log: Log
	/** Default: 100 requests in 2 s. */
	rate?: RateLimit | undefined
}

/**
 * Authenticates every request of the routes that are added afterwards, before its body is read, and sets `request.caller`. A client that
 * sends too many requests gets 429.
 */
export async function addAuth(api: FastifyInstance, auth: Auth, { log, rate = RATE }: AuthOptions): Promise<void> {
	await api.register(rateLimit, { global: false })
	const perCaller = api.createRateLimit({ ...rate, keyGenerator: keyOf })
	const refusals = api.createRateLimit(rate)
	const warnOnce = plainTokenWarning(log)
	api.decorateRequest('caller')
	api.addHook('onRequest', async request => {
		warnOnce(request)
		limited(await refusals(request, { increment: false }), rate, 'requests with an invalid token')
		request.caller = await auth.signIn(request.headers.authorization).catch(async error => {
			if (isFailure<HttpCode>(error, 'TOKEN_REFUSED')) await refusals(request)
			throw error
		})
		limited(await perCaller(request), rate, 'requests')
	})
}

/**
 * Authenticates the client of a long response, such as a stream, again: its token may have been revoked since the response began.
 *
 * @throws Failure TOKEN_REFUSED, ACCESS_DENIED or AUTH_UNAVAILABLE
 */
export async function requireAgain(auth: Auth, { headers }: FastifyRequest, access: Access, providerId: string): Promise<void> {
	await auth.require(await auth.signIn(headers.authorization), access, providerId)
}

type Count = Awaited<ReturnType<ReturnType<FastifyInstance['createRateLimit']>>>

/** @throws Failure RATE_LIMITED if the limit of the window is reached */
function limited(count: Count, { max, timeWindow }: RateLimit, what: string): void {
	if (count.isAllowed || !count.isExceeded) return
	throw new Failure<HttpCode>('RATE_LIMITED', `too many ${what}: at most ${max} in ${timeWindow / 1_000} s`, {
		retry: true,
		facts: { retryAfterMs: count.ttl },
	})
}

/** A client that is not authenticated is limited by its address. */
function keyOf({ caller, ip }: FastifyRequest): string {
	return caller.how === 'none' ? `address ${ip}` : `${caller.how} ${caller.name}`
}

/** Returns a function that warns about the first token that arrives unencrypted from another host. */
function plainTokenWarning(log: Log): (request: FastifyRequest) => void {
	let isDone = false
	return ({ headers, ip, raw: { socket } }) => {
		if (isDone || headers.authorization === undefined || 'encrypted' in socket || isLoopback(ip)) return
		isDone = true
		log.warn({ from: ip }, 'a token arrived over plain HTTP from another host: configure TLS')
	}
}

function isLoopback(address: string): boolean {
	return /^(::ffff:)?127\.|^::1$/.test(address)
}
