import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerTo, servedCollection } from './answer.ts'
import { answerInstead, type Fault, inTime, lineWriter, type OnRequest, resetConnection } from './faults.ts'
import { type Allows, mustBeAllowed, userOf } from './identity.ts'
import { Refusal } from './refusal.ts'
import { type ApiRequest, readRequest } from './request.ts'
import type { Store } from './store.ts'
import { type Sink, startWatch, type WatchSettings } from './watch.ts'
import type { Writer } from './write.ts'

/** One logged request. `status` is 0 until the request is answered, and stays 0 if it never is. */
export type Logged = Pick<ApiRequest, 'number' | 'verb' | 'path' | 'plural' | 'namespace' | 'name' | 'subresource' | 'userAgent'> & {
	/** The user of the token; the empty string if the token is invalid. */
	user: string
	/** The query as sent, without the question mark. */
	query: string
	status: number
}

/** An open watch. */
export type OpenWatch = {
	request: ApiRequest
	/** Stops sending, but keeps the watch open. */
	silence(): void
	/** Ends the watch normally, as the server does. */
	end(): void
	/** Resets the connection. */
	reset(): void
}

export type World = {
	store: Store
	writer: Writer
	settings: WatchSettings
	allows: Allows
	hook: OnRequest | undefined
	/** Number of requests so far. */
	count: number
	requests: Logged[]
	watches: Set<OpenWatch>
}

/** Handles one request from its first byte to its last: reads and logs it, injects the fault, authorizes and executes it, and responds. */
export async function serve(world: World, message: IncomingMessage, response: ServerResponse): Promise<void> {
	try {
		const request = await readRequest(message, ++world.count)
		const logged = log(world, request)
		response.on('finish', () => {
			logged.status = response.statusCode
		})
		const fault = await patiently(world.hook?.(request))
		if (fault?.fault === 'answer') answerInstead(response, fault)
		else if (fault?.fault === 'reset' && fault.when === 'before') resetConnection(response)
		else admitAndDo(world, request, response, fault)
	} catch (error) {
		refuse(response, error)
	}
}

async function patiently(fault: Fault | undefined): Promise<Fault | undefined> {
	if (fault?.fault !== 'delay') return fault
	await fault.until
	return patiently(fault.then)
}

function log({ requests }: World, request: ApiRequest): Logged {
	const { number, verb, path, plural, namespace, name, subresource, userAgent, query } = request
	const logged = {
		number,
		verb,
		path,
		plural,
		namespace,
		name,
		subresource,
		userAgent,
		user: userOf(request) ?? '',
		query: String(query),
		status: 0,
	}
	requests.push(logged)
	return logged
}

function admitAndDo(world: World, request: ApiRequest, response: ServerResponse, fault: Fault | undefined): void {
	const { store, writer, allows } = world
	mustBeAllowed(store, allows, request)
	if (request.verb === 'watch') {
		watch(world, request, response, fault)
		return
	}
	const { status, text } = answerTo(store, writer, request)
	if (fault?.fault === 'reset') resetConnection(response)
	else inTime(fault, () => send(response, status, text))
}

function watch({ store, settings, watches }: World, request: ApiRequest, response: ServerResponse, fault: Fault | undefined): void {
	if (response.destroyed) return // the client disconnected during the delay
	const write = lineWriter(response, fault)
	let isSilent = false
	const sink: Sink = {
		write: line => {
			if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' })
			if (!isSilent && !response.writableEnded) write(line)
		},
		end: () => {
			if (!isSilent) response.end()
		},
	}
	const stop = startWatch({ store, at: servedCollection(store, request), request, settings, sink })
	if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' })
	response.flushHeaders()
	const open: OpenWatch = {
		request,
		silence: () => {
			isSilent = true
		},
		end: () => response.end(),
		reset: () => resetConnection(response),
	}
	watches.add(open)
	response.on('close', () => {
		watches.delete(open)
		stop()
	})
	if (fault?.fault === 'reset') resetConnection(response)
}

function refuse(response: ServerResponse, error: unknown): void {
	if (response.destroyed || response.headersSent) return
	const { code, status } = error instanceof Refusal ? error : bug(error)
	send(response, code, JSON.stringify(status))
}

/** Wraps a bug of the fake server or of a hook, so that the test shows it. */
function bug(error: unknown): Refusal {
	const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
	return new Refusal({ code: 500, reason: 'InternalError', message })
}

function send(response: ServerResponse, status: number, text: string): void {
	response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
	response.end(text)
}
