import { sleep } from '../runtime/clock.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { isKubeFailure } from '../runtime/kube/failures.ts'
import { Event } from '../runtime/kube/kinds.ts'
import type { Log } from '../runtime/log.ts'

/** Events are for people: nothing waits for them, and one that cannot be written is logged. */
export type Recorder = {
	/** Written some time, one after the other; told only once, whoever tells the same again. */
	record(event: Event): void
	/** Resolves when all are written, or after that time (milliseconds); what is left then is given up and logged. */
	drain(ms: number): Promise<void>
}

export type RecorderOptions = {
	client: KubeClient
	log: Log
	/** Whether work waits that the API server's time should rather go to. */
	isBusy: () => boolean
	/** Lets that time pass (milliseconds), or less once the signal comes. */
	rest?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** More than that many wait only where the API server is in trouble that Events would make worse. */
const waitingMax = 20_000

/** While work waits, one Event in that time (milliseconds): none is put off for ever. */
const busyMs = 1_000

/** Writes beside the workers, as client-go's recorder does, and gives way to them: the Events of a thousand changes come after the changes. */
export function createRecorder({ client, log, isBusy, rest = sleep }: RecorderOptions): Recorder {
	const waiting: Event[] = []
	const hurry = new AbortController()
	let writing: Promise<void> | undefined
	const write = async () => {
		while (waiting.length > 0) {
			if (isBusy()) await rest(busyMs, hurry.signal)
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
			hurry.abort()
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
