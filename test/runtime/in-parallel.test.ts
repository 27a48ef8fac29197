import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inParallel } from '../../runtime/in-parallel.ts'

describe('work in parallel', () => {
	test('returns its results in order, and never exceeds the limit of concurrent calls', async () => {
		const one = async (turns: number[], atOnce: number) => {
			let busy = 0
			let most = 0
			const started: number[] = []
			const results = await inParallel(turns, atOnce, async (count, position) => {
				started.push(position)
				most = Math.max(most, ++busy)
				for (let turn = 0; turn < count; turn++) await Promise.resolve()
				busy--
				return `${position} ${count}`
			})
			expect(results).toEqual(turns.map((count, position) => `${position} ${count}`))
			expect(started).toEqual([...turns.keys()])
			expect(most).toBe(Math.min(atOnce, turns.length))
		}
		await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), one))
	})

	test('rejects with the first error', async () => {
		const work = (item: number) => (item === 2 ? Promise.reject(new Error(`of ${item}`)) : item)
		await expect(inParallel([1, 2, 3], 1, work)).rejects.toThrow('of 2')
	})
})
