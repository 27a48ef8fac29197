import { createHash } from 'node:crypto'
import { waitAfter } from '../../runtime/backoff.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isFailure, wordsOf } from '../../runtime/errors.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { reveal } from '../disclosure/decide.ts'
import { refuse, saying } from '../model/failures.ts'
import { type Login, signIn, type Token } from './keystone.ts'
import { createRecent } from './recent.ts'

/** How long before its expiry a token is discarded, so that it does not expire while OpenStack processes a request. */
const SPARE_MS = 120_000
/** Initial and maximum back-off after rejected sign-ins. */
const refusalWaits = { firstMs: 60_000, maxMs: 1_800_000 }
/** Maximum number of tokens, and of rejected sign-ins, that are kept. */
const MOST = 1_000

/** The tokens of this process, shared by all OpenstackConfigs. */
export type Tokens = {
	/** Returns a token that remains valid for a while; concurrent callers share one sign-in. @throws Failure KeystoneError */
	get(http: HttpClient, login: Login, timeoutMs: number): Promise<Token>
	/** Discards this token, even if it has not expired. If a newer token has replaced it, the newer one is kept. */
	drop(login: Login, token: string): Promise<void>
}

/**
 * Creates an empty store of tokens.
 *
 * @param clock milliseconds since 1970
 */
export function createTokens(clock: Clock): Tokens {
	const tokens = createRecent<Promise<Token>>(MOST)
	const gate = createGate(clock)
	const get = async (http: HttpClient, login: Login, timeoutMs: number): Promise<Token> => {
		const key = digestOf(login)
		const pending = tokens.get(key)
		const known = await pending
		if (known && known.expiresAtMs - SPARE_MS > clock.now()) return known
		if (tokens.get(key) !== pending) return get(http, login, timeoutMs) // another caller is already signing in
		const fresh = gate(login, () => signIn(http, login, timeoutMs))
		tokens.set(key, fresh)
		fresh.catch(() => tokens.get(key) === fresh && tokens.delete(key))
		return fresh
	}
	const drop = async (login: Login, token: string) => {
		const key = digestOf(login)
		const pending = tokens.get(key)
		const known = await pending?.catch(() => undefined) // the callers that wait for this sign-in receive its error
		if (known?.token === token && tokens.get(key) === pending) tokens.delete(key)
	}
	return {
		get: (http, login, timeoutMs) => saying('KeystoneError', 'Keystone request failed', () => get(http, login, timeoutMs)),
		drop,
	}
}

type Refusal = { count: number; untilMs: number; words: string }

/**
 * Runs a sign-in, unless the same login was rejected recently.
 *
 * Keystone returns 401 for everything from a wrong password to a missing role, and may lock the account after a few attempts. After a
 * rejection, the same password is not used for the same project again for 1, 2, 4 … 30 minutes; another password is tried immediately.
 * Rejections are stored per login; otherwise two logins that alternate would be tried every time, and an author who names a project without
 * a role would block all others.
 */
function createGate(clock: Clock) {
	const refusals = createRecent<Refusal>(MOST)
	return async (login: Login, work: () => Promise<Token>): Promise<Token> => {
		const digest = digestOf(login)
		const before = refusals.get(digest)
		if (before && before.untilMs > clock.now()) throw refusal(login, before)
		try {
			const token = await work()
			refusals.delete(digest)
			return token
		} catch (error) {
			if (!isFailure(error, 'UNAUTHORIZED')) throw error
			const count = (before?.count ?? 0) + 1
			const untilMs = clock.now() + waitAfter(count, refusalWaits)
			const refused = { count, untilMs, words: String(error.facts.remote || wordsOf(error)).replace(/\.$/, '') }
			refusals.set(digest, refused)
			throw refusal(login, refused)
		}
	}
}

/** Returns the same error for every caller until the next attempt, so that the status does not change. */
function refusal({ user }: Login, { untilMs, words }: Refusal) {
	const until = new Date(untilMs).toISOString().slice(11, 19)
	const message = `Keystone rejected the login of ${user} (401): ${words}. Retrying after ${until} UTC to avoid locking the account`
	return refuse('KeystoneError', message, { notBeforeMs: untilMs })
}

function digestOf({ grant, user, domain, projectId }: Login): string {
	return createHash('sha256')
		.update(JSON.stringify([grant.endpoint.url, grant.endpoint.trustField, user, domain, reveal(grant), projectId]))
		.digest('hex')
}
