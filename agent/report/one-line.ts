/** Characters that would end a line or control the terminal: control characters, line separators and direction marks of Unicode. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu

/** @returns the text as one line without hidden characters; keeps spaces, because words may be aligned in columns */
export function oneLine(text: string): string {
	return text.replace(/\s*[^\S ]\s*/g, ' ').replace(unseen, '?')
}
