import { sleep } from '../../runtime/clock.ts'
import { Event, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'

/** Events are for people: no other work waits for them, and one that cannot be written is logged. */
export type Recorder = {
	/** Queues the Event. Events are written one after the other; recording the same one again, by any controller, has no effect. */
	record(event: Event): void
	/** Resolves when all are written, or after that time (milliseconds); Events that are left then are dropped and logged. */
	drain(ms: number): Promise<void>
}

export type RecorderOptions = {
	client: KubeClient
	log: Log
	/** Whether work is queued that should use the API server first. */
	isBusy: () => boolean
	/** Waits for that time (milliseconds), or less if the signal is aborted. */
	rest?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** The queue only grows longer while the API server has problems, which more Events would make worse. */
const waitingMax = 20_000

/** While work is queued, one Event is written per this time (milliseconds), so none is delayed forever. */
const busyMs = 1_000

/**
 * Writes Events concurrently with the workers, like client-go's recorder, and yields to them: the Events of a thousand changes are written
 * after the changes.
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
