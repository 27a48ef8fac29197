import { expect, test } from 'vitest'
import { createSharedSlots } from '../../runtime/shared-slots.ts'
import { manualTime } from './manual-time.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** Takes slots, and records who gets one, or waits in vain. */
function start() {
	const time = manualTime()
	const slots = createSharedSlots({ total: 3, perHolder: 2, waitMs: 10_000, setTimer: time.setTimer })
	const events: string[] = []
	const releases: (() => void)[] = []
	const take = async (holder: string) => {
		const release = await slots.take(holder)
		events.push(release ? holder : `${holder} in vain`)
		if (release) releases.push(release)
	}
	const takeAll = (holders: string) => {
		for (const holder of holders) void take(holder)
		return turn()
	}
	return { time, events, releases, takeAll }
}

test.each<[sentence: string, holders: string, expected: string]>([
	['one holder gets its part', 'aaa', 'aa'],
	['a holder that waits does not block others', 'aaab', 'aab'],
	['all holders together get the total', 'aabb', 'aab'],
])('%s', async (_, holders, expected) => {
	const { events, takeAll } = start()
	await takeAll(holders)
	expect(events.join('')).toBe(expected)
})

test('a slot that is released goes to the first who may have it, and only once', async () => {
	const { events, releases, takeAll } = start()
	await takeAll('aababc')
	releases[2]?.()
	releases[2]?.()
	await turn()
	expect(events.join('')).toBe('aabb')
	releases[0]?.()
	await turn()
	expect(events.join('')).toBe('aabba')
})

test('a call waits for a limited time, and then takes no slot', async () => {
	const { time, events, releases, takeAll } = start()
	await takeAll('aaa')
	time.pass(10_000)
	await turn()
	expect([events, time.waiting()]).toEqual([['a', 'a', 'a in vain'], 0])
	releases[0]?.()
	await takeAll('ab')
	expect(events.slice(3)).toEqual(['a', 'b'])
})
