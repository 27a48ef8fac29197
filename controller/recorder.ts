import { sleep } from '../runtime/clock.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { isKubeFailure } from '../runtime/kube/failures.ts'
import { Event } from '../runtime/kube/kinds.ts'
import type { Log } from '../runtime/log.ts'

/** Events are for people: nothing waits for them, and one that cannot be written is logged. */
export type Recorder = {
	/** Written some time, one after the other; told only once, whoever tells the same again. */
	record(event: Event): void
	/** Resolves when all are written, or after that time (milliseconds); what is left then is logged. */
	drain(ms: number): Promise<void>
}

/** More than that many wait only where the API server is in trouble that Events would make worse. */
const waitingMax = 20_000

/** Writes beside the workers, so that an Event takes no time from the next run; as client-go's recorder does. */
export function createRecorder(client: KubeClient, log: Log): Recorder {
	const waiting: Event[] = []
	let writing: Promise<void> | undefined
	const write = async () => {
		for (let event = waiting.shift(); event; event = waiting.shift()) await create(client, event, log)
		writing = undefined
	}
	return {
		record: event => {
			if (waiting.length >= waitingMax)
				return log.warn({ event: event.metadata.name, reason: event.reason }, 'event left out: too many wait')
			waiting.push(event)
			writing ??= write()
		},
		drain: async ms => {
			const stop = new AbortController()
			await Promise.race([writing, sleep(ms, stop.signal)])
			stop.abort()
			if (waiting.length > 0) log.warn({ events: waiting.length }, 'events not written before the end')
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
