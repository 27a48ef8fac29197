import { Agent, type Dispatcher, request } from 'undici'
import type * as z from 'zod'
import { faultsIn } from './faults.ts'
import { parseBounded } from './bounded-json.ts'
import { textOf } from './body-text.ts'
import { deadline } from './clock.ts'
import { Failure } from './errors.ts'
import { failure, type HttpCode, refusal, unreachable } from './http-failures.ts'
import { openStream, type StreamCall } from './http-stream.ts'

export type { HttpCode } from './http-failures.ts'
export type { StreamCall } from './http-stream.ts'

export type HttpClientOptions = {
	/** PEM of the certificate authorities to trust instead of the system's. */
	ca?: string
	/** Do not verify the server's certificate. */
	insecure?: boolean
	/** Time limit of a whole call in milliseconds. Default: 30 000. */
	timeoutMs?: number
	userAgent?: string
	/** Number of kept-alive connections to one server. Default: 4. */
	connections?: number
	/** Maximum response size in bytes. Default: 64 MiB. */
	maxAnswerBytes?: number
}

export type HttpCall<T> = {
	method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
	url: string
	headers?: Readonly<Record<string, string>>
	/** Sent as JSON. */
	body?: unknown
	/** Schema of the response. Without a schema, the body is the parsed JSON, or the text of a response that is not JSON. */
	schema?: z.ZodType<T>
	/** Strings that a failure must not contain, even if the remote sends them. Authorization and token headers are always hidden. */
	secrets?: readonly string[]
	/** Statuses that are treated as success and whose body must match the schema. Default: 200 to 299. */
	accept?: (status: number) => boolean
	signal?: AbortSignal
	timeoutMs?: number
}

export type HttpAnswer<T> = { status: number; headers: Readonly<Record<string, string | string[] | undefined>>; body: T }

export type HttpClient = {
	/**
	 * Makes one call, without retries.
	 *
	 * @throws Failure with an HttpCode; the message contains the remote's message; facts `{ method, url, status, remote, retryAfterMs }`
	 */
	call<T = unknown>(call: HttpCall<T>): Promise<HttpAnswer<T>>
	/**
	 * Yields the bytes of one event stream, to be parsed with `readEvents`. The stream has neither a time limit nor a maximum size, only an
	 * idle time, and a separate connection.
	 *
	 * @throws Failure with an HttpCode: NO_STREAM if the server has none, TIMED_OUT if no byte arrives
	 */
	stream(call: StreamCall): AsyncIterable<Uint8Array>
	close(): Promise<void>
}

const ANSWER_BYTES = 64 << 20
/** Limits for a response, above the size of any page that OpenStack returns. */
const ANSWER = { depth: 32, values: 2_000_000 }

/** Creates a client for one remote system, with a separate connection pool and its own trusted authorities. */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
	const { ca, insecure = false, connections = 4, maxAnswerBytes = ANSWER_BYTES, userAgent = 'node' } = options
	const connect = { timeout: 10_000, rejectUnauthorized: !insecure, ...(ca && { ca }) }
	const agent = new Agent({ allowH2: false, connections, keepAliveTimeout: 30_000, maxResponseSize: maxAnswerBytes, connect })
	const streams = new Agent({ allowH2: false, connect }) // a stream exceeds any maximum size, and never frees its connection for a call
	return {
		call: call => exchange(agent, options, call),
		stream: call => openStream(streams, userAgent, call),
		close: async () => void (await Promise.all([agent.destroy(), streams.destroy()])),
	}
}

async function exchange<T>(dispatcher: Dispatcher, options: HttpClientOptions, call: HttpCall<T>): Promise<HttpAnswer<T>> {
	const limit = deadline(call.timeoutMs ?? options.timeoutMs ?? 30_000, call.signal)
	try {
		const { statusCode: status, headers, body } = await send(dispatcher, options, call, limit.signal)
		const text = await textOf(body)
		const accepts = call.accept ?? isSuccess
		const refused = () => refusal(call, { status, text, retryAfter: headers['retry-after'] })
		if (!accepts(status)) throw refused()
		const found = parse(call, { status, text, bytes: options.maxAnswerBytes ?? ANSWER_BYTES })
		if ('value' in found) return { status, headers, body: found.value }
		throw isSuccess(status) ? found.failure : refused() // a proxy may reject the request with a status that `accept` includes
	} catch (error) {
		throw error instanceof Failure ? error : unreachable(call, error, limit.expired())
	} finally {
		limit.clear()
	}
}

function send<T>(
	dispatcher: Dispatcher,
	options: HttpClientOptions,
	call: HttpCall<T>,
	signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
	const json = call.body === undefined ? {} : { 'content-type': 'application/json' }
	return request(call.url, {
		dispatcher,
		method: call.method ?? 'GET',
		headers: { accept: 'application/json', 'user-agent': options.userAgent ?? 'node', ...json, ...call.headers },
		signal,
		headersTimeout: 0,
		bodyTimeout: 0,
		...(call.body !== undefined && { body: JSON.stringify(call.body) }),
	})
}

type Came = { status: number; text: string; bytes: number }

function parse<T>(call: HttpCall<T>, { status, text, bytes }: Came): { value: T } | { failure: Failure<HttpCode> } {
	const bad = (words: string) => ({ failure: failure(call, 'BAD_ANSWER', words, { retry: true, status }) })
	const json = text === '' ? { value: undefined } : parseBounded(text, { bytes, ...ANSWER })
	// without a schema a response may be plain text instead of JSON
	if (!call.schema) return { value: ('value' in json ? json.value : text) as T }
	if ('fault' in json) return bad(`returned an invalid response: ${json.fault}`)
	const parsed = call.schema.safeParse(json.value)
	return parsed.success ? { value: parsed.data } : bad(`returned an unexpected response: ${faultsIn(parsed.error, { whole: 'the body' })}`)
}

function isSuccess(status: number): boolean {
	return status >= 200 && status < 300
}
