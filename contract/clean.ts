/**
 * Characters that must not be in a status: control characters, which a terminal interprets, and format characters (bidirectional overrides,
 * zero-width characters) and line separators, which make a string look different from what it is.
 */
export const UNFIT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/** @returns the string as one line that is safe in a status and in a terminal; an unpaired surrogate becomes U+FFFD */
export function clean(text: string): string {
	return text.toWellFormed().replace(UNFIT, ' ')
}

/** @returns the string with each line cleaned; line breaks and tabs are kept, as in the content of a file */
export function cleanLines(text: string): string {
	return text
		.split('\n')
		.map(line => line.split('\t').map(clean).join('\t'))
		.join('\n')
}

/** @returns the value with every string in it cleaned, including keys */
export function cleanAll<T>(value: T): T {
	if (typeof value === 'string') return clean(value) as T
	if (Array.isArray(value)) return value.map(one => cleanAll(one)) as T
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [clean(key), cleanAll(one)])) as T
}
