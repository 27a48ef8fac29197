import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Failure, isFailure } from '../errors.ts'
import type { HttpCode } from '../http-errors.ts'
import type { Log } from '../log.ts'
import type { Access } from './access.ts'
import type { Auth, Caller } from './auth.ts'
import { rateStoreOn } from './rate-store.ts'

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
	/** Time on a clock that is never set back, in milliseconds. Default: `performance.now()`. */
	nowMs?: () => number
}

/**
 * Authenticates every request of the routes that are added afterwards, before its body is read, and sets `request.caller`. A client that
 * sends too many requests gets 429. An address that sends too many invalid tokens gets 429 for every token that is not known, so that it
 * causes no reviews; clients with a known token are not affected.
 */
export async function addAuth(api: FastifyInstance, auth: Auth, options: AuthOptions): Promise<void> {
	const { log, rate = RATE, nowMs = () => performance.now() } = options
	await api.register(rateLimit, { global: false, store: rateStoreOn(nowMs) })
	const perCaller = api.createRateLimit({ ...rate, keyGenerator: keyOf })
	const refusals = api.createRateLimit(rate)
	const warnOnce = plainTokenWarning(log)
	api.decorateRequest('caller')
	const signIn = async (request: FastifyRequest) => {
		const { authorization } = request.headers
		if (auth.isKnown(authorization)) return auth.signIn(authorization)
		const count = await refusals(request, { increment: false })
		if (!count.isAllowed && count.remaining === 0) throw tooMany(count, rate, 'requests with an invalid token')
		return auth.signIn(authorization).catch(async error => {
			if (isFailure<HttpCode>(error, 'TOKEN_REFUSED')) await refusals(request)
			throw error
		})
	}
	api.addHook('onRequest', async request => {
		warnOnce(request)
		request.caller = await signIn(request)
		const count = await perCaller(request)
		if (!count.isAllowed && count.isExceeded) throw tooMany(count, rate, 'requests')
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

function tooMany({ ttl }: { ttl: number }, { max, timeWindow }: RateLimit, what: string): Failure<HttpCode> {
	const facts = { retryAfterMs: Math.min(ttl, timeWindow) }
	return new Failure('RATE_LIMITED', `too many ${what}: at most ${max} in ${timeWindow / 1_000} s`, { retry: true, facts })
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
