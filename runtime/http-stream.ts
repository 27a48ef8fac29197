import { type Dispatcher, request } from 'undici'
import { textOf } from './body-text.ts'
import { deadline, type SetTimer } from './clock.ts'
import { Failure } from './errors.ts'
import { type CallIdentity, failure, refusal, unreachable } from './http-failures.ts'

export type StreamCall = {
	url: string
	headers?: Readonly<Record<string, string>>
	/** Strings that a failure must not contain. */
	secrets?: readonly string[]
	signal?: AbortSignal
	/** Time without a byte, in milliseconds, after which the connection is considered dead. Default: 45 000. */
	idleMs?: number
	/** Timer for the idle time. */
	setTimer?: SetTimer
}

/** Maximum number of bytes of an error response that are read. */
const ERROR_BYTES = 1 << 16

/**
 * Opens one event stream (`text/event-stream`) and yields its bytes until the server ends it. A redirect is not followed.
 *
 * The request is sent when the first bytes are requested, and ends when the consumer stops.
 *
 * @throws Failure NO_STREAM if the server answers with another content type, TIMED_OUT if no byte arrives for `idleMs`, STOPPED if
 *   `signal` is aborted, or with any other HttpCode
 */
export async function* openStream(dispatcher: Dispatcher, userAgent: string, call: StreamCall): AsyncGenerator<Uint8Array, void, void> {
	const { url, headers, idleMs = 45_000 } = call
	const idle = deadline(idleMs, call.signal, call.setTimer)
	try {
		const response = await request(url, {
			dispatcher,
			headers: { 'user-agent': userAgent, ...headers, accept: 'text/event-stream' },
			signal: idle.signal,
			headersTimeout: 0,
			bodyTimeout: 0,
		})
		await mustBeStream(call, response)
		for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
			idle.restart(idleMs)
			yield chunk
			idle.restart(idleMs) // the time that the consumer needed for the chunk does not count
		}
	} catch (error) {
		throw error instanceof Failure ? error : unreachable(call, error, idle.expired())
	} finally {
		idle.clear()
		idle.abort(new Error('the stream was closed'))
	}
}

async function mustBeStream(call: CallIdentity, { statusCode: status, headers, body }: Dispatcher.ResponseData): Promise<void> {
	const contentType = String(headers['content-type'] ?? '')
	if (status < 200 || status >= 300) throw refusal(call, { status, text: await textOf(firstOf(body)), retryAfter: headers['retry-after'] })
	if (status === 200 && /^text\/event-stream *(;|$)/i.test(contentType)) return
	const what = contentType === '' ? 'no content type' : contentType.slice(0, 100)
	throw failure(call, 'NO_STREAM', `answered ${status} with ${what} instead of an event stream`, { retry: false, status })
}

async function* firstOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
	let length = 0
	for await (const chunk of body) {
		yield chunk.subarray(0, ERROR_BYTES - length)
		length += chunk.length
		if (length >= ERROR_BYTES) return
	}
}
