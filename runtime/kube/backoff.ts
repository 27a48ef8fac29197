/** The waits after repeated failures. */
export type Backoff = {
	/** Returns the next wait in milliseconds: it doubles up to the maximum, minus a random part of up to half. */
	next(): number
	/** Starts again with the first wait, after a success. */
	reset(): void
}

/**
 * Creates waits that double, with jitter so that many clients of one server do not return at the same moment.
 *
 * @param options.chance 0 ≤ x < 1
 */
export function createBackoff({ firstMs, maxMs, chance }: { firstMs: number; maxMs: number; chance: () => number }): Backoff {
	let failures = 0
	return {
		next() {
			const ms = Math.min(firstMs * 2 ** Math.min(failures, 40), maxMs)
			failures++
			return ms * (1 - chance() / 2)
		},
		reset() {
			failures = 0
		},
	}
}
