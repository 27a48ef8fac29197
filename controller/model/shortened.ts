import { createHash } from 'node:crypto'

/** The longest text that is kept in memory (characters). */
const MOST = 256

/**
 * Returns the text, or its hash if it is long. Different texts stay different. A result is not shortened again.
 *
 * A text that is only cut would keep the whole in memory: V8 makes a substring a reference to the original.
 */
export function shortened(text: string): string {
	return text.length <= MOST ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`
}
