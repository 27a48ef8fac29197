import { type SetTimer, systemTimer } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { KubeCode } from './failures.ts'

export type RequestLimiterOptions = {
	/** Maximum number of calls in flight. */
	atOnce: number
	/** Milliseconds from an arbitrary start. */
	now?: () => number
	setTimer?: SetTimer
}

/** How long one call may wait to begin: until a time of the limiter's clock, or until the signal is aborted. */
export type Deadline = { until: number; signal?: AbortSignal | undefined }

/**
 * Limits the concurrent calls of one client to one API server. Calls begin in the order of their arrival, and no call begins during a pause
 * that the server has requested. There is no rate limit: API Priority and Fairness reports overload with 429 and Retry-After, and one such
 * response pauses all calls.
 */
export type RequestLimiter = {
	/**
	 * Waits for a free slot; resolves to the function that releases it, which must be called.
	 *
	 * @throws Failure TOO_MANY_REQUESTS immediately if the server's pause exceeds the time left, STOPPED if the signal is aborted first
	 */
	acquire(deadline: Deadline): Promise<() => void>
	/** Applies a pause that the server has requested, in milliseconds: no call begins before it is over. */
	pause(ms: number): void
	/** The rest of the pause, in milliseconds; 0 if a call may begin now. */
	pausedMs(): number
	/** The limiter's clock. */
	now(): number
}

/** Maximum pause: if a server requests an hour by mistake, the process must not stop for that long. */
const longestPauseMs = 60_000

type Waiter = Deadline & { begin: () => void; refuse: (error: Failure<KubeCode>) => void }

/** Creates a limiter without calls. */
export function createRequestLimiter(options: RequestLimiterOptions): RequestLimiter {
	return new FairLimiter(options)
}

class FairLimiter implements RequestLimiter {
	readonly #waiters = new Set<Waiter>()
	readonly #atOnce: number
	readonly #setTimer: SetTimer
	readonly now: () => number
	#inFlight = 0
	#pausedUntil = Number.NEGATIVE_INFINITY
	#cancelAlarm = () => {}

	constructor({ atOnce, now = () => performance.now(), setTimer = systemTimer }: RequestLimiterOptions) {
		this.#atOnce = atOnce
		this.#setTimer = setTimer
		this.now = now
	}

	async acquire(deadline: Deadline): Promise<() => void> {
		if (deadline.signal?.aborted) throw canceled()
		if (this.#isPausedBeyond(deadline)) throw pausedTooLong(this.pausedMs())
		await this.#waitForSlot(deadline)
		return once(() => {
			this.#inFlight--
			this.#admit()
		})
	}

	pause(ms: number): void {
		this.#pausedUntil = Math.max(this.#pausedUntil, this.now() + Math.min(ms, longestPauseMs))
		this.#setAlarm()
		for (const waiter of this.#waiters) if (this.#isPausedBeyond(waiter)) waiter.refuse(pausedTooLong(this.pausedMs()))
	}

	pausedMs(): number {
		return Math.max(0, this.#pausedUntil - this.now())
	}

	#isPausedBeyond({ until }: Deadline): boolean {
		return this.pausedMs() > 0 && until < this.#pausedUntil
	}

	#waitForSlot(deadline: Deadline): Promise<void> {
		const { signal } = deadline
		return new Promise((resolve, reject) => {
			const end = (settle: () => void) => {
				this.#waiters.delete(waiter)
				signal?.removeEventListener('abort', stop)
				settle()
			}
			const stop = () => end(() => reject(canceled()))
			const waiter: Waiter = { ...deadline, begin: () => end(resolve), refuse: error => end(() => reject(error)) }
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

	/** Sets a timer for the end of the pause. A timer that fires slightly early is set again. */
	#setAlarm(): void {
		this.#cancelAlarm()
		this.#cancelAlarm = this.#setTimer(() => (this.pausedMs() > 0 ? this.#setAlarm() : this.#admit()), this.pausedMs())
	}
}

/** Makes a release idempotent: a slot that is released twice must not admit two calls. */
function once(leave: () => void): () => void {
	let isOver = false
	return () => {
		if (isOver) return
		isOver = true
		leave()
	}
}

function pausedTooLong(ms: number): Failure<KubeCode> {
	const retryAfterMs = Math.ceil(ms)
	const message = `the API server requested a pause of ${retryAfterMs} ms`
	return new Failure('TOO_MANY_REQUESTS', message, { retry: true, facts: { retryAfterMs } })
}

function canceled(): Failure<KubeCode> {
	return new Failure('STOPPED', 'canceled while waiting for a free slot', { retry: true })
}
