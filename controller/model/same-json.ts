/** Equal as JSON, regardless of the order of keys; a key without a value counts as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
	if (a === b) return true
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
	if (Array.isArray(a) !== Array.isArray(b)) return false
	const left = a as Readonly<Record<string, unknown>>
	const right = b as Readonly<Record<string, unknown>>
	return [...new Set([...Object.keys(left), ...Object.keys(right)])].every(key => sameJson(left[key], right[key]))
}
