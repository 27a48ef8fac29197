/** What would end a line, or be an order to the terminal that shows it: control characters, and Unicode's own ends of a line and changes of direction. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu

/** @returns the text as one line that shows what it holds; spaces stay, for words may stand in columns */
export function oneLine(text: string): string {
	return text.replace(/\s*[^\S ]\s*/g, ' ').replace(unseen, '?')
}
