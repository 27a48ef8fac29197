import { sleep } from '../../runtime/clock.ts'
import { Event, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'

/** Records Events. Events are only for people, so no other work waits for them, and a failed write is logged. */
export type Recorder = {
	/** Queues the Event. Events are written one at a time. Recording the same Event again has no effect, even by another controller. */
	record(event: Event): void
	/** Resolves when all Events are written, or after `ms`; the remaining Events are then dropped, and their number is logged. */
	drain(ms: number): Promise<void>
}

export type RecorderOptions = {
	client: KubeClient
	log: Log
	/** Whether work is queued that must use the API server before Events do. */
	isBusy: () => boolean
	/** Waits for `ms`, or until the signal is aborted. */
	rest?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** Maximum length of the queue. It becomes longer only if the API server has problems, which more Events would make worse. */
const waitingMax = 20_000

/** Interval between Events while other work is queued (milliseconds), so that no Event is delayed forever. */
const busyMs = 1_000

/**
 * Writes Events concurrently with the workers, like client-go's recorder, and yields to them: the Events of a thousand changes are written
 * after all these changes.
 */
export function createRecorder({ client, log, isBusy, rest = sleep }: RecorderOptions): Recorder {
	const waiting: Event[] = []
	const draining = new AbortController()
	let writing: Promise<void> | undefined
	const write = async () => {
		while (waiting.length > 0) {
			if (isBusy()) await rest(busyMs, draining.signal)
			const event = waiting.shift()
			if (event) await create(client, event, log)
		}
		writing = undefined
	}
	return {
		record: event => {
			if (waiting.length >= waitingMax)
				return log.warn({ event: event.metadata.name, reason: event.reason }, 'event dropped, the queue is full')
			waiting.push(event)
			writing ??= write()
		},
		drain: async ms => {
			draining.abort()
			const stop = new AbortController()
			await Promise.race([writing, rest(ms, stop.signal)])
			stop.abort()
			const left = waiting.splice(0).length
			if (left > 0) log.warn({ events: left }, 'events dropped at shutdown')
		},
	}
}

async function create(client: KubeClient, event: Event, log: Log): Promise<void> {
	try {
		await client.create(Event, event)
	} catch (error) {
		if (!isKubeFailure(error, 'ALREADY_EXISTS'))
			log.warn({ err: error, event: event.metadata.name, reason: event.reason }, 'event not written')
	}
}
