/** The width of a string in terminal cells. Pure. */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Characters without a width: combining marks, and characters that are not displayed. */
const none = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11FF\uD7B0-\uD7FB]$/u

/**
 * Characters that are East Asian Wide or Fullwidth (UAX #11), as Unicode blocks, and emoji. Compared with Unicode 17, only unassigned
 * characters differ.
 */
const wide =
	/^[\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\u3247\u3250-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1D300}-\u{1D356}\u{1D360}-\u{1D376}\u{1F200}-\u{1F265}\u{20000}-\u{3FFFD}\p{Emoji_Presentation}]$/u
const flag = /^\p{RI}$/u

/** @returns cells; a character whose width depends on the font (ambiguous) has one */
export function cellsOf(text: string): number {
	if (/^[ -~]*$/.test(text)) return text.length
	return charactersOf(text).reduce((sum, { cells }) => sum + cells, 0)
}

/** @returns the text, padded with spaces to this many cells */
export function padCells(text: string, cells: number): string {
	return text + ' '.repeat(Math.max(0, cells - cellsOf(text)))
}

/** @returns as much of the text as fits into this many cells; if it is cut, it ends with `end` */
export function clipCells(text: string, cells: number, end = '…'): string {
	if (cellsOf(text) <= cells) return text
	let kept = ''
	let room = cells - cellsOf(end)
	for (const character of charactersOf(text)) {
		room -= character.cells
		if (room < 0) break
		kept += character.text
	}
	return cells > 0 ? kept + end : ''
}

/** Splits a string into grapheme clusters, so that what a user perceives as one character is never cut. */
function charactersOf(text: string): { text: string; cells: number }[] {
	return [...graphemes.segment(text)].map(({ segment }) => ({ text: segment, cells: cellsOfCharacter(segment) }))
}

/** An emoji is two cells wide, regardless of how many parts it has. */
function cellsOfCharacter(character: string): number {
	if (/\p{Extended_Pictographic}\uFE0F/u.test(character) || /\p{Emoji_Modifier}/u.test(character)) return 2
	return [...character].reduce((sum, point) => sum + (none.test(point) ? 0 : wide.test(point) && !flag.test(point) ? 2 : 1), 0)
}
