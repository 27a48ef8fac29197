import { createHash } from 'node:crypto'

/** As much of a text as is kept in memory (characters). */
const MOST = 256

/**
 * The text itself, or its hash where the text is long. Different texts stay different. A result is not shortened again.
 *
 * A text that is only cut would keep the whole in memory: V8 makes a part of a string a reference to it.
 */
export function shortened(text: string): string {
	return text.length <= MOST ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`
}
