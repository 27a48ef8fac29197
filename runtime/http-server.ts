import { randomUUID } from 'node:crypto'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify'
import { Failure } from './errors.ts'
import { addJsonBodies } from './http-body.ts'
import { answer, answerError, type ErrorOptions } from './http-errors.ts'
import { allowedMethods, type RoutePattern } from './http-methods.ts'
import { limitReaders } from './http-readers.ts'
import { answerInvalidHttp, type CertificatePair, createSocketServer } from './http-socket.ts'
import type { Log } from './log.ts'
import type { FileSource } from './watched-file.ts'

export type { ErrorBody } from './http-errors.ts'

export type HttpServerOptions = {
	log: Log
	/** Maximum request body size in bytes. Default: 1 MiB. */
	bodyLimitBytes?: number
	/** How long a request waits until its body is received, in milliseconds. Default: 10 000. */
	bodyWaitMs?: number
	/** Time in which a reader takes no data, after which it is disconnected, in milliseconds. Default: 60 000. */
	stallMs?: number
	/** HTTP status of a room's own failures. Default: 503 for failures that may be retried, else 400. */
	statusOf?: (failure: Failure) => number
	/** Certificate and key. Without them, the server uses plain HTTP. */
	tls?: FileSource<CertificatePair> | undefined
}

/** Maximum length of a path parameter in characters, longer than any name. Fastify's default is 100. */
const PARAM_MAX = 1_024

/**
 * Creates a JSON server whose error responses are `{ error: { code, message, requestId } }`. `request.log` writes lines with the id of the
 * request. A bug is logged and answered with 500, without the original error message.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
	const { log, bodyLimitBytes = 1 << 20, bodyWaitMs = 10_000, stallMs = 60_000, statusOf = defaultStatus, tls } = options
	const errors: ErrorOptions = { statusOf, bodyLimitBytes }
	const end = new AbortController()
	const app = fastify({
		logger: false,
		// Fastify's own log lines of a request contain all headers, including the token
		logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
		childLoggerFactory: (_, bindings) => log.child(bindings),
		genReqId: ({ headers }) => requestIdIn(headers['x-request-id']) ?? randomUUID(),
		serverFactory: handler => createSocketServer(handler, { log, signal: end.signal, ...(tls && { tls }) }),
		clientErrorHandler: answerInvalidHttp,
		bodyLimit: bodyLimitBytes,
		forceCloseConnections: 'idle',
		routerOptions: { maxParamLength: PARAM_MAX },
		frameworkErrors: (error, _, reply) => void answerError(reply as FastifyReply, error, errors),
	})
	app.addHook('onClose', async () => end.abort())
	limitReaders(app, stallMs)
	addRouting(app)
	addJsonBodies(app, { bodyLimitBytes, bodyWaitMs })
	app.setErrorHandler((error, _, reply) => answerError(reply, error, errors))
	return app
}

/** Returns the request id that a client sent, if it is short and safe to log. */
function requestIdIn(header: string | string[] | undefined): string | undefined {
	return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined
}

/**
 * Responds to requests that no route handles: those for an unknown path, those with a method that is not allowed, and OPTIONS. It does so
 * before the body is read, because such a request is not authenticated.
 */
function addRouting(app: FastifyInstance): void {
	const routes: RoutePattern[] = []
	app.addHook('onRoute', ({ method, url }) => {
		for (const one of [method].flat()) routes.push({ method: one, url })
	})
	const notThere = (request: FastifyRequest, reply: FastifyReply) => {
		const path = request.url.split('?')[0] ?? ''
		const allow = allowedMethods(routes, path)
		if (allow === '') return answer(reply, 404, { code: 'NOT_FOUND', message: `there is no ${request.method} ${path}` })
		reply.header('allow', allow)
		if (request.method === 'OPTIONS') return reply.status(204).send()
		return answer(reply, 405, { code: 'METHOD_NOT_ALLOWED', message: `${request.method} is not allowed for ${path}, only ${allow}` })
	}
	app.addHook('onRequest', async (request, reply) => {
		reply.header('x-request-id', request.id)
		return request.is404 ? notThere(request, reply) : undefined
	})
	app.setNotFoundHandler(notThere)
}

function defaultStatus({ retry }: Failure): number {
	return retry ? 503 : 400
}

export type HealthOptions = {
	/** Returns true if the process can serve requests, otherwise a sentence with the reason. */
	ready: () => true | string
	/** Liveness: returns a sentence if the process must be restarted. A process that is only not ready stays alive. Default: always true. */
	alive?: () => true | string
	/** Lines that `/healthz` returns after its result, such as the state of an optional dependency. Default: no lines. */
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
	const heard = await app.listen({ ...at }).catch(cause => {
		throw new Failure('CONFIG_INVALID', `cannot listen on ${at.host}:${at.port}`, { cause })
	})
	const address = 'setSecureContext' in app.server ? heard.replace(/^http:/, 'https:') : heard
	const { promise: closed, resolve, reject } = Promise.withResolvers<void>()
	const close = () => void app.close().then(resolve, reject)
	if (signal.aborted) close()
	else signal.addEventListener('abort', close, { once: true })
	return { address, closed }
}
