/** First and maximum wait after consecutive failures, in milliseconds. */
export type Waits = { firstMs: number; maxMs: number }

/** Maximum exponent: a much larger power of two would overflow to infinity, and the maximum wait is reached long before. */
const MOST_DOUBLINGS = 60

/**
 * Returns the wait after a failure, in milliseconds. It doubles with each consecutive failure, up to the maximum.
 *
 * @param failures number of consecutive failures, from 1
 * @param chance 0 ≤ x < 1: shortens the wait by up to half, so that the clients of a server do not all retry at the same time
 */
export function waitAfter(failures: number, { firstMs, maxMs }: Waits, chance = 0): number {
	return Math.min(firstMs * 2 ** Math.min(failures - 1, MOST_DOUBLINGS), maxMs) * (1 - chance / 2)
}
