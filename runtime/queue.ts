import { type Agenda, createAgenda } from './agenda.ts'
import { type SetTimer, systemTimer } from './clock.ts'

/** For what nobody waits for: what a first list holds, what is told again without a change, work that is held back. */
export const LOW_PRIORITY = -100

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
	/** How many keys of that priority are due now; told after every change of it. */
	depth(priority: number, keys: number): void
	/** A key became due. */
	added(): void
	/** A key was handed out after waiting. */
	taken(waitedSeconds: number): void
	done(workedSeconds: number): void
	retried(): void
}

export type Addition = {
	/** Higher ones are handed out first, equal ones in the order they became due. Default: 0. */
	priority?: number
	/** Milliseconds. Default: 0, now. */
	afterMs?: number
}

/** A key that was taken and is not done: since when, as `now` said it, and with which priority it was handed out. */
export type Work = { readonly since: number; readonly priority: number }

/**
 * Keys that want work: each at most once in the queue and at most once in work.
 *
 * A key added while it is in work is handed out once more after `done`; how often it was added does not matter.
 */
export type Queue = {
	/**
	 * A key that is there already keeps the earliest time and the highest priority it was added with. Only a delay keeps its priority for
	 * its time: a backlog that names the key sooner makes it due sooner, and no more urgent than the backlog is.
	 */
	add(key: string, addition?: Addition): void
	/**
	 * After that key's own back-off, which doubles with every call until `forget`; with the priority it was handed out with.
	 * Gives back the wait in milliseconds.
	 */
	addBackedOff(key: string): number
	/** That key's next back-off is the first again. */
	forget(key: string): void
	/** How often that key was backed off since it was last forgotten. */
	failures(key: string): number
	/** The most urgent key, of those the one that waited longest; waits for one. Undefined after shut-down. The taker must call `done`. */
	take(): Promise<string | undefined>
	/** Must follow every `take`. */
	done(key: string): void
	/** Nothing more is handed out, nothing more is taken in; those who wait in `take` get undefined. */
	shutDown(): void
	/** Keys that are due now and in nobody's work. */
	readonly depth: number
	/** Keys that will be due, or more urgent, later. */
	readonly delayed: number
	readonly inWork: ReadonlyMap<string, Work>
}

/** An empty queue. */
export function createQueue(options: QueueOptions = {}): Queue {
	return new KeyQueue(options)
}

class KeyQueue implements Queue {
	readonly #agenda: Agenda
	readonly #working = new Map<string, Work>()
	readonly #failures = new Map<string, number>()
	readonly #takers: ((key: string | undefined) => void)[] = []
	readonly #backoff: { firstMs: number; maxMs: number }
	readonly #now: () => number
	readonly #setTimer: SetTimer
	readonly #watch: QueueWatch | undefined
	#alarm: { at: number; cancel: () => void } | undefined
	#down = false

	constructor({ backoff = { firstMs: 5, maxMs: 1_000_000 }, now = () => performance.now(), setTimer = systemTimer, watch }: QueueOptions) {
		this.#agenda = createAgenda({
			isHeld: key => this.#working.has(key),
			onDue: () => watch?.added(),
			onDepth: (priority, keys) => watch?.depth(priority, keys),
		})
		this.#backoff = backoff
		this.#now = now
		this.#setTimer = setTimer
		this.#watch = watch
	}

	add(key: string, { priority = 0, afterMs = 0 }: Addition = {}): void {
		if (this.#down) return
		const time = this.#now()
		if (afterMs > 0) this.#agenda.addLater(key, priority, time + afterMs)
		else this.#agenda.addNow(key, priority, time)
		this.#setAlarm()
		this.#handOut()
	}

	addBackedOff(key: string): number {
		const failures = this.failures(key)
		const ms = Math.min(this.#backoff.firstMs * 2 ** Math.min(failures, 60), this.#backoff.maxMs)
		this.#failures.set(key, failures + 1)
		this.#watch?.retried()
		this.add(key, { priority: this.#working.get(key)?.priority ?? 0, afterMs: ms })
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
		const work = this.#working.get(key)
		if (!work) return
		this.#working.delete(key)
		this.#watch?.done((this.#now() - work.since) / 1_000)
		this.#agenda.release(key)
		this.#handOut()
	}

	shutDown(): void {
		this.#down = true
		this.#agenda.clear()
		this.#setAlarm()
		this.#handOut()
	}

	get depth(): number {
		return this.#agenda.depth
	}

	get delayed(): number {
		return this.#agenda.delayed
	}

	get inWork(): ReadonlyMap<string, Work> {
		return this.#working
	}

	/** Matches those who wait with what is due. */
	#handOut(): void {
		while (this.#takers.length > 0 && (this.#down || this.#agenda.depth > 0)) {
			const taker = this.#takers.shift()
			taker?.(this.#next())
		}
	}

	#next(): string | undefined {
		const entry = this.#agenda.take()
		if (!entry) return undefined
		const now = this.#now()
		this.#working.set(entry.key, { since: now, priority: entry.priority })
		this.#watch?.taken((now - entry.since) / 1_000)
		this.#setAlarm()
		return entry.key
	}

	/** One timer, for the key that is due next. */
	#setAlarm(): void {
		const at = this.#agenda.next
		if (at === this.#alarm?.at) return
		this.#alarm?.cancel()
		this.#alarm = at === undefined ? undefined : { at, cancel: this.#setTimer(() => this.#ring(), Math.max(0, at - this.#now())) }
	}

	#ring(): void {
		this.#alarm = undefined
		this.#agenda.ring(this.#now())
		this.#setAlarm()
		this.#handOut()
	}
}
