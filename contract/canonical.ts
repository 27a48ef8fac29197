import { canonicalForm, type Interface } from './interface.ts'

/** One text for interfaces that mean the same: by id, keys in order, names and defaults filled in. What a spec's hash is the digest of. */
export function canonicalText(interfaces: readonly Interface[]): string {
	return canonicalJson(canonicalForm(interfaces).toSorted((a, b) => a.id - b.id))
}

/** @returns JSON with keys in order and without those that are undefined; empty where there is no value */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(sorted(value)) ?? ''
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted)
	if (typeof value !== 'object' || value === null) return value
	const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
	return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}
