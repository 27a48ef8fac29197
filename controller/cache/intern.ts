/** Recently seen texts. Bounded because names and times occur only once; common texts are soon added again. */
const seen = new Map<string, string>()
const most = 4_096

/**
 * Returns the same value, changed in place so that equal texts share one string. JSON.parse copies every text, and the statuses of a fleet
 * repeat the same ones: with ten thousand node configs, half of all texts were copies.
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
