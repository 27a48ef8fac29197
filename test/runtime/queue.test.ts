import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHeap } from '../../runtime/heap.ts'
import { createQueue, LOW_PRIORITY, type Queue } from '../../runtime/queue.ts'
import { manualTime } from './manual-time.ts'

function start(): { queue: Queue; time: ReturnType<typeof manualTime> } {
	const time = manualTime()
	return { time, queue: createQueue({ now: time.now, setTimer: time.setTimer }) }
}

/** Returns all keys that are due now, and marks them as done. */
async function drain(queue: Queue): Promise<string[]> {
	const keys: string[] = []
	while (queue.depth > 0) {
		const key = await queue.get()
		if (key === undefined) break
		keys.push(key)
		queue.done(key)
	}
	return keys
}

describe('a queue', () => {
	test('contains a key only once, and returns keys in the order of arrival', async () => {
		const { queue } = start()
		for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
		expect(await drain(queue)).toEqual(['a', 'b', 'c'])
	})

	test('returns a new key to a caller that is already waiting', async () => {
		const { queue } = start()
		const taken = queue.get()
		queue.add('a')
		expect(await taken).toBe('a')
	})

	test('does not return a key that is in progress, and returns it again after it is done', async () => {
		const { queue } = start()
		queue.add('a')
		await queue.get()
		queue.add('a')
		queue.add('a')
		expect(queue.depth).toBe(0)
		queue.done('a')
		expect(await drain(queue)).toEqual(['a'])
	})

	test('does not return a key again unless it is added again', async () => {
		const { queue } = start()
		queue.add('a')
		await queue.get()
		queue.done('a')
		expect(queue.depth).toBe(0)
	})

	test.each<[title: string, act: (queue: Queue) => void, dueAfter: number]>([
		['a delayed key is due when its delay has elapsed', queue => queue.add('a', { afterMs: 100 }), 100],
		['the shortest of several delays is used', queue => [100, 40, 70].map(ms => queue.add('a', { afterMs: ms })), 40],
		['a key with a delay of 0 is due immediately', queue => queue.add('a', { afterMs: 0 }), 0],
		['an earlier delay does not delay a key that is added without a delay', queue => [queue.add('a', { afterMs: 100 }), queue.add('a')], 0],
		['a later delay does not delay a key that is already due', queue => [queue.add('a'), queue.add('a', { afterMs: 100 })], 0],
	])('%s', async (_, act, dueAfter) => {
		const { queue, time } = start()
		act(queue)
		if (dueAfter > 0) {
			time.pass(dueAfter - 1)
			expect(queue.depth).toBe(0)
			time.pass(1)
		}
		expect(await drain(queue)).toEqual(['a'])
		time.pass(1_000_000)
		expect(queue.depth).toBe(0)
	})

	test('backs off each key separately, doubling from 5 ms to 1000 s, until the back-off is reset', async () => {
		const { queue, time } = start()
		const waits = Array.from({ length: 20 }, () => {
			const ms = queue.addRateLimited('a')
			time.pass(ms)
			return ms
		})
		expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40])
		expect(waits.at(-1)).toBe(1_000_000)
		expect(queue.addRateLimited('b')).toBe(5)
		queue.forget('a')
		expect(queue.failures('a')).toBe(0)
		expect(queue.addRateLimited('a')).toBe(5)
	})

	test('releases the waiting callers when it is shut down, and accepts no more keys', async () => {
		const { queue, time } = start()
		const waiting = [queue.get(), queue.get()]
		queue.add('later', { afterMs: 10 })
		queue.shutDown()
		expect(await Promise.all(waiting)).toEqual([undefined, undefined])
		queue.add('a')
		queue.add('b', { afterMs: 1 })
		time.pass(100)
		expect([queue.depth, queue.delayed, time.waiting()]).toEqual([0, 0, 0])
		expect(await queue.get()).toBeUndefined()
	})

	test('has a single timer for any number of waiting keys', () => {
		const { queue, time } = start()
		for (let n = 0; n < 100; n++) queue.add(`key-${n}`, { afterMs: 1_000 - n })
		expect([queue.delayed, time.waiting()]).toEqual([100, 1])
		time.pass(950)
		expect([queue.depth, queue.delayed, time.waiting()]).toEqual([50, 50, 1])
	})
})

describe('a queue with priorities', () => {
	const low = { priority: LOW_PRIORITY }

	test('returns new keys before the keys of a backlog of any length', async () => {
		const { queue } = start()
		for (let n = 0; n < 1_000; n++) queue.add(`old-${n}`, low)
		queue.add('fresh')
		queue.add('fresher')
		expect((await drain(queue)).slice(0, 4)).toEqual(['fresh', 'fresher', 'old-0', 'old-1'])
	})

	test.each<[title: string, act: (queue: Queue) => void, keys: string[]]>([
		[
			'is moved forward when it is added again with a higher priority',
			queue => [queue.add('a', low), queue.add('b', low), queue.add('b')],
			['b', 'a'],
		],
		[
			'keeps its priority when it is added again with a lower priority',
			queue => [queue.add('a', low), queue.add('b'), queue.add('b', low)],
			['b', 'a'],
		],
		[
			'keeps its place among keys of the same priority when its priority is raised',
			queue => [queue.add('a', low), queue.add('b'), queue.add('a')],
			['a', 'b'],
		],
	])('a key %s', async (_, act, keys) => {
		const { queue } = start()
		act(queue)
		expect(await drain(queue)).toEqual(keys)
	})

	test('a delayed key that is added with low priority is due immediately, and gets its own priority only after its delay', async () => {
		const { queue, time } = start()
		queue.add('delayed', { afterMs: 100 })
		queue.add('other', low)
		queue.add('delayed', low)
		queue.add('fresh')
		expect(await queue.get()).toBe('fresh')
		time.pass(100)
		expect(await drain(queue)).toEqual(['delayed', 'other'])
		expect([queue.delayed, time.waiting()]).toEqual([0, 0])
	})

	test('of two delays, the shorter one and the higher priority are used', async () => {
		const { queue, time } = start()
		queue.add('a', { afterMs: 50, ...low })
		queue.add('a', { afterMs: 80 })
		queue.add('b', { afterMs: 40, ...low })
		time.pass(50)
		expect(await drain(queue)).toEqual(['a', 'b'])
	})

	test('a key that fails returns with its previous priority, and a key that was added while in progress with its new priority', async () => {
		const { queue, time } = start()
		queue.add('a', low)
		queue.add('b', low)
		await queue.get()
		queue.addRateLimited('a')
		queue.done('a')
		await queue.get()
		queue.add('b', { priority: 7 })
		queue.done('b')
		time.pass(5)
		expect(queue.processing.size).toBe(0)
		const taken = [await queue.get(), await queue.get()]
		expect(taken.map(key => [key, queue.processing.get(String(key))?.priority])).toEqual([
			['b', 7],
			['a', LOW_PRIORITY],
		])
	})

	test('reports how many keys of each priority are due, at every change of the number', async () => {
		const depths = new Map<number, number>()
		const counts = { added: 0, taken: 0, done: 0, retried: 0 }
		const time = manualTime()
		const watch = {
			depth: (priority: number, keys: number) => void depths.set(priority, keys),
			added: () => counts.added++,
			got: () => counts.taken++,
			done: () => counts.done++,
			retried: () => counts.retried++,
		}
		const queue = createQueue({ now: time.now, setTimer: time.setTimer, metrics: watch })
		for (const key of ['a', 'b', 'c']) queue.add(key, low)
		queue.add('b')
		expect([...depths]).toEqual([
			[LOW_PRIORITY, 2],
			[0, 1],
		])
		await queue.get()
		queue.add('b')
		expect([...depths.values()]).toEqual([2, 0])
		queue.addRateLimited('b')
		queue.done('b')
		expect([...depths.values()]).toEqual([2, 1])
		queue.shutDown()
		expect([...depths.values()]).toEqual([0, 0])
		expect(counts).toEqual({ added: 4, taken: 1, done: 1, retried: 1 })
	})

	test('with 10,000 keys needs a logarithmic number of comparisons per operation', () => {
		let comparisons = 0
		const heap = createHeap<{ index: number; rank: number }>((a, b) => {
			comparisons++
			return a.rank < b.rank
		})
		const items = Array.from({ length: 10_000 }, (_, n) => ({ index: -1, rank: (n * 7_919) % 10_000 }))
		for (const item of items) heap.add(item)
		for (const item of items) {
			item.rank = (item.rank * 31) % 10_007
			heap.changed(item)
		}
		for (const item of items.slice(0, 5_000)) heap.remove(item)
		const ranks: number[] = []
		for (let first = heap.first; first; first = heap.first) {
			ranks.push(first.rank)
			heap.remove(first)
		}
		expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
		expect([ranks.length, comparisons < 30_000 * 2 * Math.log2(10_000)]).toEqual([5_000, true])
	})
})

describe('after any sequence of operations', () => {
	test('keys are returned as by the naive queue, and none remains', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 80 }), async steps => {
				const { queue, time } = start()
				const naive = naiveQueue()
				for (const next of steps) expect(await act(queue, time, next)).toEqual(actNaively(naive, next))
				for (const key of [...queue.processing.keys()]) expect([queue.done(key), naive.done(key)]).toBeTruthy()
				time.pass(2_000_000)
				naive.pass(2_000_000)
				const rest: string[] = []
				for (let key = naive.take(); key !== undefined; key = naive.take()) rest.push(key)
				expect(await drain(queue)).toEqual(rest)
				expect([queue.depth, queue.delayed, time.waiting()]).toEqual([0, 0, 0])
			}),
		)
	})
})

const step = fc.record({
	act: fc.constantFrom('add', 'add', 'addAfter', 'backOff', 'forget', 'take', 'take', 'done', 'pass'),
	key: fc.constantFrom('a', 'b', 'c', 'd'),
	ms: fc.integer({ min: 1, max: 60 }),
	priority: fc.constantFrom(-100, 0, 0, 5),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** Executes one step, and returns its visible effect. */
async function act(queue: Queue, time: ReturnType<typeof manualTime>, { act, key, ms, priority }: Step): Promise<unknown> {
	if (act === 'add') queue.add(key, { priority })
	if (act === 'addAfter') queue.add(key, { priority, afterMs: ms })
	if (act === 'forget') queue.forget(key)
	if (act === 'done') queue.done(key)
	if (act === 'pass') time.pass(ms)
	if (act === 'backOff') return queue.addRateLimited(key)
	return act === 'take' && queue.depth > 0 ? queue.get() : queue.depth
}

function actNaively(naive: ReturnType<typeof naiveQueue>, { act, key, ms, priority }: Step): unknown {
	if (act === 'add') naive.add(key, priority, 0)
	if (act === 'addAfter') naive.add(key, priority, ms)
	if (act === 'forget') naive.failures.delete(key)
	if (act === 'done') naive.done(key)
	if (act === 'pass') naive.pass(ms)
	if (act === 'backOff') return naive.backOff(key)
	return act === 'take' && naive.ready().length > 0 ? naive.take() : naive.ready().length
}

type Wish = { key: string; priority: number; at: number; turn: number }

/** A reference queue with the same rules, which searches all its keys at every step. */
function naiveQueue() {
	let now = 0
	let turns = 0
	let due: Wish[] = []
	let later: Wish[] = []
	const working = new Map<string, number>()
	const failures = new Map<string, number>()
	const dueNow = (key: string, priority: number) => {
		later = later.filter(wish => wish.key !== key || wish.priority > priority)
		const known = due.find(wish => wish.key === key)
		if (known) known.priority = Math.max(known.priority, priority)
		else due.push({ key, priority, at: now, turn: turns++ })
	}
	const add = (key: string, priority: number, ms: number) => {
		if (ms <= 0) return dueNow(key, priority)
		if (due.some(wish => wish.key === key && wish.priority >= priority)) return
		const known = later.find(wish => wish.key === key)
		later = later.filter(wish => wish !== known)
		const at = Math.min(now + ms, known?.at ?? now + ms)
		later.push({ key, priority: Math.max(priority, known?.priority ?? priority), at, turn: 0 })
	}
	const ready = () => due.filter(wish => !working.has(wish.key)).sort((a, b) => b.priority - a.priority || a.turn - b.turn)
	return {
		failures,
		add,
		ready,
		backOff: (key: string) => {
			const count = failures.get(key) ?? 0
			failures.set(key, count + 1)
			const ms = Math.min(5 * 2 ** count, 1_000_000)
			add(key, working.get(key) ?? 0, ms)
			return ms
		},
		take: () => {
			const [first] = ready()
			if (!first) return undefined
			due = due.filter(wish => wish.key !== first.key)
			later = later.filter(wish => wish.key !== first.key)
			working.set(first.key, first.priority)
			return first.key
		},
		done: (key: string) => working.delete(key),
		pass: (ms: number) => {
			for (const until = now + ms; now < until; now = until) {
				const rings = later.filter(wish => wish.at <= until).sort((a, b) => a.at - b.at)
				for (const wish of rings) {
					if (!later.includes(wish)) continue
					later = later.filter(other => other !== wish)
					now = wish.at
					dueNow(wish.key, wish.priority)
				}
			}
		},
	}
}
