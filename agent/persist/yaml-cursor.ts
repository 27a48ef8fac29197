/** A cursor in a YAML document. */
export class Cursor {
	#at = 0
	readonly #text: string

	constructor(content: string) {
		this.#text = content.replace(/^\u00ef\u00bb\u00bf/, '').replaceAll('\r\n', '\n')
		// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters
		const control = this.#text.search(/[\u0000-\u0008\u000b-\u001f]/)
		if (control !== -1) this.fail('a control character', control)
	}

	get isAtEnd(): boolean {
		return this.#at >= this.#text.length
	}

	/** Number of characters before the cursor on its line. */
	get column(): number {
		return this.#at === 0 ? 0 : this.#at - (this.#text.lastIndexOf('\n', this.#at - 1) + 1)
	}

	/** The document marker (`---` or `...`) at the cursor. */
	get marker(): string | undefined {
		return this.column === 0 ? this.peek(/(?:---|\.\.\.)(?=\s|$)/y) : undefined
	}

	/** @returns the match of a sticky pattern at the cursor */
	peek(pattern: RegExp): string | undefined {
		pattern.lastIndex = this.#at
		return pattern.exec(this.#text)?.[0]
	}

	/** Moves past the match of a sticky pattern at the cursor. */
	take(pattern: RegExp): string | undefined {
		const found = this.peek(pattern)
		this.#at += found?.length ?? 0
		return found
	}

	/** Moves past whitespace and comments. */
	skip(): void {
		this.take(/(?:\s+|(?<=^|\s)#[^\n]*)*/y)
	}

	/** @returns the result of `isRight`, which may move the cursor; if it is false, the cursor is restored */
	tries(isRight: () => boolean): boolean {
		const from = this.#at
		const result = isRight()
		if (!result) this.#at = from
		return result
	}

	/** Whether there is a key at the cursor; YAML limits the length of a key to 1,024 characters. */
	get isKey(): boolean {
		return KEY.test(this.#text.slice(this.#at, this.#at + 1100))
	}

	fail(what: string, at = this.#at): never {
		throw new Error(`line ${this.#text.slice(0, at).split('\n').length} has ${what}`)
	}
}

const KEY =
	/^(?:\?(?=[ \n]|$)|(?:[&!]\S* +)*(?:"(?:[^"\\\n]|\\[^\n])*"[ \t]*|'(?:[^'\n]|'')*'[ \t]*|[^\s"'{}[\],#&*!|>%@`](?:[^\n:#]|:(?!\s|$)|(?<=\S)#)*):(?=\s|$))/
