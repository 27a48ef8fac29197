import { canonicalForm, type Interface } from './interface.ts'

/** Returns one text for equivalent interfaces: ordered by id, keys sorted, names and defaults filled in. A spec's hash is its digest. */
export function canonicalText(interfaces: readonly Interface[]): string {
	return canonicalJson(canonicalForm(interfaces).toSorted((a, b) => a.id - b.id))
}

/** @returns JSON with sorted keys and without undefined ones; empty if there is no value */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(sorted(value)) ?? ''
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted)
	if (typeof value !== 'object' || value === null) return value
	const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
	return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}
