/** The first and the longest wait after failures in a row, in milliseconds. */
export type Waits = { firstMs: number; maxMs: number }

/** More doublings do not matter: the maximum is reached long before. A larger power would be infinite. */
const MOST_DOUBLINGS = 60

/**
 * Returns how long to wait after failure number `failures` (from 1) in a row, in milliseconds: twice as long as after the one before, up to
 * the maximum.
 *
 * @param chance 0 ≤ x < 1: shortens the wait by up to half, so that many clients of one server do not return at the same moment
 */
export function waitAfter(failures: number, { firstMs, maxMs }: Waits, chance = 0): number {
	return Math.min(firstMs * 2 ** Math.min(failures - 1, MOST_DOUBLINGS), maxMs) * (1 - chance / 2)
}
