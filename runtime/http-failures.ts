import { Failure, wordsOf } from './errors.ts'
import { createRedactor, responseMessage } from './response-message.ts'

/** Codes of a failed HTTP call. */
export type HttpCode =
	| 'UNAUTHORIZED'
	| 'FORBIDDEN'
	| 'NOT_FOUND'
	| 'CONFLICT'
	| 'TOO_MANY_REQUESTS'
	/** Any other 3xx or 4xx: the request or the address is wrong. */
	| 'REFUSED'
	| 'SERVER_ERROR'
	/** The response does not match the schema. */
	| 'BAD_ANSWER'
	/** The server has no event stream at this address, for example because it is an older version. */
	| 'NO_STREAM'
	| 'UNREACHABLE'
	| 'TIMED_OUT'
	/** The caller's signal aborted the call. */
	| 'STOPPED'

/** The part of a call that a failure describes, and the strings that it must not contain. */
export type CallIdentity = {
	method?: string
	url: string
	headers?: Readonly<Record<string, string>>
	secrets?: readonly string[]
	signal?: AbortSignal
}

const byStatus: Readonly<Record<number, HttpCode>> = {
	401: 'UNAUTHORIZED',
	403: 'FORBIDDEN',
	404: 'NOT_FOUND',
	408: 'TIMED_OUT',
	409: 'CONFLICT',
	429: 'TOO_MANY_REQUESTS',
	504: 'TIMED_OUT',
}

/** Maximum Retry-After in seconds. Longer values are reduced to it, because a server may be wrong about the time. */
const LONGEST_RETRY_S = 300

export type Refusal = { status: number; text: string; retryAfter: string | string[] | undefined }

/** Returns the failure for an error response. */
export function refusal(call: CallIdentity, { status, text, retryAfter }: Refusal): Failure<HttpCode> {
	const code = byStatus[status] ?? (status >= 500 ? 'SERVER_ERROR' : 'REFUSED')
	const remote = responseMessage(text, hideIn(call))
	const seconds = Math.min(Number(retryAfter), LONGEST_RETRY_S)
	const facts = {
		retry: status >= 500 || status === 408 || status === 429,
		status,
		remote,
		...(seconds > 0 && { retryAfterMs: seconds * 1_000 }),
	}
	return failure(call, code, `answered ${status}${remote && `: ${remote}`}`, facts)
}

/** Returns the failure for a call without a complete response. */
export function unreachable(call: CallIdentity, error: unknown, expired: boolean): Failure<HttpCode> {
	if (expired) return failure(call, 'TIMED_OUT', 'timed out', { retry: true })
	if (call.signal?.aborted) return failure(call, 'STOPPED', `was canceled: ${wordsOf(call.signal.reason)}`, { retry: true })
	return failure(call, 'UNREACHABLE', `cannot be reached: ${wordsOf(error)}`, { retry: true })
}

/** Returns a failure whose message and facts do not contain a secret of the call. */
export function failure(
	call: CallIdentity,
	code: HttpCode,
	words: string,
	{ retry, ...facts }: { retry: boolean } & Record<string, unknown>,
): Failure<HttpCode> {
	const method = call.method ?? 'GET'
	const url = plainUrl(call.url)
	const hide = hideIn(call)
	return new Failure(code, hide(`${method} ${url} ${words}`), { retry, facts: { method, url, ...hidden(facts, hide) } })
}

function hideIn({ headers = {}, secrets = [] }: CallIdentity): (text: string) => string {
	return createRedactor(headers, secrets)
}

function hidden(facts: Record<string, unknown>, hide: (text: string) => string): Record<string, unknown> {
	return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? hide(value) : value]))
}

/** Returns the URL without user information and query, because either may contain a secret. */
function plainUrl(url: string): string {
	if (!URL.canParse(url)) return '(not a URL)'
	const { origin, pathname } = new URL(url)
	return origin + pathname
}
