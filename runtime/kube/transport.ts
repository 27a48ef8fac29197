import { waitAfter } from '../backoff.ts'
import { sleep } from '../clock.ts'
import { createConnections } from './connections.ts'
import type { Credentials } from './credentials.ts'
import { exchange, open, type Wire } from './exchange.ts'
import { isKubeFailure, retryAfterOf } from './failures.ts'
import { createFlow, type Flow } from './flow.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Options of every call. */
export type CallOptions = {
	signal?: AbortSignal
	/** Time limit of one try in milliseconds; 0: none. Default: the transport's. */
	timeoutMs?: number
	/** Waits for no other call: it has a separate connection. For calls the process depends on, such as those for its lease. */
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
	/** Accept header: the media types of the response, preferred first. Default: application/json. */
	accept?: string | undefined
	/** Name in the request counts. Default: the method in lower case. */
	verb?: string
	/** Called immediately before each try; if it returns false, the call fails with STOPPED. */
	mayBegin?: () => boolean
}

/** One finished try, for metrics. Contains no names from the path. */
export type Call = {
	verb: string
	method: Method
	host: string
	code: string
	/** Time until the response began. */
	seconds: number
	/** How long the try waited before it could begin, in seconds. */
	waited: number
	/** Whether it repeats the same request. */
	isRetry: boolean
}

export type TransportOptions = {
	userAgent?: string
	/** Time limit of one try of a request without its own limit, in milliseconds. Default: 30 000. */
	timeoutMs?: number
	/** How long to retry while the server requests a wait (429, or 5xx with Retry-After), in milliseconds. Default: 10 000. */
	patienceMs?: number
	/**
	 * Number of kept-alive connections for requests, and so of requests in flight; watches and urgent calls have separate ones. At most 16:
	 * measured, 4 are enough, 16 only add latency, and at some hundreds the API server refuses. Default: 4.
	 */
	connections?: number
	onCall?: (call: Call) => void
}

/** A response that is read as a stream. */
export type Stream = { contentType: string; bytes: AsyncIterable<Uint8Array> }

export type Transport = {
	/** Sends the request, waits and retries if the server requests it, and returns the parsed response. */
	send(request: Request): Promise<unknown>
	/** Opens a stream; the caller reads it to its end or aborts `signal`. */
	open(request: Request & { signal: AbortSignal }): Promise<Stream>
	requests(): Readonly<Record<string, number>>
	close(): Promise<void>
}

/** Creates a transport: requests and streams on shared connections. It adds credentials and turns refusals into failures. */
export function createTransport(credentials: Credentials, options: TransportOptions): Transport {
	const counts: Record<string, number> = {}
	const atOnce = Math.min(options.connections ?? 4, 16)
	const connections = createConnections(credentials, atOnce)
	const flow = createFlow({ atOnce })
	const host = new URL(credentials.server).host
	const finished = (call: Omit<Call, 'host'>) => {
		counts[call.verb] = (counts[call.verb] ?? 0) + 1
		options.onCall?.({ ...call, host })
	}
	const wire: Wire = { credentials, options, connections, finished }
	return {
		send: wanted => patiently(wire, flow, wanted),
		open: wanted => openInTurn(wire, flow, wanted),
		requests: () => counts,
		close: connections.destroy,
	}
}

/** Retries while the server requests a wait, and once if a kept-alive connection was closed during a GET. */
async function patiently(wire: Patient, flow: Flow, wanted: Request): Promise<unknown> {
	const { signal, method } = wanted
	const until = flow.now() + (wire.options.patienceMs ?? 10_000)
	for (let tries = 1; ; tries++) {
		try {
			return await inTurn(wire, flow, wanted, { until, isRetry: tries > 1 })
		} catch (error) {
			yieldTo(error, flow)
			const ms = waitBefore(error, method, tries)
			if (ms === undefined || flow.now() + ms > until || !(await sleep(ms, signal))) throw error
		}
	}
}

type Patient = Wire & { options: TransportOptions }

type Turn = { until: number; isRetry: boolean }

async function inTurn(wire: Wire, flow: Flow, wanted: Request, { until, isRetry }: Turn): Promise<unknown> {
	if (wanted.urgent) return exchange(wire, wanted, { waited: 0, isRetry })
	const since = flow.now()
	const leave = await flow.enter({ until, signal: wanted.signal })
	try {
		return await exchange(wire, wanted, { waited: (flow.now() - since) / 1_000, isRetry })
	} finally {
		leave()
	}
}

/** A stream may last, so it takes no slot of the flow; but none is opened while the server has requested a pause. */
async function openInTurn(wire: Wire, flow: Flow, wanted: Request & { signal: AbortSignal }): Promise<Stream> {
	const since = flow.now()
	while (flow.pausedMs() > 0 && (await sleep(flow.pausedMs(), wanted.signal)));
	try {
		return await open(wire, wanted, { waited: (flow.now() - since) / 1_000, isRetry: false })
	} catch (error) {
		yieldTo(error, flow)
		throw error
	}
}

function yieldTo(error: unknown, flow: Flow): void {
	if (isKubeFailure(error, 'TOO_MANY_REQUESTS') && retryAfterOf(error) > 0) flow.pause(retryAfterOf(error))
}

/** Waits while the server is too busy and does not say for how long. */
const busy = { firstMs: 200, maxMs: 5_000 }

function waitBefore(error: unknown, method: Method, tries: number): number | undefined {
	if (isKubeFailure(error, 'TOO_MANY_REQUESTS', 'SERVER_ERROR')) {
		const asked = retryAfterOf(error)
		if (asked > 0) return asked
		return error.code === 'TOO_MANY_REQUESTS' ? waitAfter(tries, busy) : undefined
	}
	return method === 'GET' && tries === 1 && isKubeFailure(error, 'UNREACHABLE') && error.facts.stale === true ? 0 : undefined
}
