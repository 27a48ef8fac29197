import { type SetTimer, systemTimer } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { KubeCode } from './failures.ts'

export type FlowOptions = {
	/** How many calls may be in flight at once. */
	atOnce: number
	/** Milliseconds, from any start. */
	now?: () => number
	setTimer?: SetTimer
}

/** How long one call may wait to begin: until a moment of the flow's clock, or until the signal. */
export type Patience = { until: number; signal?: AbortSignal | undefined }

/**
 * Calls of one client on their way to one API server: so many at once, in the order they came, and none while the server has asked to
 * wait. There is no rate: the API server's own priority and fairness says when it is too much, by 429 and Retry-After, and one such
 * answer holds for all.
 */
export type Flow = {
	/**
	 * Waits for its turn; resolves with the function that ends it, which must be called.
	 *
	 * @throws Failure TOO_MANY_REQUESTS at once when the server asked for more time than there is, STOPPED when the signal comes first
	 */
	enter(patience: Patience): Promise<() => void>
	/** The server asked for so many milliseconds: no call begins before they are over. */
	pause(ms: number): void
	/** How long no call may begin, in milliseconds; 0: one may. */
	pausedMs(): number
	/** The flow's clock. */
	now(): number
}

/** A server that asks for more is asked again nevertheless: an hour by mistake must not stop a process for that long. */
const longestPauseMs = 60_000

type Waiter = Patience & { begin: () => void; refuse: (error: Failure<KubeCode>) => void }

/** A flow with nothing in it. */
export function createFlow(options: FlowOptions): Flow {
	return new CallFlow(options)
}

class CallFlow implements Flow {
	readonly #waiters = new Set<Waiter>()
	readonly #atOnce: number
	readonly #setTimer: SetTimer
	readonly now: () => number
	#inFlight = 0
	#pausedUntil = Number.NEGATIVE_INFINITY
	#cancelAlarm = () => {}

	constructor({ atOnce, now = () => performance.now(), setTimer = systemTimer }: FlowOptions) {
		this.#atOnce = atOnce
		this.#setTimer = setTimer
		this.now = now
	}

	async enter(patience: Patience): Promise<() => void> {
		if (patience.signal?.aborted) throw givenUp()
		if (this.#isTooLongFor(patience)) throw tooLong(this.pausedMs())
		await this.#turn(patience)
		return once(() => {
			this.#inFlight--
			this.#admit()
		})
	}

	pause(ms: number): void {
		this.#pausedUntil = Math.max(this.#pausedUntil, this.now() + Math.min(ms, longestPauseMs))
		this.#setAlarm()
		for (const waiter of this.#waiters) if (this.#isTooLongFor(waiter)) waiter.refuse(tooLong(this.pausedMs()))
	}

	pausedMs(): number {
		return Math.max(0, this.#pausedUntil - this.now())
	}

	#isTooLongFor({ until }: Patience): boolean {
		return this.pausedMs() > 0 && until < this.#pausedUntil
	}

	#turn(patience: Patience): Promise<void> {
		const { signal } = patience
		return new Promise((resolve, reject) => {
			const end = (settle: () => void) => {
				this.#waiters.delete(waiter)
				signal?.removeEventListener('abort', stop)
				settle()
			}
			const stop = () => end(() => reject(givenUp()))
			const waiter: Waiter = { ...patience, begin: () => end(resolve), refuse: error => end(() => reject(error)) }
			this.#waiters.add(waiter)
			signal?.addEventListener('abort', stop)
			this.#admit()
		})
	}

	#admit(): void {
		for (const waiter of this.#waiters) {
			if (this.#inFlight >= this.#atOnce || this.pausedMs() > 0) return
			this.#inFlight++
			waiter.begin()
		}
	}

	/** A timer may ring a little early: then it is set again. */
	#setAlarm(): void {
		this.#cancelAlarm()
		this.#cancelAlarm = this.#setTimer(() => (this.pausedMs() > 0 ? this.#setAlarm() : this.#admit()), this.pausedMs())
	}
}

/** Whoever ends its turn twice must not make room for two. */
function once(leave: () => void): () => void {
	let isOver = false
	return () => {
		if (isOver) return
		isOver = true
		leave()
	}
}

function tooLong(ms: number): Failure<KubeCode> {
	const retryAfterMs = Math.ceil(ms)
	const message = `the API server asked for a pause of ${retryAfterMs} ms`
	return new Failure('TOO_MANY_REQUESTS', message, { retry: true, facts: { retryAfterMs } })
}

function givenUp(): Failure<KubeCode> {
	return new Failure('STOPPED', 'canceled while it waited in the queue', { retry: true })
}
