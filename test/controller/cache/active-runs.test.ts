import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createActiveRuns } from '../../../controller/cache/active-runs.ts'
import { msUntilGivenUp } from '../../../controller/model/runs.ts'
import type { Mode } from '../../../controller/model/snapshot.ts'

const modes: readonly Mode[] = ['Plan', 'Apply', 'Verify', 'Cleanup']
const deadlineMs = 300_000

const run = fc.record({ mode: fc.constantFrom(...modes), firstSeenAt: fc.integer({ min: 0, max: 900_000 }) })
/** A change of one run (undefined: it is no longer active), and the time that passes before it. */
const step = fc.record({
	key: fc.constantFrom('a', 'b', 'c', 'd'),
	run: fc.option(run, { nil: undefined }),
	passes: fc.nat({ max: 200_000 }),
})

describe('the index of active runs', () => {
	test('counts the same runs as a search through all of them, by mode', () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 20 }), fc.subarray([...modes]), (steps, wanted) => {
				let now = 0
				const index = createActiveRuns(() => now, deadlineMs)
				const all = new Map<string, { mode: Mode; firstSeenAt: number }>()
				for (const { key, run: one, passes } of steps) {
					now += passes
					index.set(key, one)
					if (one) all.set(key, one)
					else all.delete(key)
					const isCounted = (each: { firstSeenAt: number }) => msUntilGivenUp(each, { uptime: now, settings: { deadlineMs } }) > 0
					const expected = [...all.values()].filter(each => wanted.includes(each.mode) && isCounted(each)).length
					expect(index.count(mode => wanted.includes(mode))).toBe(expected)
				}
			}),
		)
	})

	test('counts a run without a deadline for as long as it is active', () => {
		const index = createActiveRuns(() => Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY)
		index.set('a', { mode: 'Apply', firstSeenAt: 0 })
		expect(index.count(() => true)).toBe(1)
		index.set('a', undefined)
		expect(index.count(() => true)).toBe(0)
	})
})
