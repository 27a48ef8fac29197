import * as z from 'zod'

/** Lists and tables counted before their items are validated: each invalid item may have ten faults, and each fault is an object. */

/** @returns a list of at most so many items */
export function listOf<T extends z.ZodType>(item: T, most: number) {
	return z.array(z.unknown()).max(most).pipe(z.array(item))
}

/** @returns a table of at most so many entries */
export function tableOf<T extends z.ZodType>(value: T, most: number) {
	return z
		.record(z.string(), z.unknown())
		.refine(table => Object.keys(table).length <= most, `must have at most ${most} entries`)
		.pipe(z.record(z.string(), value))
}
