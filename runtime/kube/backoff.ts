/** How long to wait after the next failure. */
export type Backoff = {
	/** Milliseconds: doubling, up to the longest, less up to half of it by chance. */
	next(): number
	/** Something worked: start small again. */
	reset(): void
}

/**
 * Doubling waits with jitter, so that many clients of one server do not all return at the same moment.
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
