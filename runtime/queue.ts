import { type DelayQueue, createDelayQueue } from './delay-queue.ts'
import { type Waits, waitAfter } from './backoff.ts'
import { type SetTimer, systemTimer } from './clock.ts'

/** For work that no user waits for: objects of the initial list, unchanged objects that a resync reports, and delayed reconciles. */
export const LOW_PRIORITY = -100

export type QueueOptions = {
	/** First and maximum back-off of a failing key, in milliseconds. Default: 5 and 1 000 000. */
	backoff?: Waits
	/** Milliseconds from an arbitrary start. */
	now?: () => number
	setTimer?: SetTimer
	metrics?: QueueMetrics
}

/** Observes the queue, for metrics. All times are in seconds. */
export type QueueMetrics = {
	/** Called when the number of due keys with this priority changes. */
	depth(priority: number, keys: number): void
	/** A key became due. */
	added(): void
	/** A key left the queue after waiting. */
	got(waitedSeconds: number): void
	done(workedSeconds: number): void
	retried(): void
}

export type Addition = {
	/** Keys with a higher priority are handed out first, keys with the same priority in the order they became due. Default: 0. */
	priority?: number
	/** Delay in milliseconds. Default: 0. */
	afterMs?: number
}

/** A key that is being processed: when it was handed out (by the clock `now`), and its priority at that time. */
export type Work = { readonly since: number; readonly priority: number }

/**
 * A queue of keys to process. Each key is queued at most once and processed at most once at a time.
 *
 * A key that is added while it is being processed is handed out again after `done`, but only once, even if it was added several times.
 */
export type Queue = {
	/**
	 * Adds a key. A queued key keeps the earliest time and the highest priority of its additions. The priority of a delayed addition applies
	 * only after the delay: if a backlog adds the key in the meantime, the key becomes due earlier, but with the priority of the backlog.
	 */
	add(key: string, addition?: Addition): void
	/**
	 * Adds the key after its back-off, with the priority it was handed out with. The back-off doubles with every call until `forget`. Returns
	 * the wait in milliseconds.
	 */
	addRateLimited(key: string): number
	/** Resets the back-off of the key. */
	forget(key: string): void
	/** Number of calls of `addRateLimited` for the key since the last `forget`. */
	failures(key: string): number
	/** Waits for the due key with the highest priority (among equals, the first). Undefined after shut-down. The caller must call `done`. */
	get(): Promise<string | undefined>
	/** Must be called after every `get`. */
	done(key: string): void
	/** Stops handing out and accepting keys; pending calls of `get` resolve to undefined. */
	shutDown(): void
	/** Number of keys that are due now and not being processed. */
	readonly depth: number
	/** Number of keys that become due later, or whose priority rises later. */
	readonly delayed: number
	readonly processing: ReadonlyMap<string, Work>
}

/** Creates an empty queue. */
export function createQueue(options: QueueOptions = {}): Queue {
	return new KeyQueue(options)
}

class KeyQueue implements Queue {
	readonly #delayed: DelayQueue
	readonly #processing = new Map<string, Work>()
	readonly #failures = new Map<string, number>()
	readonly #getters: ((key: string | undefined) => void)[] = []
	readonly #backoff: Waits
	readonly #now: () => number
	readonly #setTimer: SetTimer
	readonly #metrics: QueueMetrics | undefined
	#alarm: { at: number; cancel: () => void } | undefined
	#down = false

	constructor({
		backoff = { firstMs: 5, maxMs: 1_000_000 },
		now = () => performance.now(),
		setTimer = systemTimer,
		metrics,
	}: QueueOptions) {
		this.#delayed = createDelayQueue({
			isProcessing: key => this.#processing.has(key),
			onDue: () => metrics?.added(),
			onDepth: (priority, keys) => metrics?.depth(priority, keys),
		})
		this.#backoff = backoff
		this.#now = now
		this.#setTimer = setTimer
		this.#metrics = metrics
	}

	add(key: string, { priority = 0, afterMs = 0 }: Addition = {}): void {
		if (this.#down) return
		const time = this.#now()
		if (afterMs > 0) this.#delayed.addLater(key, priority, time + afterMs)
		else this.#delayed.addNow(key, priority, time)
		this.#setAlarm()
		this.#handOut()
	}

	addRateLimited(key: string): number {
		const failures = this.failures(key) + 1
		const ms = waitAfter(failures, this.#backoff)
		this.#failures.set(key, failures)
		this.#metrics?.retried()
		this.add(key, { priority: this.#processing.get(key)?.priority ?? 0, afterMs: ms })
		return ms
	}

	forget(key: string): void {
		this.#failures.delete(key)
	}

	failures(key: string): number {
		return this.#failures.get(key) ?? 0
	}

	get(): Promise<string | undefined> {
		return new Promise(resolve => {
			this.#getters.push(resolve)
			this.#handOut()
		})
	}

	done(key: string): void {
		const work = this.#processing.get(key)
		if (!work) return
		this.#processing.delete(key)
		this.#metrics?.done((this.#now() - work.since) / 1_000)
		this.#delayed.release(key)
		this.#handOut()
	}

	shutDown(): void {
		this.#down = true
		this.#delayed.clear()
		this.#setAlarm()
		this.#handOut()
	}

	get depth(): number {
		return this.#delayed.depth
	}

	get delayed(): number {
		return this.#delayed.delayed
	}

	get processing(): ReadonlyMap<string, Work> {
		return this.#processing
	}

	/** Hands out due keys to pending calls of `get`. */
	#handOut(): void {
		while (this.#getters.length > 0 && (this.#down || this.#delayed.depth > 0)) {
			const taker = this.#getters.shift()
			taker?.(this.#next())
		}
	}

	#next(): string | undefined {
		const entry = this.#delayed.get()
		if (!entry) return undefined
		const now = this.#now()
		this.#processing.set(entry.key, { since: now, priority: entry.priority })
		this.#metrics?.got((now - entry.since) / 1_000)
		this.#setAlarm()
		return entry.key
	}

	/** Keeps a single timer, set for the next delayed key. */
	#setAlarm(): void {
		const at = this.#delayed.next
		if (at === this.#alarm?.at) return
		this.#alarm?.cancel()
		this.#alarm = at === undefined ? undefined : { at, cancel: this.#setTimer(() => this.#promoteDue(), Math.max(0, at - this.#now())) }
	}

	#promoteDue(): void {
		this.#alarm = undefined
		this.#delayed.promoteDue(this.#now())
		this.#setAlarm()
		this.#handOut()
	}
}
