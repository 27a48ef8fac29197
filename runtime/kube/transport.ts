import { waitAfter } from '../backoff.ts'
import { sleep } from '../clock.ts'
import { createConnections } from './connections.ts'
import type { Credentials } from './kubeconfig/credentials.ts'
import { exchange, open, type Wire } from './exchange.ts'
import { isKubeFailure, retryAfterOf } from './failures.ts'
import type { Call, Method, Request, Stream } from './request.ts'
import { createRequestLimiter, type RequestLimiter } from './request-limiter.ts'

export type TransportOptions = {
	userAgent?: string
	/** Time limit of one attempt in milliseconds, unless the request has its own limit. Default: 30 000. */
	timeoutMs?: number
	/** How long to retry while the server requests a wait (429, or 5xx with Retry-After), in milliseconds. Default: 10 000. */
	retryForMs?: number
	/**
	 * Number of kept-alive connections for requests, and therefore of requests in flight; watches and urgent calls have separate connections.
	 * At most 16. In measurements, 4 were enough, 16 only added latency, and with some hundreds the API server rejected calls. Default: 4.
	 */
	connections?: number
	onCall?: (call: Call) => void
}

export type Transport = {
	/** Sends the request, waits and retries if the server requests it, and returns the parsed response. */
	send(request: Request): Promise<unknown>
	/** Opens a stream; the caller reads it to its end or aborts `signal`. */
	open(request: Request & { signal: AbortSignal }): Promise<Stream>
	requests(): Readonly<Record<string, number>>
	close(): Promise<void>
}

/** Creates a transport: requests and streams on shared connections. It adds credentials and converts error responses to failures. */
export function createTransport(credentials: Credentials, options: TransportOptions): Transport {
	const counts: Record<string, number> = {}
	const atOnce = Math.min(options.connections ?? 4, 16)
	const connections = createConnections(credentials, atOnce)
	const limiter = createRequestLimiter({ atOnce })
	const host = new URL(credentials.server).host
	const finished = (call: Omit<Call, 'host'>) => {
		counts[call.verb] = (counts[call.verb] ?? 0) + 1
		options.onCall?.({ ...call, host })
	}
	const wire: Wire = { credentials, options, connections, finished }
	return {
		send: wanted => sendWithRetry(wire, limiter, wanted),
		open: wanted => openInTurn(wire, limiter, wanted),
		requests: () => counts,
		close: connections.destroy,
	}
}

/** Retries while the server requests a wait, and once if a kept-alive connection was closed during a GET. */
async function sendWithRetry(wire: RetryingWire, limiter: RequestLimiter, wanted: Request): Promise<unknown> {
	const { signal, method } = wanted
	const until = limiter.now() + (wire.options.retryForMs ?? 10_000)
	for (let tries = 1; ; tries++) {
		try {
			return await sendInTurn(wire, limiter, wanted, { until, isRetry: tries > 1 })
		} catch (error) {
			honorRetryAfter(error, limiter)
			const ms = waitBefore(error, method, tries)
			if (ms === undefined || limiter.now() + ms > until || !(await sleep(ms, signal))) throw error
		}
	}
}

type RetryingWire = Wire & { options: TransportOptions }

type Turn = { until: number; isRetry: boolean }

async function sendInTurn(wire: Wire, limiter: RequestLimiter, wanted: Request, { until, isRetry }: Turn): Promise<unknown> {
	if (wanted.urgent) return exchange(wire, wanted, { waited: 0, isRetry })
	const since = limiter.now()
	const leave = await limiter.acquire({ until, signal: wanted.signal })
	try {
		return await exchange(wire, wanted, { waited: (limiter.now() - since) / 1_000, isRetry })
	} finally {
		leave()
	}
}

/** Streams are long-lived, so they do not take a limiter slot; but no stream is opened during a pause that the server has requested. */
async function openInTurn(wire: Wire, limiter: RequestLimiter, wanted: Request & { signal: AbortSignal }): Promise<Stream> {
	const since = limiter.now()
	while (limiter.pausedMs() > 0 && (await sleep(limiter.pausedMs(), wanted.signal)));
	try {
		return await open(wire, wanted, { waited: (limiter.now() - since) / 1_000, isRetry: false })
	} catch (error) {
		honorRetryAfter(error, limiter)
		throw error
	}
}

function honorRetryAfter(error: unknown, limiter: RequestLimiter): void {
	if (isKubeFailure(error, 'TOO_MANY_REQUESTS') && retryAfterOf(error) > 0) limiter.pause(retryAfterOf(error))
}

/** Waits after 429 without a Retry-After. */
const busy = { firstMs: 200, maxMs: 5_000 }

function waitBefore(error: unknown, method: Method, tries: number): number | undefined {
	if (isKubeFailure(error, 'TOO_MANY_REQUESTS', 'SERVER_ERROR')) {
		const asked = retryAfterOf(error)
		if (asked > 0) return asked
		return error.code === 'TOO_MANY_REQUESTS' ? waitAfter(tries, busy) : undefined
	}
	return method === 'GET' && tries === 1 && isKubeFailure(error, 'UNREACHABLE') && error.facts.stale === true ? 0 : undefined
}
