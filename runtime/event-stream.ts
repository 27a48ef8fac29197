import { createParser } from 'eventsource-parser'
import { Failure } from './errors.ts'
import type { HttpCode } from './http-failures.ts'

/** An event of an event stream. */
export type StreamEvent = {
	/** To be sent as `Last-Event-ID` to continue after this event. Undefined if the last id still applies. */
	id: string | undefined
	/** `message` if the server sends no name. */
	event: string
	data: string
}

/** Maximum length of an event in characters. Default of `readEvents`. */
const EVENT_LENGTH = 4 << 20

/**
 * Parses an event stream, and yields its events in order until it ends. Comments, such as heartbeats, are skipped.
 *
 * @param bytes for example from `HttpClient.stream`, whose failures are thrown unchanged
 * @param maxLength maximum length of one event in characters
 * @throws Failure BAD_ANSWER if an event is longer
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>, maxLength = EVENT_LENGTH): AsyncGenerator<StreamEvent, void, void> {
	const events: StreamEvent[] = []
	let isTooLong = false
	const parser = createParser({
		maxBufferSize: maxLength,
		onEvent: ({ id, event = 'message', data }) => void events.push({ id, event, data }),
		onError: ({ type }) => {
			if (type === 'max-buffer-size-exceeded') isTooLong = true // all other errors are lines to ignore
		},
	})
	const decoder = new TextDecoder()
	for await (const chunk of bytes) {
		parser.feed(decoder.decode(chunk, { stream: true }))
		yield* events.splice(0)
		if (isTooLong)
			throw new Failure<HttpCode>('BAD_ANSWER', `the event stream has an event of more than ${maxLength} characters`, { retry: true })
	}
}
