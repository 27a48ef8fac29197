import * as z from 'zod'

/**
 * Schemas that limit the size of lists and tables before their items are validated: an invalid item may have ten faults, and each fault is
 * an object.
 */

/** @returns a schema of a list with at most `most` items */
export function listOf<T extends z.ZodType>(item: T, most: number) {
	return z.array(z.unknown()).max(most).pipe(z.array(item))
}

/** @returns a schema of a table with at most `most` entries */
export function tableOf<T extends z.ZodType>(value: T, most: number) {
	return z
		.record(z.string(), z.unknown())
		.refine(table => Object.keys(table).length <= most, `must have at most ${most} entries`)
		.pipe(z.record(z.string(), value))
}
