import type { ServerResponse } from 'node:http'
import type { ApiRequest } from './request.ts'

/** How one request is mistreated. */
export type Fault =
	/** Answered without being looked at. `body` is sent as it is, an object as JSON. */
	| { fault: 'answer'; status: number; body?: unknown; retryAfterSeconds?: number }
	/** The connection breaks off: before anything is done, or with the work done and the answer lost. */
	| { fault: 'reset'; when: 'before' | 'after' }
	/** Nothing happens until `until` resolves; then the other fault does, or all is as usual. */
	| { fault: 'delay'; until: Promise<unknown>; then?: Fault }
	/** The answer, or each line of a watch, is so long on its way (milliseconds). */
	| { fault: 'late'; ms: number }
	/** A watch that says no more after so many lines, and stays open. */
	| { fault: 'silence'; afterLines: number }
	/** A watch that breaks off in the middle of the line after so many. */
	| { fault: 'cut'; afterLines: number }

/** Asked before each request is done, with its body read. It may itself write to the server. */
export type OnRequest = (request: ApiRequest) => Fault | undefined

/** Breaks the connection so that the client sees a reset and not an end. */
export function resetConnection(response: ServerResponse): void {
	response.socket?.resetAndDestroy()
}

/** Says what a server in distress would. */
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

/** Does it when the fault lets it: at once, or late. */
export function inTime(fault: Fault | undefined, act: () => void): void {
	if (fault?.fault === 'late') setTimeout(act, fault.ms).unref()
	else act()
}

/** Writes lines of a watch, as long as its fault lets it. */
export function lineWriter(response: ServerResponse, fault: Fault | undefined): (line: string) => void {
	if (fault?.fault === 'late') return line => inTime(fault, () => response.writable && response.write(line))
	const left = fault?.fault === 'silence' || fault?.fault === 'cut' ? fault.afterLines : Number.POSITIVE_INFINITY
	let lines = 0
	return line => {
		if (lines++ < left) response.write(line)
		else if (fault?.fault === 'cut' && lines === left + 1) response.write(line.slice(0, line.length / 2), () => resetConnection(response))
	}
}
