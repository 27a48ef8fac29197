import { deadline, sleep } from './clock.ts'
import { Failure } from './errors.ts'
import type { Log } from './log.ts'
import type { Queue } from './queue.ts'

/**
 * Requests another reconcile of this key after `afterMs` milliseconds, or earlier if something changes.
 *
 * @property priority to be set if the next reconcile is less urgent than this one; default: the priority of this reconcile
 */
export type Again = { afterMs: number; priority?: number }

/**
 * Brings the actual state of one key to the desired state. It is level-triggered: it receives no event, and reads the whole state again.
 *
 * To wait, it returns `{ afterMs }`. Throwing requests a retry with back-off; after a Failure with `retry: false`, the key is not retried
 * until something changes. `signal` is aborted when the time limit is reached or the process must exit now.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Again | undefined | void>

/** How one reconcile ended. */
export type Outcome = 'success' | 'requeue_after' | 'error' | 'terminal_error'

export type LoopMetrics = {
	started(): void
	ended(outcome: Outcome, seconds: number): void
	/**
	 * The reconcile threw something other than a Failure before its signal was aborted: a bug. It is treated as an error, and the loop
	 * continues.
	 */
	panicked(): void
	/** The reconcile exceeded its time limit, even if it succeeded afterwards. */
	timedOut(): void
}

export type LoopOptions = {
	queue: Queue
	reconcile: Reconcile
	log: Log
	/** Ends the loop: no new reconcile starts, running ones may finish. */
	signal: AbortSignal
	/** Number of keys processed concurrently. Default: 4. */
	workers?: number
	/** Time limit of one reconcile in milliseconds; 0: none. Default: 120 000. */
	timeoutMs?: number
	/**
	 * Grace period: how long after the end of the loop the signal of running reconciles is aborted, in milliseconds, above 0. Called when the
	 * loop ends. Default: 20 000.
	 */
	graceMs?: () => number
	/**
	 * Called immediately before each reconcile, which waits while it returns false. A leader uses this to check whether it is still the
	 * leader.
	 */
	mayBegin?: () => boolean
	metrics?: LoopMetrics
}

/** Takes keys from the queue and reconciles them until `signal` ends the loop; resolves when the last running reconcile has finished. */
export async function runLoop(options: LoopOptions): Promise<void> {
	const { queue, signal, workers = 4, graceMs = () => 20_000 } = options
	const hard = deadline(0)
	const stop = () => {
		queue.shutDown()
		hard.restart(graceMs())
	}
	if (signal.aborted) stop()
	else signal.addEventListener('abort', stop, { once: true })
	const yieldToEventLoop = createYielder()
	await Promise.all(Array.from({ length: workers }, () => work(options, hard.signal, yieldToEventLoop)))
	hard.clear()
}

async function work(options: LoopOptions, hard: AbortSignal, yieldToEventLoop: YieldToEventLoop): Promise<void> {
	const { queue, signal, mayBegin = () => true } = options
	for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
		while (!mayBegin() && !signal.aborted) await sleep(pollMs, signal)
		if (mayBegin()) await handle(options, key, hard)
		queue.done(key)
		await yieldToEventLoop()
	}
}

type YieldToEventLoop = () => Promise<void> | undefined

/**
 * Returns a function that yields to the event loop if it has not done so for a while. Otherwise reconciles that never wait would starve
 * timers and sockets, which the lease renewal depends on.
 */
function createYielder(): YieldToEventLoop {
	let yieldedAt = performance.now()
	return () => {
		if (performance.now() - yieldedAt < maxSliceMs) return undefined
		yieldedAt = performance.now()
		return new Promise(resolve => setImmediate(resolve))
	}
}

const maxSliceMs = 20

/** Interval at which `mayBegin` is polled, in milliseconds. */
const pollMs = 50

async function handle(options: LoopOptions, key: string, hard: AbortSignal): Promise<void> {
	const { metrics } = options
	const started = performance.now()
	metrics?.started()
	const result = await once(options, key, hard)
	if (result.isBug) metrics?.panicked()
	if (result.isLate) metrics?.timedOut()
	const outcome = applyResult(options, key, result)
	metrics?.ended(outcome, (performance.now() - started) / 1_000)
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

/** Applies the outcome of a reconcile to the queue. This is the only switch over outcomes. */
function applyResult({ queue, log }: LoopOptions, key: string, result: Result): Outcome {
	const outcome = outcomeOf(result)
	switch (outcome) {
		case 'success':
			queue.forget(key)
			break
		case 'requeue_after':
			queue.forget(key)
			queue.add(key, {
				priority: queue.processing.get(key)?.priority ?? 0,
				...result.again,
				afterMs: Math.max(1, result.again?.afterMs ?? 0),
			})
			break
		case 'terminal_error':
			queue.forget(key)
			log.error({ key, err: result.error }, 'reconcile failed, not retried until something changes')
			break
		case 'error': {
			const facts = { key, err: result.error, failures: queue.failures(key) + 1, againInMs: queue.addRateLimited(key) }
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
