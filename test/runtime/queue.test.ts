import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createQueue, type Queue } from '../../runtime/queue.ts'
import { manualTime } from './manual-time.ts'

function start(): { queue: Queue; time: ReturnType<typeof manualTime> } {
	const time = manualTime()
	return { time, queue: createQueue({ now: time.now, setTimer: time.setTimer }) }
}

/** Everything that is due now, taken and put away. */
async function drain(queue: Queue): Promise<string[]> {
	const keys: string[] = []
	while (queue.depth > 0) {
		const key = await queue.take()
		if (key === undefined) break
		keys.push(key)
		queue.done(key)
	}
	return keys
}

describe('a queue', () => {
	test('holds a key once and hands keys out in the order they came', async () => {
		const { queue } = start()
		for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
		expect(await drain(queue)).toEqual(['a', 'b', 'c'])
	})

	test('gives a key to whoever already waits', async () => {
		const { queue } = start()
		const taken = queue.take()
		queue.add('a')
		expect(await taken).toBe('a')
	})

	test('hands a key that is in work to nobody else, and once more after it is done', async () => {
		const { queue } = start()
		queue.add('a')
		await queue.take()
		queue.add('a')
		queue.add('a')
		expect(queue.depth).toBe(0)
		queue.done('a')
		expect(await drain(queue)).toEqual(['a'])
	})

	test('does not hand out again what nobody added again', async () => {
		const { queue } = start()
		queue.add('a')
		await queue.take()
		queue.done('a')
		expect(queue.depth).toBe(0)
	})

	test.each<[title: string, act: (queue: Queue) => void, dueAfter: number]>([
		['a delayed key is due when its time has come', queue => queue.addAfter('a', 100), 100],
		['the sooner of two delays counts', queue => [100, 40, 70].map(ms => queue.addAfter('a', ms)), 40],
		['no delay is now', queue => queue.addAfter('a', 0), 0],
		['a key added now is not delayed by what was asked before', queue => [queue.addAfter('a', 100), queue.add('a')], 0],
		['a key that is due is not delayed by what is asked after', queue => [queue.add('a'), queue.addAfter('a', 100)], 0],
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

	test('backs each key off by itself, doubling from 5 ms to 1000 s, until it is forgotten', async () => {
		const { queue, time } = start()
		const waits = Array.from({ length: 20 }, () => {
			const ms = queue.addBackedOff('a')
			time.pass(ms)
			return ms
		})
		expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40])
		expect(waits.at(-1)).toBe(1_000_000)
		expect(queue.addBackedOff('b')).toBe(5)
		queue.forget('a')
		expect(queue.failures('a')).toBe(0)
		expect(queue.addBackedOff('a')).toBe(5)
	})

	test('lets those who wait go when it is shut down, and takes nothing more in', async () => {
		const { queue, time } = start()
		const waiting = [queue.take(), queue.take()]
		queue.addAfter('later', 10)
		queue.shutDown()
		expect(await Promise.all(waiting)).toEqual([undefined, undefined])
		queue.add('a')
		queue.addAfter('b', 1)
		time.pass(100)
		expect([queue.depth, queue.delayed, time.waiting()]).toEqual([0, 0, 0])
		expect(await queue.take()).toBeUndefined()
	})

	test('whatever happens: no key twice in work, every key that was added is worked on after, no timer is left', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
				const world = await watched(steps)
				await world.finish()
				expect([...world.owed]).toEqual([])
				expect([world.queue.depth, world.queue.delayed, world.time.waiting()]).toEqual([0, 0, 0])
			}),
		)
	})
})

const key = fc.constantFrom('a', 'b', 'c')
const ms = fc.nat({ max: 60 })
const step = fc.record({ act: fc.constantFrom('add', 'addAfter', 'backOff', 'forget', 'take', 'done', 'pass'), key, ms })
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** A queue after some steps, and what an onlooker knows of it. */
async function watched(steps: readonly Step[]) {
	const { queue, time } = start()
	const working = new Set<string>()
	/** Keys somebody asked for and nobody has begun since. */
	const owed = new Set<string>()
	const take = async () => {
		if (queue.depth === 0) return
		const taken = String(await queue.take())
		expect([working.has(taken), owed.has(taken)]).toEqual([false, true])
		working.add(taken)
		owed.delete(taken)
	}
	const done = (key: string) => {
		queue.done(key)
		working.delete(key)
	}
	const acts: Record<string, (step: Step) => unknown> = {
		add: ({ key }) => [queue.add(key), owed.add(key)],
		addAfter: ({ key, ms }) => [queue.addAfter(key, ms), owed.add(key)],
		backOff: ({ key }) => [queue.addBackedOff(key), owed.add(key)],
		forget: ({ key }) => queue.forget(key),
		take,
		done: ({ key }) => done(key),
		pass: ({ ms }) => time.pass(ms),
	}
	for (const next of steps) await acts[next.act]?.(next)
	const finish = async () => {
		for (const key of [...working]) done(key)
		time.pass(2_000_000)
		while (queue.depth > 0) {
			await take()
			for (const key of [...working]) done(key)
		}
	}
	return { queue, time, owed, finish }
}
