import { canonicalForm, type Interface } from './interface.ts'

/**
 * Returns the same string for equivalent interfaces: ordered by id, with sorted keys, and with names and defaults filled in. The hash of a
 * spec is the digest of this string.
 */
export function canonicalText(interfaces: readonly Interface[]): string {
	return canonicalJson(canonicalForm(interfaces).toSorted((a, b) => a.id - b.id))
}

/**
 * Returns whether two lists of interfaces are equivalent. An empty list in an interface (`routes: []`) is treated as absent here, but not
 * in the canonical text, because hashes of such specs are stored.
 */
export function meanTheSame(a: readonly Interface[], b: readonly Interface[]): boolean {
	return canonicalText(a.map(withoutEmptyLists)) === canonicalText(b.map(withoutEmptyLists))
}

function withoutEmptyLists({ addresses, routes, ...nic }: Interface): Interface {
	return { ...nic, ...(addresses?.length && { addresses }), ...(routes?.length && { routes }) }
}

/** @returns JSON with sorted keys and without undefined values; the empty string if `value` is undefined */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(sorted(value)) ?? ''
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted)
	if (typeof value !== 'object' || value === null) return value
	const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
	return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}

/** Returns whether two values have the same canonical JSON, without serializing them. */
export function sameJson(a: unknown, b: unknown): boolean {
	if (a === b) return true
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
	if (Array.isArray(a) !== Array.isArray(b)) return false
	return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(key => sameJson(own(a, key), own(b, key)))
}

/** Returns an own property of the object, because JSON may contain `__proto__` as a key. */
function own(object: object, key: string): unknown {
	return Object.hasOwn(object, key) ? (object as Readonly<Record<string, unknown>>)[key] : undefined
}
