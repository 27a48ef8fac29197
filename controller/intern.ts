/** Texts seen lately. Bounded, for names and times are seen once: what many say is soon there again. */
const seen = new Map<string, string>()
const most = 4_096

/**
 * The same value, changed in place, where a text seen before is the one seen before. JSON makes a copy of every text, and the statuses of a
 * fleet say the same: with ten thousand node configs half of all texts were copies.
 */
export function interned<T>(value: T): T {
	if (typeof value === 'string') return intern(value) as T
	if (Array.isArray(value)) for (const [index, item] of value.entries()) value[index] = interned(item)
	else if (typeof value === 'object' && value !== null) {
		const record = value as Record<string, unknown>
		for (const name of Object.keys(record)) record[name] = interned(record[name])
	}
	return value
}

function intern(text: string): string {
	const known = seen.get(text)
	if (known !== undefined) return known
	if (seen.size === most) seen.clear()
	seen.set(text, text)
	return text
}
