import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { type SetTimer, systemTimer } from '../../runtime/clock.ts'
import { Failure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ViolaCode } from '../model/failures.ts'
import { createFeed, type FeedOptions } from './feed.ts'

export type StreamLimits = {
	/** Interval of the heartbeats, in milliseconds. */
	heartbeatMs: number
	/** Length of waiting changes above which a reader is disconnected, in characters. */
	lag: number
	/** Maximum number of open streams: in all, and of one client. */
	total: number
	perClient: number
	/** Time that readers have to take the rest when all streams are ended, in milliseconds. */
	graceMs: number
}

export const STREAM_LIMITS: StreamLimits = { heartbeatMs: 15_000, lag: 1 << 20, total: 256, perClient: 32, graceMs: 1_000 }

export type StreamRequest = Omit<FeedOptions, 'onChange'> & {
	/** The response that the body will be sent in. */
	response: ServerResponse
	/** Name of the client, whose streams are limited. */
	client: string
	/** Ends the stream, for example because the cluster is no longer a target. */
	signal: AbortSignal
	/** Called at each heartbeat: false ends the stream, because the client may no longer read. A rejection leaves it open. */
	mayContinue(): Promise<boolean>
}

/** The open streams of a process. */
export type Streams = {
	/** Opens a stream, which is freed when its response is closed. @returns the body @throws Failure TOO_MANY_STREAMS */
	open(request: StreamRequest): Readable
	count(): number
	/** Ends all streams, so that the server can close. */
	endAll(): void
}

const HEARTBEAT = ': \n\n'

/** Number of bytes that are created in advance. */
const AHEAD_BYTES = 1 << 16

export function createStreams(log: Log, limits: StreamLimits = STREAM_LIMITS, setTimer: SetTimer = systemTimer): Streams {
	const open = new Map<StreamRequest, OpenStream>()
	const mustHaveRoom = (client: string) => {
		const own = [...open.keys()].filter(other => other.client === client).length
		if (own < limits.perClient && open.size < limits.total) return
		const most = own < limits.perClient ? `${limits.total} event streams` : `${limits.perClient} event streams of one client`
		const facts = { retryAfterMs: 10_000 }
		throw new Failure<ViolaCode>('TOO_MANY_STREAMS', `at most ${most} can be open; close one, or try again later`, { retry: true, facts })
	}
	return {
		count: () => open.size,
		open(request) {
			mustHaveRoom(request.client)
			const stream = openStream(request, { limits, setTimer, log })
			open.set(request, stream)
			const free = () => {
				stream.release()
				open.delete(request)
			}
			if (request.response.destroyed) free()
			else request.response.once('close', free)
			return stream.body
		},
		endAll() {
			for (const { end } of open.values()) end()
			const closeRest = () => {
				for (const { response } of open.keys()) response.destroy()
			}
			if (open.size > 0) setTimer(closeRest, limits.graceMs)
		},
	}
}

type OpenStream = { body: Readable; end(): void; release(): void }

type Means = { limits: StreamLimits; setTimer: SetTimer; log: Log }

function openStream(request: StreamRequest, { limits, setTimer, log }: Means): OpenStream {
	const { client, signal, response, mayContinue } = request
	/** Whether the body takes more data now. */
	let isFree = false
	const read = () => {
		isFree = true
		send()
	}
	const send = () => {
		for (let text = isFree && feed.next(); text; text = isFree && feed.next()) isFree = body.push(text)
		if (feed.lag() <= limits.lag) return
		log.warn({ client, lag: feed.lag() }, 'reader of an event stream disconnected: it lags too far behind')
		release()
		response.destroy()
	}
	const beat = () => {
		if (isFree) isFree = body.push(HEARTBEAT)
		cancelBeat = setTimer(beat, limits.heartbeatMs)
		mayContinue().then(
			may => may || end(),
			error => log.warn({ err: error, client }, 'access to an open event stream could not be checked'),
		)
	}
	const release = () => {
		isFree = false
		feed.end()
		cancelBeat()
		signal.removeEventListener('abort', end)
	}
	const end = () => {
		release()
		body.push(null)
	}
	const body = new Readable({ highWaterMark: AHEAD_BYTES, read })
	const feed = createFeed({ ...request, onChange: send })
	let cancelBeat = setTimer(beat, limits.heartbeatMs)
	if (signal.aborted) end()
	else signal.addEventListener('abort', end)
	return { body, end, release }
}
