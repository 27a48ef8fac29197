import { expect, test } from 'vitest'
import { createAgedCache } from '../../../runtime/auth/aged-cache.ts'
import { manualTime } from '../manual-time.ts'

function start(max = 10) {
	const clock = manualTime()
	const cache = createAgedCache<boolean>({ ageMs: value => (value ? 30_000 : 10_000), max, clock })
	let count = 0
	const get = (key: string, value: boolean) =>
		cache.get(key, async () => {
			count++
			return value
		})
	return { clock, cache, get, count: () => count }
}

test.each<[value: boolean, passedMs: number, computations: number]>([
	[true, 29_999, 1],
	[true, 30_000, 2],
	[false, 9_999, 1],
	[false, 10_000, 2],
])('the result %s is computed again after %i ms: %i computations', async (value, passedMs, computations) => {
	const { clock, get, count } = start()
	await get('a', value)
	clock.pass(passedMs)
	expect(await get('a', value)).toBe(value)
	expect(count()).toBe(computations)
})

test('concurrent calls for one key share one computation', async () => {
	const { get, count } = start()
	await Promise.all([get('a', true), get('a', true), get('b', true)])
	expect(count()).toBe(2)
})

test('an error is returned to all waiting callers, and is not kept', async () => {
	const { cache, get } = start()
	const fail = () => cache.get('a', () => Promise.reject(new Error('away')))
	expect(await Promise.allSettled([fail(), fail()])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
	expect(await get('a', true)).toBe(true)
})

test('the least recently used result is dropped first', async () => {
	const { get, count } = start(2)
	for (const key of ['a', 'b', 'a', 'c', 'a']) await get(key, true)
	expect(count()).toBe(3)
	await get('b', true)
	expect(count()).toBe(4)
})

test('the last result of a key is known after its time and after an error, and an error alone is not a result', async () => {
	const { clock, cache, get } = start()
	const fail = (key: string) => cache.get(key, () => Promise.reject(new Error('away'))).catch(() => {})
	await get('a', true)
	clock.pass(60_000)
	await Promise.all([fail('a'), fail('b')])
	expect([cache.last('a'), cache.last('b')]).toEqual([true, undefined])
	await get('a', false)
	expect(cache.last('a')).toBe(false)
})
