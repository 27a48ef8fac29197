/**
 * Characters that are not for words in a status: controls, which a terminal carries out, and marks of format (overrides of direction, zero-width
 * characters) and separators of lines, which show something else than is there.
 */
export const UNFIT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/** @returns the text as one line that may stand in a status and in a terminal; half of a surrogate pair becomes U+FFFD */
export function clean(text: string): string {
	return text.toWellFormed().replace(UNFIT, ' ')
}

/** @returns the text with its lines and tabs, each line cleaned: what a file holds */
export function cleanLines(text: string): string {
	return text
		.split('\n')
		.map(line => line.split('\t').map(clean).join('\t'))
		.join('\n')
}

/** @returns the value with each text in it cleaned, keys of tables too */
export function cleanAll<T>(value: T): T {
	if (typeof value === 'string') return clean(value) as T
	if (Array.isArray(value)) return value.map(one => cleanAll(one)) as T
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [clean(key), cleanAll(one)])) as T
}
