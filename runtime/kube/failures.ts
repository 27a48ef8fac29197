import { codeOf, Failure, isFailure, wordsOf } from '../errors.ts'

/** Codes of a failed call to the API server. A call throws only these, except for bugs. */
export type KubeCode =
	| 'NOT_FOUND'
	| 'ALREADY_EXISTS'
	| 'CONFLICT'
	| 'INVALID'
	| 'BAD_REQUEST'
	| 'FORBIDDEN'
	| 'UNAUTHORIZED'
	/** 410: a resource version or a continue token is too old. */
	| 'EXPIRED'
	| 'TOO_MANY_REQUESTS'
	| 'SERVER_ERROR'
	| 'UNREACHABLE'
	| 'TIMED_OUT'
	/** The caller's signal aborted the call, or the caller must not write now. */
	| 'STOPPED'

/** The part of `meta/v1.Status` that is used here. */
type Status = {
	message?: string
	reason?: string
	code?: number
	details?: { retryAfterSeconds?: number; causes?: { field?: string; message?: string }[] }
}

const byStatus: Readonly<Record<number, KubeCode>> = {
	400: 'BAD_REQUEST',
	401: 'UNAUTHORIZED',
	403: 'FORBIDDEN',
	404: 'NOT_FOUND',
	408: 'TIMED_OUT',
	409: 'CONFLICT',
	410: 'EXPIRED',
	422: 'INVALID',
	429: 'TOO_MANY_REQUESTS',
	504: 'TIMED_OUT',
}

/** Codes of failures that a retry cannot fix: the request itself is wrong, or does not match the existing objects. */
const final: readonly KubeCode[] = ['BAD_REQUEST', 'INVALID', 'NOT_FOUND', 'ALREADY_EXISTS']

/**
 * Converts an error response of the API server to a failure, with the API server's own message.
 *
 * @param what the request: `PATCH /apis/…`
 * @param body the text of the response, usually a `Status`
 * @param retryAfter the header Retry-After
 */
export function failureOf(what: string, status: number, body: string, retryAfter?: string): Failure<KubeCode> {
	const said = parseStatus(body)
	const code = codeFor(status, said)
	const seconds = Number(retryAfter ?? said.details?.retryAfterSeconds)
	const facts = {
		request: what,
		status,
		...(said.reason && { reason: said.reason }),
		...(said.details?.causes && { causes: said.details.causes.map(({ field, message }) => ({ field, message })) }),
		...(seconds > 0 && { retryAfterMs: seconds * 1_000 }),
	}
	return new Failure(code, said.message ?? `${what}: status ${status} ${body.slice(0, 200)}`.trimEnd(), {
		retry: !final.includes(code),
		facts,
	})
}

function codeFor(status: number, said: Status): KubeCode {
	if (said.reason === 'AlreadyExists') return 'ALREADY_EXISTS'
	return byStatus[status] ?? (status >= 500 ? 'SERVER_ERROR' : 'BAD_REQUEST')
}

function parseStatus(body: string): Status {
	try {
		const parsed: unknown = JSON.parse(body)
		return typeof parsed === 'object' && parsed !== null ? (parsed as Status) : {}
	} catch {
		return {} // a page from a proxy or a load balancer, not from the API server: its text is used unchanged
	}
}

/** Returns the wait that the API server requested before a retry, in milliseconds; 0 if it requested none. */
export function retryAfterOf(error: unknown): number {
	const ms = error instanceof Failure ? error.facts.retryAfterMs : 0
	return typeof ms === 'number' ? ms : 0
}

/** Returns whether the error is a Failure and, if codes are given, has one of them. */
export function isKubeFailure(error: unknown, ...codes: readonly KubeCode[]): error is Failure<KubeCode> {
	return isFailure<KubeCode>(error, ...codes)
}

/** Returns the failure of a streamed response: canceled by its reader, idle for too long, or cut off. Other Failures stay unchanged. */
export function streamFailure(what: string, error: unknown, { silent, stopped }: { silent: boolean; stopped: boolean }): unknown {
	if (stopped) return new Failure<KubeCode>('STOPPED', `${what} was canceled`, { retry: true })
	if (silent) return new Failure<KubeCode>('TIMED_OUT', `${what} timed out (idle)`, { retry: true, facts: { silent: true } })
	if (isKubeFailure(error)) return error
	return new Failure<KubeCode>('UNREACHABLE', `${what}: connection lost`, { retry: true, cause: error })
}

/** How a request without a response ended. */
export type Ending = { what: string; server: string; stopped: boolean; expired: boolean }

/** Converts a connection error to a failure; a Failure is returned unchanged. */
export function requestFailure({ what, server, stopped, expired }: Ending, error: unknown): unknown {
	if (error instanceof Failure) return error
	const facts = { request: what, server }
	if (expired) return new Failure<KubeCode>('TIMED_OUT', `${what} timed out: no response from ${server}`, { retry: true, facts })
	if (stopped) return new Failure<KubeCode>('STOPPED', `${what} was canceled: ${wordsOf(error)}`, { retry: true, facts })
	// the server had closed the kept-alive connection in the meantime
	const stale = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error))
	const message = `${server} cannot be reached: ${wordsOf(error)}`
	return new Failure<KubeCode>('UNREACHABLE', message, { retry: true, facts: { ...facts, stale }, cause: error })
}
