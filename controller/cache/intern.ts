/**
 * Recently seen strings. The map is cleared when it is full, because names and times occur only once; common strings are soon added again.
 */
const seen = new Map<string, string>()
const most = 4_096

/**
 * Deduplicates the strings in a value, in place, so that equal strings share memory. JSON.parse allocates every string separately, and the
 * statuses of a fleet contain the same strings: with ten thousand node configs, half of all strings were duplicates.
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
