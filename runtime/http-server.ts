import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { parseBounded } from './bounded-json.ts'
import { Failure, isFailure } from './errors.ts'
import type { Fault } from './faults.ts'
import type { Log } from './log.ts'

export type HttpServerOptions = {
	log: Log
	/** Maximum request body size in bytes. Default: 1 MiB. */
	bodyLimitBytes?: number
	/** HTTP status of a room's own failures. Default: 503 for failures that may be retried, else 400. */
	statusOf?: (failure: Failure) => number
}

/** Limits for a request body, above the size of any legitimate request. */
const BODY = { depth: 16, values: 2_000_000 }

/** Maximum length of a path parameter in characters, longer than any name. Fastify's default is 100. */
const PARAM_MAX = 1_024

/** The body of an error response. `faults`: every fault of a rejected body, up to a limit. */
export type ErrorBody = { error: { code: string; message: string; faults?: readonly Fault[] } }

/**
 * Creates a JSON server whose error responses are `{ error: { code, message } }`. A bug is logged and answered with 500, without the
 * original error message. A Failure with the fact `faults` reports them in `error.faults`, and with `retryAfterMs` sets Retry-After.
 */
export function createHttpServer({ log, bodyLimitBytes = 1 << 20, statusOf = defaultStatus }: HttpServerOptions): FastifyInstance {
	const app = fastify({
		logger: false,
		bodyLimit: bodyLimitBytes,
		forceCloseConnections: 'idle',
		requestTimeout: 60_000,
		routerOptions: { maxParamLength: PARAM_MAX },
		frameworkErrors: (error, _, reply) => void answer(reply as FastifyReply, error.statusCode ?? 400, 'BAD_REQUEST', error.message),
	})
	// rejects an unknown path before the body is read, because such a request is not authenticated
	app.addHook('onRequest', async (request, reply) => (request.is404 ? notThere(request, reply) : undefined))
	app.removeContentTypeParser('application/json')
	app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: unknown, text: string) => {
		if (text === '') return undefined // many clients set the content type even on a DELETE, which has no body
		const json = parseBounded(text, { bytes: bodyLimitBytes, ...BODY })
		if ('fault' in json) throw new Failure('BAD_REQUEST', `the body cannot be read: ${json.fault}`)
		return json.value
	})
	app.setErrorHandler((error, request, reply) => {
		if (isFailure(error)) return answerFailure(reply, statusOf(error), error)
		const refused = error as FastifyError
		if (refused.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
			return answer(reply, 413, 'BAD_REQUEST', `the body is too large: at most ${bodyLimitBytes} bytes are allowed`)
		if (refused.statusCode !== undefined && refused.statusCode < 500)
			return answer(reply, refused.statusCode, 'BAD_REQUEST', refused.message)
		log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'bug: a request failed')
		return answer(reply, 500, 'INTERNAL', 'internal error; see the log of this program')
	})
	app.setNotFoundHandler(notThere)
	return app
}

function notThere({ method, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
	return answer(reply, 404, 'NOT_FOUND', `there is no ${method} ${url.split('?')[0]}`)
}

function defaultStatus({ retry }: Failure): number {
	return retry ? 503 : 400
}

function answerFailure(reply: FastifyReply, status: number, { code, message, facts }: Failure): FastifyReply {
	const { faults, retryAfterMs } = facts
	if (typeof retryAfterMs === 'number') reply.header('retry-after', Math.ceil(retryAfterMs / 1_000))
	const body: ErrorBody = { error: { code, message, ...(Array.isArray(faults) && { faults: faults as Fault[] }) } }
	return reply.status(status).send(body)
}

function answer(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
	const body: ErrorBody = { error: { code, message } }
	return reply.status(status).send(body)
}

export type HealthOptions = {
	/** Returns true if the process can serve requests, otherwise a sentence with the reason. */
	ready: () => true | string
	/** Liveness: returns a sentence if the process must be restarted. A process that is only not ready stays alive. Default: always true. */
	alive?: () => true | string
	/** Lines that `/healthz` shows after `ok`, such as the state of something that the process can do without. Default: none. */
	details?: () => readonly string[]
	metrics?: { contentType: string; metrics(): Promise<string> }
}

/** Adds `/healthz`, `/readyz` and, if metrics are given, `/metrics`. */
export function addHealth(app: FastifyInstance, { ready, alive = () => true, details = () => [], metrics }: HealthOptions): void {
	app.get('/healthz', (_, reply) => probe(reply, alive(), details()))
	app.get('/readyz', (_, reply) => probe(reply, ready()))
	if (metrics) app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
}

function probe(reply: FastifyReply, state: true | string, details: readonly string[] = []): FastifyReply {
	return reply
		.status(state === true ? 200 : 503)
		.type('text/plain')
		.send([state === true ? 'ok' : state, ...details].join('\n'))
}

/**
 * Starts the server and closes it when `signal` is aborted; requests in progress may finish. Host "" means all addresses: `::`, which also
 * accepts IPv4, and `0.0.0.0` if the kernel has no IPv6.
 *
 * @returns the actual address (`http://127.0.0.1:8080`), and a promise that resolves when the server is closed
 * @throws Failure CONFIG_INVALID if the server cannot listen on the address
 */
export async function listen(
	app: FastifyInstance,
	at: Readonly<{ host: string; port: number }>,
	signal: AbortSignal,
): Promise<{ address: string; closed: Promise<void> }> {
	const address = await app.listen({ ...at }).catch(cause => {
		throw new Failure('CONFIG_INVALID', `cannot listen on ${at.host}:${at.port}`, { cause })
	})
	const { promise: closed, resolve, reject } = Promise.withResolvers<void>()
	const close = () => void app.close().then(resolve, reject)
	if (signal.aborted) close()
	else signal.addEventListener('abort', close, { once: true })
	return { address, closed }
}
