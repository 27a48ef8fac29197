import { Readable } from 'node:stream'
import { type SetTimer, systemTimer } from '../../runtime/clock.ts'
import { Failure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { createFeed, type FeedOptions } from './feed.ts'

export type StreamLimits = {
	/** Interval of the heartbeats, in milliseconds. */
	heartbeatMs: number
	/** Number of heartbeats after which a reader that takes no byte is disconnected. */
	stalledBeats: number
	/** Length of waiting changes above which a reader is disconnected, in characters. */
	lag: number
	/** Maximum number of open streams: in all, and of one client. */
	total: number
	perClient: number
}

export const STREAM_LIMITS: StreamLimits = { heartbeatMs: 15_000, stalledBeats: 4, lag: 1 << 20, total: 256, perClient: 32 }

/** `client`: the name of the client, which limits its streams. `signal`: ends the stream, because the cluster is no longer a target. */
export type StreamRequest = Omit<FeedOptions, 'onChange'> & { client: string; signal: AbortSignal }

/** The open streams of a process. */
export type Streams = {
	/** Opens a stream. Destroying it frees everything. @throws Failure TOO_MANY_STREAMS */
	open(request: StreamRequest): Readable
	count(): number
	/** Ends all streams in order, so that the server can close. */
	endAll(): void
}

const HEARTBEAT = ': \n\n'

/** Number of bytes that are created in advance. */
const AHEAD_BYTES = 1 << 16

export function createStreams(log: Log, limits: StreamLimits = STREAM_LIMITS, setTimer: SetTimer = systemTimer): Streams {
	const open = new Map<OpenStream, string>()
	const mustHaveRoom = (client: string) => {
		const own = [...open.values()].filter(other => other === client).length
		if (own < limits.perClient && open.size < limits.total) return
		const most = own < limits.perClient ? `${limits.total} event streams` : `${limits.perClient} event streams of one client`
		const facts = { retryAfterMs: 10_000 }
		throw new Failure('TOO_MANY_STREAMS', `at most ${most} can be open; close one, or try again later`, { retry: true, facts })
	}
	return {
		count: () => open.size,
		open(request) {
			mustHaveRoom(request.client)
			const onDrop = (why: string) => log.warn({ client: request.client, why }, 'reader of an event stream disconnected')
			const stream = openStream(request, { limits, setTimer, onDrop })
			open.set(stream, request.client)
			stream.body.once('close', () => open.delete(stream))
			return stream.body
		},
		endAll: () => {
			for (const { end } of open.keys()) end()
		},
	}
}

type OpenStream = { body: Readable; end: () => void }

type Means = { limits: StreamLimits; setTimer: SetTimer; onDrop: (why: string) => void }

function openStream(request: StreamRequest, { limits, setTimer, onDrop }: Means): OpenStream {
	/** Whether the body takes more data now. */
	let isFree = false
	let beatsBlocked = 0
	const drop = (why: string) => {
		onDrop(why)
		body.destroy(new Error(why))
	}
	const send = () => {
		for (let text = isFree && feed.next(); text; text = isFree && feed.next()) isFree = body.push(text)
		if (feed.lag() > limits.lag) drop(`it lags by more than ${limits.lag} characters`)
	}
	const feed = createFeed({ ...request, onChange: send })
	const beat = () => {
		beatsBlocked = isFree ? 0 : beatsBlocked + 1
		if (isFree) isFree = body.push(HEARTBEAT)
		cancelBeat = setTimer(beat, limits.heartbeatMs)
		if (beatsBlocked >= limits.stalledBeats) drop('it takes no more data')
	}
	let cancelBeat = setTimer(beat, limits.heartbeatMs)
	const release = () => {
		isFree = false
		feed.end()
		cancelBeat()
		request.signal.removeEventListener('abort', end)
	}
	const end = () => {
		release()
		body.push(null)
	}
	const body = new Readable({
		highWaterMark: AHEAD_BYTES,
		read() {
			isFree = true
			beatsBlocked = 0
			send()
		},
		destroy(error, done) {
			release()
			done(error)
		},
	})
	if (request.signal.aborted) end()
	else request.signal.addEventListener('abort', end)
	return { body, end }
}
