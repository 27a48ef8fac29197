import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRequestLimiter, type RequestLimiter, type Deadline } from '../../../runtime/kube/request-limiter.ts'
import { manualTime } from '../manual-time.ts'

/** Starts a limiter that allows `atOnce` concurrent calls, and records which calls have begun, failed and ended. */
function start(atOnce = 2) {
	const time = manualTime()
	const flow = createRequestLimiter({ atOnce, now: time.now, setTimer: time.setTimer })
	const leaves = new Map<string, () => void>()
	const begun: string[] = []
	const refused: string[] = []
	const call = (name: string, patience: Partial<Deadline> = {}) =>
		void flow.acquire({ until: Number.POSITIVE_INFINITY, ...patience }).then(
			leave => begun.push(name) && leaves.set(name, leave),
			error => refused.push(`${name} ${error.code} ${error.facts.retryAfterMs ?? ''}`.trimEnd()),
		)
	const end = (name: string) => {
		leaves.get(name)?.()
		leaves.delete(name)
	}
	return { flow, time, begun, refused, leaves, call, end }
}

async function settled(): Promise<void> {
	for (let n = 0; n < 10; n++) await Promise.resolve()
}

describe('concurrent calls', () => {
	test('are limited in number, and begin in the order of arrival', async () => {
		const { call, end, begun } = start()
		for (const name of ['a', 'b', 'c', 'd']) call(name)
		await settled()
		expect(begun).toEqual(['a', 'b'])
		end('b')
		await settled()
		expect(begun).toEqual(['a', 'b', 'c'])
	})

	test('all wait while the server requests a pause, and continue in order afterwards', async () => {
		const { flow, time, call, begun } = start(3)
		call('a')
		flow.pause(1_000)
		for (const name of ['b', 'c', 'd']) call(name)
		time.pass(999)
		await settled()
		expect([begun, flow.pausedMs()]).toEqual([['a'], 1])
		time.pass(1)
		await settled()
		expect([begun, flow.pausedMs(), time.waiting()]).toEqual([['a', 'b', 'c'], 0, 0])
	})

	test.each<[title: string, pauses: number[], ms: number]>([
		['of two pauses, the longer one is used', [500, 200], 500],
		['of two pauses, the longer one is used even if it was requested last', [200, 500], 500],
		['a pause is limited to one minute', [3_600_000], 60_000],
	])('%s', async (_, pauses, ms) => {
		const { flow, time, call, begun } = start()
		for (const pause of pauses) flow.pause(pause)
		call('a')
		time.pass(ms - 1)
		await settled()
		expect(begun).toEqual([])
		time.pass(1)
		await settled()
		expect(begun).toEqual(['a'])
	})

	test('with a deadline before the end of the pause fail immediately, whether they arrive before or after it begins', async () => {
		const { flow, time, call, end, begun, refused } = start(1)
		call('a')
		await settled()
		call('before', { until: 400 })
		call('patient', { until: 600 })
		flow.pause(500)
		call('after', { until: 400 })
		await settled()
		expect(refused.toSorted()).toEqual(['after TOO_MANY_REQUESTS 500', 'before TOO_MANY_REQUESTS 500'])
		time.pass(500)
		end('a')
		await settled()
		expect(begun).toEqual(['a', 'patient'])
	})

	test('wait for a free slot without a time limit: only a pause makes them fail', async () => {
		const { flow, time, call, end, begun, refused } = start(1)
		call('a')
		await settled()
		call('b', { until: 400 })
		flow.pause(300)
		time.pass(1_000)
		call('c', { until: 400 })
		end('a')
		await settled()
		end('b')
		await settled()
		expect([begun, refused]).toEqual([['a', 'b', 'c'], []])
	})

	test('that are canceled free their slot', async () => {
		const { call, end, begun, refused } = start(1)
		const stop = new AbortController()
		call('a')
		call('b', { signal: stop.signal })
		call('c')
		stop.abort()
		call('d', { signal: stop.signal })
		await settled()
		end('a')
		await settled()
		expect([begun, refused.toSorted()]).toEqual([
			['a', 'c'],
			['b STOPPED', 'd STOPPED'],
		])
	})

	test('free their slot only once, even if they report their end several times', async () => {
		const { call, leaves, begun } = start(1)
		for (const name of ['a', 'b', 'c']) call(name)
		await settled()
		const leave = leaves.get('a')
		leave?.()
		leave?.()
		await settled()
		expect(begun).toEqual(['a', 'b'])
	})

	test('never exceed the limit, never begin in a pause, keep their order, and are all executed', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, atOnce) => {
				const world = start(atOnce)
				const asked: string[] = []
				for (const one of steps) {
					const before = world.flow.pausedMs() > 0 && one.act !== 'pass' ? world.begun.length : undefined
					act(world, asked, one)
					await settled()
					expect([world.leaves.size <= atOnce, before ?? world.begun.length]).toEqual([true, world.begun.length])
				}
				await endAll(world, asked.length)
				expect([world.begun, world.refused, world.time.waiting()]).toEqual([asked, [], 0])
			}),
		)
	})
})

const step = fc.record({ act: fc.constantFrom('call', 'call', 'end', 'pause', 'pass'), n: fc.nat({ max: 50 }) })
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

async function endAll(world: ReturnType<typeof start>, calls: number): Promise<void> {
	world.time.pass(60_000)
	for (let n = 0; n < calls; n++) {
		await settled()
		for (const name of [...world.leaves.keys()]) world.end(name)
	}
}

function act(world: ReturnType<typeof start>, asked: string[], { act, n }: Step): void {
	if (act === 'call') {
		asked.push(String(asked.length))
		world.call(String(asked.length - 1))
	}
	if (act === 'end') world.end([...world.leaves.keys()][0] ?? '')
	if (act === 'pause') world.flow.pause(n)
	if (act === 'pass') world.time.pass(n)
}

test('a timer that fires early is set again', async () => {
	let now = 0
	const rings: (() => void)[] = []
	const flow: RequestLimiter = createRequestLimiter({
		atOnce: 1,
		now: () => now,
		setTimer: fire => [rings.push(fire), () => {}][1] as () => void,
	})
	flow.pause(10)
	let hasBegun = false
	void flow.acquire({ until: 100 }).then(() => {
		hasBegun = true
	})
	now = 9.5
	rings.shift()?.()
	await settled()
	expect([hasBegun, rings.length]).toEqual([false, 1])
	now = 10
	rings.shift()?.()
	await settled()
	expect(hasBegun).toBe(true)
})
