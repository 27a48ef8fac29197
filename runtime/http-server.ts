import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { parseBounded } from './bounded-json.ts'
import { Failure, isFailure } from './errors.ts'
import type { Log } from './log.ts'

export type HttpServerOptions = {
	log: Log
	/** Largest body taken, in bytes. Default: 1 MiB. */
	bodyLimitBytes?: number
	/** HTTP status of a room's own failures. Default: 503 for those that waiting can heal, else 400. */
	statusOf?: (failure: Failure) => number
}

/** Of a body: more than any that is meant well has. */
const BODY = { depth: 16, values: 2_000_000 }

/** Longest part of a path that a route takes (characters), more than any name has; Fastify's own is 100. */
const PARAM_MAX = 1_024

/** What a refused request is answered with. */
export type ErrorBody = { error: { code: string; message: string } }

/** A JSON server whose every refusal is `{ error: { code, message } }`; what is a bug is logged and answered 500 without its words. */
export function createHttpServer({ log, bodyLimitBytes = 1 << 20, statusOf = defaultStatus }: HttpServerOptions): FastifyInstance {
	const app = fastify({
		logger: false,
		bodyLimit: bodyLimitBytes,
		forceCloseConnections: 'idle',
		requestTimeout: 60_000,
		routerOptions: { maxParamLength: PARAM_MAX },
		frameworkErrors: (error, _, reply) => void answer(reply as FastifyReply, error.statusCode ?? 400, 'BAD_REQUEST', error.message),
	})
	// before its body is read: whoever asks for nothing has not signed in
	app.addHook('onRequest', async (request, reply) => (request.is404 ? notThere(request, reply) : undefined))
	app.removeContentTypeParser('application/json')
	app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: unknown, text: string) => {
		if (text === '') return undefined // many clients name the type of every body, also of the one that a DELETE has not
		const json = parseBounded(text, { bytes: bodyLimitBytes, ...BODY })
		if ('fault' in json) throw new Failure('BAD_REQUEST', `the body cannot be read: ${json.fault}`)
		return json.value
	})
	app.setErrorHandler((error, request, reply) => {
		if (isFailure(error)) return answer(reply, statusOf(error), error.code, error.message)
		const refused = error as FastifyError
		if (refused.statusCode !== undefined && refused.statusCode < 500)
			return answer(reply, refused.statusCode, 'BAD_REQUEST', refused.message)
		log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'bug: a request failed')
		return answer(reply, 500, 'INTERNAL', 'an error in this program; its log says which')
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

function answer(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
	const body: ErrorBody = { error: { code, message } }
	return reply.status(status).send(body)
}

export type HealthOptions = {
	/** True when work can be done; else what is missing, in words. */
	ready: () => true | string
	/** Not ready is no reason to be restarted; this is. Default: always true. */
	alive?: () => true | string
	metrics?: { contentType: string; metrics(): Promise<string> }
}

/** Adds `/healthz`, `/readyz` and, where given, `/metrics`. */
export function addHealth(app: FastifyInstance, { ready, alive = () => true, metrics }: HealthOptions): void {
	app.get('/healthz', (_, reply) => probe(reply, alive()))
	app.get('/readyz', (_, reply) => probe(reply, ready()))
	if (metrics) app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
}

function probe(reply: FastifyReply, state: true | string): FastifyReply {
	return reply
		.status(state === true ? 200 : 503)
		.type('text/plain')
		.send(state === true ? 'ok' : state)
}

/**
 * Opens the server and closes it when `signal` says so; running requests may end. Host "" is every address: `::`, which takes IPv4 too, and
 * `0.0.0.0` where the kernel has no IPv6.
 *
 * @returns the address it really has (`http://127.0.0.1:8080`), and a promise for its end
 * @throws Failure CONFIG_INVALID when the address cannot be had
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
