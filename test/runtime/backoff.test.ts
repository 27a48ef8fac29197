import fc from 'fast-check'
import { expect, test } from 'vitest'
import { waitAfter } from '../../runtime/backoff.ts'

test.each([
	['5 ms … 1 000 s', { firstMs: 5, maxMs: 1_000_000 }, [5, 10, 20, 40, 80, 160, 320, 640, 1_280]],
	['200 ms … 5 s', { firstMs: 200, maxMs: 5_000 }, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]],
	['5 … 300 s', { firstMs: 5_000, maxMs: 300_000 }, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]],
])('%s: each delay is twice the previous one, up to the maximum', (_, waits, ms) => {
	expect(ms.map((_, at) => waitAfter(at + 1, waits))).toEqual(ms)
})

const anyWaits = fc.record({ firstMs: fc.integer({ min: 0, max: 60_000 }), maxMs: fc.integer({ min: 60_000, max: 4_000_000 }) })

test('after any number of failures, a delay is neither shorter than the previous one nor longer than the maximum', () => {
	const one = (waits: { firstMs: number; maxMs: number }, failures: number) => {
		const ms = waitAfter(failures + 1, waits)
		expect(ms).toBeGreaterThanOrEqual(waitAfter(failures, waits))
		expect(ms).toBeLessThanOrEqual(waits.maxMs)
	}
	fc.assert(fc.property(anyWaits, fc.integer({ min: 1, max: 1_000_000 }), one))
})

test('jitter shortens a delay by less than half, and never lengthens it', () => {
	const one = (waits: { firstMs: number; maxMs: number }, chance: number) => {
		expect(waitAfter(3, waits, chance)).toBeLessThanOrEqual(waitAfter(3, waits))
		expect(waitAfter(3, waits, chance)).toBeGreaterThanOrEqual(waitAfter(3, waits) / 2)
	}
	fc.assert(fc.property(anyWaits, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), one))
})
