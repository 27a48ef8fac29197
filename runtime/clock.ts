/** Source of the current time, which tests can replace. */
export type Clock = {
	/** Milliseconds: since 1970, or since any moment for a clock that only measures how much time passes. */
	now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** Measures how much time passes. Unlike `systemClock`, it continues evenly when the time of day is set. */
export const steadyClock: Clock = { now: () => performance.now() }

/** Starts a timer and returns the function that cancels it. */
export type SetTimer = (fire: () => void, ms: number) => () => void

/** The real timers. A delay above 24.8 days (the limit of setTimeout) is reduced to that limit. */
export const systemTimer: SetTimer = (fire, ms) => {
	const timer = setTimeout(fire, Math.min(ms, 2 ** 31 - 1))
	return () => clearTimeout(timer)
}

/**
 * Waits. This does not use `node:timers/promises`, which throws when its signal is aborted, fires immediately for a delay above 24.8 days,
 * and ignores the fake timers of a test.
 *
 * @param ms milliseconds
 * @returns true when the time has passed, false as soon as `signal` is aborted; never throws
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
	if (signal?.aborted) return Promise.resolve(false)
	return new Promise(resolve => {
		const end = (passed: boolean) => {
			cancel()
			signal?.removeEventListener('abort', stop)
			resolve(passed)
		}
		const stop = () => end(false)
		const cancel = systemTimer(() => end(true), ms)
		signal?.addEventListener('abort', stop)
	})
}

/** A separate signal for one piece of work: aborted by the outer `signal`, by its own `abort`, or after `ms`. */
export type Deadline = {
	signal: AbortSignal
	/** Whether the time limit was reached. */
	expired(): boolean
	abort(reason: unknown): void
	/** Restarts the timer with `ms`. */
	restart(ms: number): void
	/** Releases the timer and the listener. Must be called when the work ends, whether it succeeds or fails. */
	clear(): void
}

/**
 * Binds a piece of work to a time limit and a longer-lived signal, without leaving a listener on that signal after `clear`.
 *
 * @param ms milliseconds; 0: no limit
 */
export function deadline(ms: number, signal?: AbortSignal, setTimer: SetTimer = systemTimer): Deadline {
	const own = new AbortController()
	let expired = false
	let cancel = () => {}
	const restart = (forMs: number) => {
		cancel()
		if (forMs > 0) cancel = setTimer(() => expire(forMs), forMs)
	}
	const expire = (afterMs: number) => {
		expired = true
		own.abort(new Error(`not done within ${afterMs} ms`))
	}
	const follow = () => own.abort(signal?.reason)
	const clear = () => {
		cancel()
		signal?.removeEventListener('abort', follow)
	}
	if (signal?.aborted) follow()
	else signal?.addEventListener('abort', follow)
	restart(ms)
	return { signal: own.signal, expired: () => expired, abort: reason => own.abort(reason), restart, clear }
}
