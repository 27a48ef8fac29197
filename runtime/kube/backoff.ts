import { type Waits, waitAfter } from '../backoff.ts'

/** The waits after repeated failures. */
export type Backoff = {
	/** Returns the next wait in milliseconds: it doubles up to the maximum, minus a random part of up to half. */
	next(): number
	/** Must be called after a success: the next wait is the first one again. */
	reset(): void
}

/** @param options.chance 0 ≤ x < 1 */
export function createBackoff({ chance, ...waits }: Waits & { chance: () => number }): Backoff {
	let failures = 0
	return {
		next() {
			failures++
			return waitAfter(failures, waits, chance())
		},
		reset() {
			failures = 0
		},
	}
}
