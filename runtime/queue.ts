import { type SetTimer, systemTimer } from './clock.ts'

export type QueueOptions = {
	/** First and longest wait of a key that fails, in milliseconds. Default: 5 and 1 000 000. */
	backoff?: { firstMs: number; maxMs: number }
	/** Milliseconds, from any start. */
	now?: () => number
	setTimer?: SetTimer
	watch?: QueueWatch
}

/** Who wants to know what the queue does, for metrics. Seconds throughout. */
export type QueueWatch = {
	added(depth: number): void
	/** A key was handed out after waiting. */
	taken(depth: number, waitedSeconds: number): void
	done(workedSeconds: number): void
	retried(): void
}

/**
 * Keys that want work: each at most once in the queue and at most once in work.
 *
 * A key added while it is in work is handed out once more after `done`; how often it was added does not matter.
 */
export type Queue = {
	/** Now. Takes the place of a delayed addition of that key. */
	add(key: string): void
	/** After `ms`, or when an earlier addition of that key is due, whichever comes first. */
	addAfter(key: string, ms: number): void
	/** After that key's own back-off, which doubles with every call until `forget`. Gives back the wait in milliseconds. */
	addBackedOff(key: string): number
	/** That key's next back-off is the first again. */
	forget(key: string): void
	/** How often that key was backed off since it was last forgotten. */
	failures(key: string): number
	/** The key that waited longest; waits for one. Undefined after shut-down. The taker must call `done`. */
	take(): Promise<string | undefined>
	/** Must follow every `take`. */
	done(key: string): void
	/** Nothing more is handed out, nothing more is taken in; those who wait in `take` get undefined. */
	shutDown(): void
	/** Keys that are due now. */
	readonly depth: number
	/** Keys that will be due later. */
	readonly delayed: number
	/** Since when each key in work is, as `now` said it. */
	readonly inWork: ReadonlyMap<string, number>
}

/** An empty queue. */
export function createQueue(options: QueueOptions = {}): Queue {
	return new KeyQueue(options)
}

class KeyQueue implements Queue {
	/** Due keys, first in first out, and since when. */
	readonly #due = new Map<string, number>()
	readonly #working = new Map<string, number>()
	/** Added while in work. */
	readonly #again = new Set<string>()
	readonly #later = new Map<string, { at: number; cancel: () => void }>()
	readonly #failures = new Map<string, number>()
	readonly #takers: ((key: string | undefined) => void)[] = []
	readonly #backoff: { firstMs: number; maxMs: number }
	readonly #now: () => number
	readonly #setTimer: SetTimer
	readonly #watch: QueueWatch | undefined
	#down = false

	constructor({ backoff = { firstMs: 5, maxMs: 1_000_000 }, now = () => performance.now(), setTimer = systemTimer, watch }: QueueOptions) {
		this.#backoff = backoff
		this.#now = now
		this.#setTimer = setTimer
		this.#watch = watch
	}

	add(key: string): void {
		if (this.#down) return
		this.#cancelLater(key)
		if (this.#working.has(key)) {
			this.#again.add(key)
			return
		}
		if (this.#due.has(key)) return
		this.#due.set(key, this.#now())
		this.#watch?.added(this.#due.size)
		this.#handOut()
	}

	addAfter(key: string, ms: number): void {
		if (ms <= 0) {
			this.add(key)
			return
		}
		if (this.#down || this.#due.has(key) || this.#again.has(key)) return
		const at = this.#now() + ms
		if ((this.#later.get(key)?.at ?? Number.POSITIVE_INFINITY) <= at) return
		this.#cancelLater(key)
		this.#later.set(key, { at, cancel: this.#setTimer(() => this.add(key), ms) })
	}

	addBackedOff(key: string): number {
		const failures = this.failures(key)
		const ms = Math.min(this.#backoff.firstMs * 2 ** Math.min(failures, 60), this.#backoff.maxMs)
		this.#failures.set(key, failures + 1)
		this.#watch?.retried()
		this.addAfter(key, ms)
		return ms
	}

	forget(key: string): void {
		this.#failures.delete(key)
	}

	failures(key: string): number {
		return this.#failures.get(key) ?? 0
	}

	take(): Promise<string | undefined> {
		return new Promise(resolve => {
			this.#takers.push(resolve)
			this.#handOut()
		})
	}

	done(key: string): void {
		const since = this.#working.get(key)
		if (since === undefined) return
		this.#working.delete(key)
		this.#watch?.done((this.#now() - since) / 1_000)
		if (this.#again.delete(key)) this.add(key)
	}

	shutDown(): void {
		this.#down = true
		for (const key of [...this.#later.keys()]) this.#cancelLater(key)
		this.#due.clear()
		this.#again.clear()
		this.#handOut()
	}

	get depth(): number {
		return this.#due.size
	}

	get delayed(): number {
		return this.#later.size
	}

	get inWork(): ReadonlyMap<string, number> {
		return this.#working
	}

	/** Matches those who wait with what is due. */
	#handOut(): void {
		while (this.#takers.length > 0 && (this.#down || this.#due.size > 0)) {
			const taker = this.#takers.shift()
			taker?.(this.#next())
		}
	}

	#next(): string | undefined {
		for (const [key, since] of this.#due) {
			this.#due.delete(key)
			const now = this.#now()
			this.#working.set(key, now)
			this.#watch?.taken(this.#due.size, (now - since) / 1_000)
			return key
		}
		return undefined
	}

	#cancelLater(key: string): void {
		this.#later.get(key)?.cancel()
		this.#later.delete(key)
	}
}
