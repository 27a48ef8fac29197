import { createHash } from 'node:crypto'

/** Maximum length of a string that is kept unchanged (characters). */
const MOST = 256

/**
 * Returns the string, or its hash if it is long. Different strings remain different, and a result is never shortened again.
 *
 * Truncating would not save memory: in V8, a substring keeps a reference to the whole original string.
 */
export function shortened(text: string): string {
	return text.length <= MOST ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`
}
