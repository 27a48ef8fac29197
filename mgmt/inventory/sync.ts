import { sleep } from '../../runtime/clock.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Backlog } from './backlog.ts'
import { partsOf } from './batch.ts'
import type { Change } from './inventory.ts'

export type SyncOptions = {
	backlog: Backlog
	record: (changes: readonly Change[]) => Promise<void>
	mayWrite: () => boolean
	/** The time between two attempts while the database is lost, in milliseconds. */
	retryMs: number
	log: Log
}

/** Stores the backlog, one transaction after the other, and tries again while the database is lost. */
export type Sync = {
	/** To be called when there is something to store, or when it may succeed now. */
	wake(): void
	drained(signal?: AbortSignal): Promise<boolean>
	stop(): Promise<void>
}

export function createSync({ backlog, record, mayWrite, retryMs, log }: SyncOptions): Sync {
	const stop = new AbortController()
	let running: Promise<boolean> | undefined
	const wake = () => {
		if (running || stop.signal.aborted || backlog.isEmpty() || !mayWrite()) return
		running = flush().finally(() => {
			running = undefined
		})
		void running.then(isDone => (isDone ? undefined : retryLater()))
	}
	const retryLater = async () => {
		if (await sleep(retryMs, stop.signal)) wake()
	}
	/** @returns whether everything is stored */
	const flush = async (): Promise<boolean> => {
		while (!backlog.isEmpty())
			for (const part of partsOf(backlog.all())) {
				if (stop.signal.aborted || !(await store(part))) return backlog.isEmpty()
				backlog.done(part)
			}
		return true
	}
	const store = async (part: readonly Change[]): Promise<boolean> => {
		try {
			await record(part)
			return true
		} catch (error) {
			if (!isFailure(error)) throw error
			if (error.code === 'Superseded') {
				log.warn({ err: error }, 'stopped writing the inventory')
				backlog.clear()
			}
			return false
		}
	}
	return {
		wake,
		async drained(signal) {
			wake()
			const aborted = Promise.withResolvers<boolean>()
			signal?.addEventListener('abort', () => aborted.resolve(false), { once: true })
			return Promise.race([running ?? Promise.resolve(backlog.isEmpty()), aborted.promise])
		},
		async stop() {
			stop.abort()
			await running?.catch(() => {})
		},
	}
}
