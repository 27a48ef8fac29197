import { deadline, sleep } from './clock.ts'
import { Failure } from './errors.ts'
import type { Log } from './log.ts'
import type { Queue } from './queue.ts'

/**
 * Look at this key again after so many milliseconds, or when something changes.
 *
 * @property priority where what is waited for is less urgent than what led here; default: as it was handed out
 */
export type Again = { afterMs: number; priority?: number }

/**
 * Makes the world right for one key, whatever has happened to it: it reads everything anew and takes no event.
 *
 * Waiting is a value (`{ afterMs }`). Throwing means: try again with back-off; a Failure with `retry: false` means: not
 * before something changes. `signal` is aborted when the time is up or the process must end now.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Again | undefined | void>

/** How one reconcile ended. */
export type Outcome = 'success' | 'requeue_after' | 'error' | 'terminal_error'

export type LoopWatch = {
	started(): void
	ended(outcome: Outcome, seconds: number): void
	/** What was thrown is no Failure: a bug. It is treated as an error, and ends nothing. */
	panicked(): void
	/** The time for one reconcile was over before it ended, however it ended. */
	timedOut(): void
}

export type LoopOptions = {
	queue: Queue
	reconcile: Reconcile
	log: Log
	/** Ends the loop: nothing new is begun, what runs may end. */
	signal: AbortSignal
	/** How many keys are in work at once. Default: 4. */
	workers?: number
	/** How long one reconcile may take, in milliseconds; 0: any time. Default: 120 000. */
	timeoutMs?: number
	/** How long running reconciles may take to end once the loop is ended, before their signal is aborted. Default: 20 000. */
	graceMs?: number
	/** Asked right before each reconcile; while it says no, none is begun. For a leader that must be sure that it still is one. */
	mayBegin?: () => boolean
	watch?: LoopWatch
}

/** Takes keys and reconciles them until `signal` ends it; resolves when the last running reconcile has ended. */
export async function runLoop(options: LoopOptions): Promise<void> {
	const { queue, signal, workers = 4, graceMs = 20_000 } = options
	const hard = deadline(0)
	const stop = () => {
		queue.shutDown()
		hard.restart(graceMs)
	}
	if (signal.aborted) stop()
	else signal.addEventListener('abort', stop, { once: true })
	const breathe = breather()
	await Promise.all(Array.from({ length: workers }, () => work(options, hard.signal, breathe)))
	hard.clear()
}

async function work(options: LoopOptions, hard: AbortSignal, breathe: Breathe): Promise<void> {
	const { queue, signal, mayBegin = () => true } = options
	for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
		while (!mayBegin() && !signal.aborted) await sleep(askAgainMs, signal)
		if (mayBegin()) await handle(options, key, hard)
		queue.done(key)
		await breathe()
	}
}

type Breathe = () => Promise<void> | undefined

/** Reconciles that wait for nothing, one after the other, must not keep timers and sockets waiting: the lease hangs on those. */
function breather(): Breathe {
	let breathedAt = performance.now()
	return () => {
		if (performance.now() - breathedAt < longestBreathMs) return undefined
		breathedAt = performance.now()
		return new Promise(resolve => setImmediate(resolve))
	}
}

const longestBreathMs = 20

/** How soon `mayBegin` is asked again, in milliseconds. */
const askAgainMs = 50

async function handle(options: LoopOptions, key: string, hard: AbortSignal): Promise<void> {
	const { watch } = options
	const started = performance.now()
	watch?.started()
	const result = await once(options, key, hard)
	if (result.isBug) watch?.panicked()
	if (result.isLate) watch?.timedOut()
	const outcome = settle(options, key, result)
	watch?.ended(outcome, (performance.now() - started) / 1_000)
}

type Result = { again?: Again | undefined | void; error?: unknown; isBug?: boolean; isLate?: boolean }

async function once({ reconcile, timeoutMs = 120_000 }: LoopOptions, key: string, hard: AbortSignal): Promise<Result> {
	const limit = deadline(timeoutMs, hard)
	try {
		const again = await reconcile(key, limit.signal)
		if (again && Number.isNaN(again.afterMs)) throw new TypeError('bug: afterMs is NaN')
		return { again, isLate: limit.expired() }
	} catch (error) {
		const isBug = !(error instanceof Failure) && !limit.signal.aborted
		return { error: error ?? new Error('nothing was thrown'), isBug, isLate: limit.expired() }
	} finally {
		limit.clear()
	}
}

/** The one switch over outcomes: what each means for the queue. */
function settle({ queue, log }: LoopOptions, key: string, result: Result): Outcome {
	const outcome = outcomeOf(result)
	switch (outcome) {
		case 'success':
			queue.forget(key)
			break
		case 'requeue_after':
			queue.forget(key)
			queue.add(key, { priority: queue.inWork.get(key)?.priority ?? 0, ...result.again, afterMs: Math.max(1, result.again?.afterMs ?? 0) })
			break
		case 'terminal_error':
			queue.forget(key)
			log.error({ key, err: result.error }, 'reconcile failed, not retried until something changes')
			break
		case 'error': {
			const facts = { key, err: result.error, failures: queue.failures(key) + 1, againInMs: queue.addBackedOff(key) }
			if (result.isBug) log.error(facts, 'bug: a reconcile threw')
			else log.warn(facts, 'reconcile failed')
			break
		}
	}
	return outcome
}

function outcomeOf({ again, error }: Result): Outcome {
	if (error instanceof Failure && !error.retry) return 'terminal_error'
	if (error !== undefined) return 'error'
	return again ? 'requeue_after' : 'success'
}
