import { describe, expect, test } from 'vitest'
import { Failure } from '../../runtime/errors.ts'
import { createLog } from '../../runtime/log.ts'
import { type Outcome, type Reconcile, runLoop } from '../../runtime/loop.ts'
import { createQueue, LOW_PRIORITY, type Queue } from '../../runtime/queue.ts'
import { manualTime } from './manual-time.ts'

type World = {
	queue: Queue
	time: ReturnType<typeof manualTime>
	outcomes: Outcome[]
	counts: { panics: number; timeouts: number }
	stop: () => Promise<void>
	lines: string[]
}

type Options = { workers?: number; timeoutMs?: number; graceMs?: () => number; mayBegin?: () => boolean }

function run(reconcile: Reconcile, options: Options = {}): World {
	const time = manualTime()
	const queue = createQueue({ now: time.now, setTimer: time.setTimer })
	const outcomes: Outcome[] = []
	const lines: string[] = []
	const end = new AbortController()
	const counts = { panics: 0, timeouts: 0 }
	const watch = {
		started: () => {},
		ended: (outcome: Outcome) => outcomes.push(outcome),
		panicked: () => counts.panics++,
		timedOut: () => counts.timeouts++,
	}
	const log = createLog('test', { to: { write: line => void lines.push(line) } })
	const running = runLoop({ queue, reconcile, log, metrics: watch, signal: end.signal, ...options })
	const stop = () => {
		end.abort()
		return running
	}
	return { queue, time, outcomes, counts, stop, lines }
}

/** Lets everything continue that does not wait for a timer. */
async function settle(): Promise<void> {
	for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
}

describe('the effect of an outcome on its key', () => {
	test.each<[title: string, reconcile: Reconcile, outcome: Outcome, counts: { delayed: number; failures: number }]>([
		['success: the key is not queued again', async () => undefined, 'success', { delayed: 0, failures: 0 }],
		['a delay: the key is queued again after it', async () => ({ afterMs: 500 }), 'requeue_after', { delayed: 1, failures: 0 }],
		[
			'a failure that can be retried: back-off',
			() => Promise.reject(new Failure('BUSY', 'busy', { retry: true })),
			'error',
			{ delayed: 1, failures: 1 },
		],
		[
			'a failure that must not be retried: the key is not queued again',
			() => Promise.reject(new Failure('WRONG', 'wrong')),
			'terminal_error',
			{ delayed: 0, failures: 0 },
		],
		['a bug: back-off', () => Promise.reject(new TypeError('x is undefined')), 'error', { delayed: 1, failures: 1 }],
		[
			'a bug that is thrown synchronously: back-off',
			() => {
				throw new TypeError('x is undefined')
			},
			'error',
			{ delayed: 1, failures: 1 },
		],
		['an invalid delay: back-off', async () => ({ afterMs: Number.NaN }), 'error', { delayed: 1, failures: 1 }],
		[
			'a negative delay: the key is queued again after the other keys',
			async () => ({ afterMs: -1 }),
			'requeue_after',
			{ delayed: 1, failures: 0 },
		],
		['a rejection with undefined: back-off', () => Promise.reject(undefined), 'error', { delayed: 1, failures: 1 }],
	])('%s', async (_, reconcile, outcome, counts) => {
		const { queue, outcomes, stop } = run(reconcile)
		queue.add('a')
		await settle()
		expect(outcomes).toEqual([outcome])
		expect({ delayed: queue.delayed, failures: queue.failures('a') }).toEqual(counts)
		await stop()
	})
})

test.each<[title: string, reconcile: Reconcile, priority: number]>([
	['after an error, a key keeps its priority', () => Promise.reject(new Error('x')), LOW_PRIORITY],
	['after a requested delay, a key keeps its priority', async () => ({ afterMs: 5 }), LOW_PRIORITY],
	['a requested delay may set another priority', async () => ({ afterMs: 5, priority: 3 }), 3],
])('%s', async (_, reconcile, priority) => {
	const priorities: (number | undefined)[] = []
	const { queue, time, stop } = run((key, signal) => {
		priorities.push(queue.processing.get(key)?.priority)
		return priorities.length === 1 ? reconcile(key, signal) : Promise.resolve()
	})
	queue.add('a', { priority: LOW_PRIORITY })
	await settle()
	time.pass(5)
	await settle()
	expect(priorities).toEqual([LOW_PRIORITY, priority])
	await stop()
})

test('success after failures resets the back-off', async () => {
	const results: Reconcile[] = [() => Promise.reject(new Error('one')), () => Promise.reject(new Error('two')), async () => undefined]
	const { queue, time, stop } = run((key, signal) => (results.shift() ?? (async () => undefined))(key, signal))
	queue.add('a')
	for (const ms of [0, 5, 10]) {
		time.pass(ms)
		await settle()
	}
	expect([results.length, queue.failures('a')]).toEqual([0, 0])
	await stop()
})

test.each<[title: string, reconcile: Reconcile, counts: object]>([
	['a bug is counted as a panic', () => Promise.reject(new TypeError('x')), { panics: 1, timeouts: 0 }],
	['a Failure is not counted as a panic', () => Promise.reject(new Failure('BUSY', 'busy', { retry: true })), { panics: 0, timeouts: 0 }],
	[
		'a Failure that must not be retried is not counted as a panic',
		() => Promise.reject(new Failure('WRONG', 'wrong')),
		{ panics: 0, timeouts: 0 },
	],
	[
		'a timeout is counted as a timeout and not as a panic',
		(_, signal) => ended(signal).then(() => Promise.reject(signal.reason)),
		{ panics: 0, timeouts: 1 },
	],
	['a timeout is counted even if the reconcile succeeds', (_, signal) => ended(signal), { panics: 0, timeouts: 1 }],
])('%s', async (_, reconcile, counts) => {
	const world = run(reconcile, { timeoutMs: 5 })
	world.queue.add('a')
	await expect.poll(() => world.outcomes.length).toBe(1)
	expect(world.counts).toEqual(counts)
	await world.stop()
})

test('no reconcile is started while mayBegin is false, and the waiting ones start when it is true', async () => {
	let may = false
	const begun: string[] = []
	const world = run(async key => void begun.push(key), { workers: 2, mayBegin: () => may })
	for (const key of ['a', 'b', 'c']) world.queue.add(key)
	await settle()
	expect([begun, world.queue.processing.size]).toEqual([[], 2])
	may = true
	await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'c'])
	may = false
	world.queue.add('d')
	await settle()
	await world.stop()
	expect([begun.length, world.queue.processing.size]).toEqual([3, 0])
})

test('at most one key per worker is in progress, and never the same key twice', async () => {
	const ends: (() => void)[] = []
	const inWork: string[] = []
	const { queue, stop } = run(key => new Promise(resolve => void (inWork.push(key) && ends.push(() => resolve(undefined)))), { workers: 2 })
	for (const key of ['a', 'b', 'c']) queue.add(key)
	queue.add('a')
	await settle()
	queue.add('a')
	expect(inWork).toEqual(['a', 'b'])
	ends.shift()?.()
	await settle()
	expect(inWork).toEqual(['a', 'b', 'c'])
	ends.shift()?.()
	await settle()
	expect(inWork).toEqual(['a', 'b', 'c', 'a'])
	for (const end of ends) end()
	await stop()
})

test('keys whose reconciles never wait do not block timers', async () => {
	let isOver = false
	setTimeout(() => {
		isOver = true
	}, 1)
	const { queue, stop } = run(async key => {
		const until = performance.now() + 1
		while (performance.now() < until);
		if (!isOver) queue.add(key)
	})
	for (const key of ['a', 'b', 'c']) queue.add(key)
	await expect.poll(() => [isOver, queue.depth, queue.processing.size]).toEqual([true, 0, 0])
	await stop()
})

test('stop waits for a running reconcile to finish', async () => {
	let finish = () => {}
	let aborted = false
	const { queue, stop, outcomes } = run((_, signal) => {
		signal.addEventListener('abort', () => {
			aborted = true
		})
		return new Promise(resolve => {
			finish = () => resolve(undefined)
		})
	})
	queue.add('a')
	await settle()
	const stopped = stop()
	queue.add('b')
	finish()
	await stopped
	expect([outcomes, aborted]).toEqual([['success'], false])
})

test.each([
	['the timeout of a reconcile', { timeoutMs: 5 }, false],
	['the grace period of a shutdown', { timeoutMs: 0, graceMs: () => 5 }, true],
])('a reconcile’s signal is aborted after %s', async (_, options, stopFirst) => {
	const { queue, stop, lines } = run(
		(_key, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
		options,
	)
	queue.add('a')
	await settle()
	if (!stopFirst) await expect.poll(() => lines.length).toBe(1)
	await stop()
	expect(lines.join('')).toContain('reconcile failed')
})

function ended(signal: AbortSignal): Promise<void> {
	return new Promise(resolve => signal.addEventListener('abort', () => resolve()))
}
