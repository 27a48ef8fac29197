import { sleep } from '../../runtime/clock.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Backlog } from './backlog.ts'
import { partsOf } from './batch.ts'
import type { Change } from './inventory.ts'
import { setsAside } from './set-aside.ts'

export type SyncOptions = {
	backlog: Backlog
	record: (changes: readonly Change[]) => Promise<void>
	mayWrite: () => boolean
	/** The time between two attempts while the database is lost, in milliseconds. */
	retryMs: number
	log: Log
	now: () => number
}

/** Stores the backlog, one transaction after the other, and tries again while the database is lost. */
export type Sync = {
	/** To be called when there is something to store, or when it may succeed now. */
	wake(): void
	drained(signal?: AbortSignal): Promise<boolean>
	stop(): Promise<void>
}

export function createSync(options: SyncOptions): Sync {
	const { backlog, mayWrite, retryMs, log } = options
	const store = storing(options)
	const stop = new AbortController()
	let running: Promise<boolean> | undefined
	const wake = () => {
		if (running || stop.signal.aborted || backlog.isEmpty() || !mayWrite()) return
		running = flush()
			.catch(error => {
				log.error({ err: error }, 'the inventory cannot be written because of a bug')
				return false
			})
			.finally(() => {
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

/** Returns a function that stores changes, and returns whether they are stored or set aside. */
function storing({ record, backlog, log, now }: SyncOptions): (part: readonly Change[]) => Promise<boolean> {
	const setAside = setsAside(log, now)
	const store = async (part: readonly Change[]): Promise<boolean> => {
		try {
			await record(part)
			return true
		} catch (error) {
			if (!isFailure(error)) return storeApart(part, error)
			if (error.code === 'Superseded') {
				log.warn({ err: error }, 'stopped writing the inventory')
				backlog.clear()
			}
			return false
		}
	}
	/** One change that cannot be stored must not hold back the others, so it is found by halving, and set aside. */
	const storeApart = async (part: readonly Change[], error: unknown): Promise<boolean> => {
		const [only] = part
		if (part.length > 1) return (await store(part.slice(0, part.length >> 1))) && store(part.slice(part.length >> 1))
		if (only) setAside(only, error)
		return true
	}
	return store
}
