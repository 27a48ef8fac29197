import { type Dispatcher, request } from 'undici'
import { deadline, sleep } from '../clock.ts'
import { Failure } from '../errors.ts'
import { type Agents, type Connections, createConnections } from './connections.ts'
import type { Credentials } from './credentials.ts'
import { brokenOff, failureOf, isKubeFailure, type KubeCode, retryAfterOf } from './failures.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What every call takes. */
export type CallOptions = {
	signal?: AbortSignal
	/** Milliseconds for one try; 0: none. Default: the transport's. */
	timeoutMs?: number
	/** Waits for no other call: it has a connection of its own. For what a process lives by, as its lease. */
	urgent?: boolean
}

export type Request = CallOptions & {
	method: Method
	/** Absolute on the server: `/api/v1/nodes/a`. */
	path: string
	query?: Readonly<Record<string, string | number | boolean | undefined>>
	/** Sent as JSON. */
	body?: unknown
	/** Default: application/json. */
	contentType?: string
	/** How it is counted. Default: the method in lower case. */
	verb?: string
	/** Asked right before each try; where it says no, the call ends with STOPPED. */
	mayBegin?: () => boolean
}

/** One finished try, for metrics: never the path's names. */
export type Call = { verb: string; method: Method; host: string; code: string; seconds: number }

export type TransportOptions = {
	userAgent?: string
	/** Milliseconds for one try of a request that has no own limit. Default: 30 000. */
	timeoutMs?: number
	/** How long to go on when the server says "later" (429, or 5xx with Retry-After), in milliseconds. Default: 10 000. */
	patienceMs?: number
	/** Kept-alive connections for requests; watches have their own. Default: 4. */
	connections?: number
	onCall?: (call: Call) => void
}

export type Transport = {
	/** Sends, waits, tries again where the server asks to, and gives back the parsed answer. */
	send(request: Request): Promise<unknown>
	/** Opens a stream; the caller reads it to its end or aborts `signal`. */
	open(request: Request & { signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>>
	requests(): Readonly<Record<string, number>>
	close(): Promise<void>
}

/** Requests and streams over shared connections, with credentials put on and refusals made failures. */
export function createTransport(credentials: Credentials, options: TransportOptions): Transport {
	const counts: Record<string, number> = {}
	const connections = createConnections(credentials, options.connections ?? 4)
	const host = new URL(credentials.server).host
	const finished = (call: Omit<Call, 'host'>) => {
		counts[call.verb] = (counts[call.verb] ?? 0) + 1
		options.onCall?.({ ...call, host })
	}
	const wire: Wire = { credentials, options, connections, finished }
	return {
		send: wanted => patiently(wire, wanted, () => exchange(wire, wanted.urgent ? 'urgent' : 'requests', wanted)),
		open: wanted => open(wire, wanted),
		requests: () => counts,
		close: connections.destroy,
	}
}

type Wire = { credentials: Credentials; options: TransportOptions; connections: Connections; finished: (call: Omit<Call, 'host'>) => void }

/** Tries again while the server asks to wait, and once where a kept-alive connection had died under a GET. */
async function patiently(wire: Wire, { signal, method }: Request, once: () => Promise<unknown>): Promise<unknown> {
	const until = Date.now() + (wire.options.patienceMs ?? 10_000)
	for (let tries = 1; ; tries++) {
		try {
			return await once()
		} catch (error) {
			const ms = waitBefore(error, method, tries)
			if (ms === undefined || Date.now() + ms > until || !(await sleep(ms, signal))) throw error
		}
	}
}

function waitBefore(error: unknown, method: Method, tries: number): number | undefined {
	if (isKubeFailure(error, 'TOO_MANY_REQUESTS', 'SERVER_ERROR')) {
		const asked = retryAfterOf(error)
		if (asked > 0) return asked
		return error.code === 'TOO_MANY_REQUESTS' ? Math.min(100 * 2 ** tries, 5_000) : undefined
	}
	return method === 'GET' && tries === 1 && isKubeFailure(error, 'UNREACHABLE') && error.facts.stale === true ? 0 : undefined
}

/** One try, with its answer read to the end. */
async function exchange(wire: Wire, over: keyof Agents, wanted: Request): Promise<unknown> {
	const limit = deadline(wanted.timeoutMs ?? wire.options.timeoutMs ?? 30_000, wanted.signal)
	try {
		const answer = await ask(wire, over, wanted, limit.signal)
		return parse(wanted, answer.headers['content-type'], await answer.body.text())
	} catch (error) {
		throw ended(wire, wanted, limit.expired(), error)
	} finally {
		limit.clear()
	}
}

/** The time limit holds until the answer begins; the stream itself may last. */
async function open(wire: Wire, wanted: Request & { signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>> {
	const limit = deadline(wanted.timeoutMs ?? wire.options.timeoutMs ?? 30_000, wanted.signal)
	try {
		const { body } = await ask(wire, 'streams', wanted, limit.signal)
		limit.restart(0)
		return body
	} catch (error) {
		limit.clear()
		throw ended(wire, wanted, limit.expired(), error)
	}
}

function ended({ credentials: { server } }: Wire, wanted: Request, expired: boolean, error: unknown): unknown {
	return brokenOff({ what: whatOf(wanted), server, stopped: wanted.signal?.aborted ?? false, expired }, error)
}

async function ask(wire: Wire, over: keyof Agents, wanted: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
	const first = await wire.connections.trusting(() => tryOnce(wire, wanted, { over, signal, refused: false }))
	if (first.statusCode < 300) return first
	if (first.statusCode !== 401) throw await refusal(wanted, first)
	await first.body.dump()
	const second = await tryOnce(wire, wanted, { over, signal, refused: true })
	if (second.statusCode < 300) return second
	throw await refusal(wanted, second)
}

type How = { over: keyof Agents; signal: AbortSignal; refused: boolean }

async function tryOnce(wire: Wire, wanted: Request, how: How): Promise<Dispatcher.ResponseData> {
	const started = performance.now()
	const finish = (code: string) => {
		const verb = wanted.verb ?? wanted.method.toLowerCase()
		wire.finished({ verb, method: wanted.method, code, seconds: (performance.now() - started) / 1_000 })
	}
	try {
		const identity = await wire.credentials.headers(how.refused)
		if (wanted.mayBegin && !wanted.mayBegin()) throw notAllowed(wanted)
		const answer = await request(urlOf(wire.credentials.server, wanted), {
			dispatcher: wire.connections.agents()[how.over],
			method: wanted.method,
			headers: { accept: 'application/json', 'user-agent': wire.options.userAgent ?? 'node', ...bodyType(wanted), ...identity },
			signal: how.signal,
			headersTimeout: 0,
			bodyTimeout: 0,
			...(wanted.body !== undefined && { body: JSON.stringify(wanted.body) }),
		})
		finish(String(answer.statusCode))
		return answer
	} catch (error) {
		if (!isKubeFailure(error, 'STOPPED')) finish('<error>')
		throw error
	}
}

function notAllowed(wanted: Request): Failure<KubeCode> {
	return new Failure('STOPPED', `${whatOf(wanted)} was not begun: this process may not write now`, { retry: true })
}

function bodyType({ body, contentType }: Request): Record<string, string> {
	return body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }
}

function urlOf(server: string, { path, query = {} }: Request): string {
	const search = new URLSearchParams()
	for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value))
	return search.size > 0 ? `${server}${path}?${search}` : server + path
}

async function refusal(wanted: Request, answer: Dispatcher.ResponseData): Promise<Failure<KubeCode>> {
	const header = answer.headers['retry-after']
	return failureOf(whatOf(wanted), answer.statusCode, await answer.body.text(), typeof header === 'string' ? header : undefined)
}

function parse(wanted: Request, contentType: string | string[] | undefined, text: string): unknown {
	if (!String(contentType).includes('json')) return text
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new Failure<KubeCode>('SERVER_ERROR', `${whatOf(wanted)}: the answer is not whole JSON`, { retry: true, cause })
	}
}

function whatOf({ method, path }: Request): string {
	return `${method} ${path}`
}
