import type { ServerResponse } from 'node:http'
import type { ApiRequest } from './request.ts'

/** How one request fails. */
export type Fault =
	/** The request is answered without being processed. A string as `body` is sent unchanged, an object as JSON. */
	| { fault: 'answer'; status: number; body?: unknown; retryAfterSeconds?: number }
	/** The connection is reset: before the request is processed, or after it, so that the response is lost. */
	| { fault: 'reset'; when: 'before' | 'after' }
	/** Nothing happens until `until` resolves; then the other fault occurs, or the request continues normally. */
	| { fault: 'delay'; until: Promise<unknown>; then?: Fault }
	/** The response, or each line of a watch, is delayed by this time (milliseconds). */
	| { fault: 'late'; ms: number }
	/** A watch sends nothing after this number of lines, but stays open. */
	| { fault: 'silence'; afterLines: number }
	/** The connection of a watch is reset in the middle of the line after this number of lines. */
	| { fault: 'cut'; afterLines: number }

/** Called before each request is processed, with its body already read. The hook may itself write to the server. */
export type OnRequest = (request: ApiRequest) => Fault | undefined

/** Resets the connection, so that the client sees a reset instead of a normal end. */
export function resetConnection(response: ServerResponse): void {
	response.socket?.resetAndDestroy()
}

/** Sends the response of the fault. */
export function answerInstead(
	response: ServerResponse,
	{ status, body = '', retryAfterSeconds }: Extract<Fault, { fault: 'answer' }>,
): void {
	const text = typeof body === 'string' ? body : JSON.stringify(body)
	response.writeHead(status, {
		'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
		'content-length': Buffer.byteLength(text),
		...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
	})
	response.end(text)
}

/** Calls `act` immediately, or later if the fault is a delay. */
export function inTime(fault: Fault | undefined, act: () => void): void {
	if (fault?.fault === 'late') setTimeout(act, fault.ms).unref()
	else act()
}

/** Returns a function that writes lines of a watch, as far as its fault allows. */
export function lineWriter(response: ServerResponse, fault: Fault | undefined): (line: string) => void {
	if (fault?.fault === 'late') return line => inTime(fault, () => response.writable && response.write(line))
	const left = fault?.fault === 'silence' || fault?.fault === 'cut' ? fault.afterLines : Number.POSITIVE_INFINITY
	let lines = 0
	return line => {
		if (lines++ < left) response.write(line)
		else if (fault?.fault === 'cut' && lines === left + 1) response.write(line.slice(0, line.length / 2), () => resetConnection(response))
	}
}
