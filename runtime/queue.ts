import { type Agenda, createAgenda } from './agenda.ts'
import { type Waits, waitAfter } from './backoff.ts'
import { type SetTimer, systemTimer } from './clock.ts'

/** For work that no one waits for: the content of a first list, objects reported again without a change, queued work. */
export const LOW_PRIORITY = -100

export type QueueOptions = {
	/** First and maximum wait of a failing key, in milliseconds. Default: 5 and 1 000 000. */
	backoff?: Waits
	/** Milliseconds from an arbitrary start. */
	now?: () => number
	setTimer?: SetTimer
	watch?: QueueWatch
}

/** Observes the queue, for metrics. All times are in seconds. */
export type QueueWatch = {
	/** Called after each change of the number of keys of a priority that are due now. */
	depth(priority: number, keys: number): void
	/** A key became due. */
	added(): void
	/** A key was handed out after waiting. */
	taken(waitedSeconds: number): void
	done(workedSeconds: number): void
	retried(): void
}

export type Addition = {
	/** Keys with a higher priority are handed out first, those with the same priority in the order they became due. Default: 0. */
	priority?: number
	/** Milliseconds. Default: 0, now. */
	afterMs?: number
}

/** A key that was taken and is not done: the time (of `now`) and the priority it was handed out with. */
export type Work = { readonly since: number; readonly priority: number }

/**
 * A queue of keys to process. Each key is queued at most once and processed at most once at a time.
 *
 * A key that is added while it is processed is handed out again after `done`, once, however often it was added.
 */
export type Queue = {
	/**
	 * Adds a key. A queued key keeps the earliest time and the highest priority it was added with. The priority of a delayed addition applies
	 * only when its delay is over: a backlog that adds the key earlier makes it due earlier, but only with the priority of the backlog.
	 */
	add(key: string, addition?: Addition): void
	/**
	 * Adds the key after its back-off, which doubles with every call until `forget`, with the priority it was handed out with. Returns the
	 * wait in milliseconds.
	 */
	addBackedOff(key: string): number
	/** Resets the back-off of the key. */
	forget(key: string): void
	/** How often the key was backed off since the last `forget`. */
	failures(key: string): number
	/** Waits for the most urgent key (the one that waited longest among equals). Undefined after shut-down. The caller must call `done`. */
	take(): Promise<string | undefined>
	/** Must be called after every `take`. */
	done(key: string): void
	/** Stops handing out and accepting keys; pending calls of `take` resolve to undefined. */
	shutDown(): void
	/** Number of keys that are due now and not being processed. */
	readonly depth: number
	/** Number of keys that become due, or more urgent, later. */
	readonly delayed: number
	readonly inWork: ReadonlyMap<string, Work>
}

/** Creates an empty queue. */
export function createQueue(options: QueueOptions = {}): Queue {
	return new KeyQueue(options)
}

class KeyQueue implements Queue {
	readonly #agenda: Agenda
	readonly #working = new Map<string, Work>()
	readonly #failures = new Map<string, number>()
	readonly #takers: ((key: string | undefined) => void)[] = []
	readonly #backoff: Waits
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
		const failures = this.failures(key) + 1
		const ms = waitAfter(failures, this.#backoff)
		this.#failures.set(key, failures)
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

	/** Hands out due keys to pending calls of `take`. */
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

	/** Keeps one timer for the key that becomes due next. */
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
