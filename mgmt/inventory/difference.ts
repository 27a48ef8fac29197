import { sameJson } from '../../contract/canonical.ts'
import type { Difference } from './records.ts'

type Fields = Readonly<Record<string, unknown>>

/** Returns the fields whose values differ, each with both values; an absent value is null. */
export function differenceOf(before: Fields, after: Fields): Difference {
	const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
	const different = fields.filter(field => !sameJson(before[field] ?? null, after[field] ?? null))
	return Object.fromEntries(different.map(field => [field, [before[field] ?? null, after[field] ?? null]]))
}

/** Returns the differences as a sentence: `mtu 1450 → 1500, address 10.0.0.5 → none`. */
export function wordsOfDifference(difference: Difference): string {
	return Object.entries(difference)
		.map(([field, [before, after]]) => `${field} ${briefly(before)} → ${briefly(after)}`)
		.join(', ')
}

function briefly(value: unknown): string {
	if (value === null) return 'none'
	return typeof value === 'string' ? value : JSON.stringify(value)
}
