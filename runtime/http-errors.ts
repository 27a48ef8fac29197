import type { FastifyError, FastifyReply } from 'fastify'
import type * as z from 'zod'
import { Failure, isFailure } from './errors.ts'
import { type Fault, faultListOf, faultsIn, placeOf, type Subject } from './faults.ts'
import type { Log } from './log.ts'

/** The body of an error response. `faults` is present if the request body or the query was rejected. */
export type ErrorBody = { error: { code: string; message: string; requestId: string; faults?: readonly Fault[] } }

/** Error codes that every server has, and their HTTP status. They differ from the codes of failed calls to an API server. */
export const httpFailures = { TOKEN_REFUSED: 401, ACCESS_DENIED: 403, RATE_LIMITED: 429, AUTH_UNAVAILABLE: 503 } as const
export type HttpCode = keyof typeof httpFailures

/** Returns the failure for a body, query or parameter that its schema rejects. The response lists each fault with its JSON path. */
export function rejected(error: Pick<z.ZodError, 'issues'>, subject?: Subject): Failure<'BAD_REQUEST'> {
	return new Failure('BAD_REQUEST', faultsIn(error, subject), { facts: { faults: faultListOf(error, subject) } })
}

/** Returns the failure for a body that is rejected as a whole: its only fault has an empty path. */
export function rejectedWhole(message: string): Failure<'BAD_REQUEST'> {
	return new Failure('BAD_REQUEST', message, { facts: { faults: [{ path: '', message }] } })
}

export type ErrorOptions = { statusOf: (failure: Failure) => number; bodyLimitBytes: number }

/** Sends the response for a failed request. A bug is logged, and the response does not contain its message. */
export function answerError(reply: FastifyReply, error: unknown, { statusOf, bodyLimitBytes }: ErrorOptions): FastifyReply {
	if (isFailure(error)) {
		const status = error.code in httpFailures ? httpFailures[error.code as HttpCode] : statusOf(error)
		return answer(reply, status, { code: error.code, message: error.message, ...partsOf(error) })
	}
	const refused = error as FastifyError
	if (refused.statusCode === undefined || refused.statusCode >= 500) return answerBug(reply, error)
	return answer(reply, refused.statusCode, { code: 'BAD_REQUEST', ...describe(reply, refused, bodyLimitBytes) })
}

type ErrorParts = { code: string; message: string; faults?: readonly Fault[]; retryAfterMs?: number }

/** Sends an error response. */
export function answer(reply: FastifyReply, status: number, { retryAfterMs, ...error }: ErrorParts): FastifyReply {
	const requestId = String(reply.request.id)
	const { code, message, faults } = error
	const body: ErrorBody = { error: { code, message, requestId, ...(faults && { faults }) } }
	reply.header('x-request-id', requestId)
	reply.removeHeader('etag') // of the response that the route would have sent
	if (retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1_000)))
	if (status === 401) reply.header('www-authenticate', 'Bearer')
	return reply.status(status).send(body)
}

function answerBug(reply: FastifyReply, error: unknown): FastifyReply {
	const { method, routeOptions, log } = reply.request
	const bug = log as Log
	bug.error({ err: error, method, route: routeOptions.url }, 'bug: a request failed')
	return answer(reply, 500, { code: 'INTERNAL', message: 'internal error; see the log of this program' })
}

function partsOf({ facts: { faults, retryAfterMs } }: Failure): Partial<ErrorParts> {
	return {
		...(Array.isArray(faults) && { faults: faults as Fault[] }),
		...(typeof retryAfterMs === 'number' && { retryAfterMs }),
	}
}

/** Returns message and faults of an error that Fastify reports. */
function describe(reply: FastifyReply, error: FastifyError, bodyLimitBytes: number): { message: string; faults?: Fault[] } {
	const whole = (message: string) => ({ message, faults: [{ path: '', message }] })
	if (error.validation) {
		const issues = error.validation.map(({ instancePath, message = 'is invalid' }) => ({ path: stepsIn(instancePath), message }))
		return { message: issues.map(({ path, message }) => `${placeOf(path)}: ${message}`).join('; '), faults: faultListOf({ issues }) }
	}
	if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return whole(`the body is too large: at most ${bodyLimitBytes} bytes are allowed`)
	if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
		const sent = reply.request.headers['content-type']?.slice(0, 100)
		return whole(sent ? `content type ${sent} is not supported: use application/json` : 'content type application/json is required')
	}
	return { message: error.message }
}

/** Returns the steps of a JSON pointer: `/0/nodeName`. */
function stepsIn(pointer: string): PropertyKey[] {
	const steps = pointer.split('/').slice(1)
	return steps.filter(step => step !== '').map(step => (/^\d+$/.test(step) ? Number(step) : step))
}
