import { expect, test } from 'vitest'
import { nextSync } from '../../mgmt/cadence.ts'

test.each<[sentence: string, pollMs: number, retryAfterMs: number | undefined, expected: number]>([
	['no Retry-After leaves the delay of the poll', 60_000, undefined, 60_000],
	['a shorter Retry-After leaves the delay of the poll', 60_000, 5_000, 60_000],
	['a longer Retry-After is honored', 60_000, 120_000, 120_000],
	['a Retry-After of an hour is honored for 5 minutes', 60_000, 3_600_000, 300_000],
	['a slow poll is not made faster', 600_000, 3_600_000, 600_000],
])('%s', (_, pollMs, retryAfterMs, expected) => {
	expect(nextSync(pollMs, retryAfterMs)).toBe(expected)
})
