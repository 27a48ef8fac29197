import { Cursor } from './yaml-cursor.ts'

/** The content of a YAML document. A mapping is a list of pairs, because one key may occur twice; a missing value is the empty string. */
export type Tree = string | readonly Tree[] | { pairs: readonly (readonly [key: string, value: Tree])[] }

/** Maximum depth and number of nodes of a document that describes a network. */
const DEEPEST = 40
const MOST_NODES = 100_000

/**
 * Parses the first YAML document of a file, in time proportional to its length. Rejects features that a description of a network does not
 * need (aliases, keys that are not strings).
 *
 * @throws Error that describes what cannot be parsed, and in which line
 */
export function yamlTree(content: string): Tree {
	return new Reader(content).document()
}

class Reader {
	#nodes = 0
	readonly #text: Cursor

	constructor(content: string) {
		this.#text = new Cursor(content)
	}

	document(): Tree {
		this.#text.skip()
		while (this.#text.column === 0 && this.#text.take(/%[^\n]*/y)) this.#text.skip()
		this.#text.take(/---(?=\s|$)/y)
		const tree = this.#block(-1, 0)
		this.#text.skip()
		if (!this.#text.isAtEnd && this.#text.marker === undefined) this.#text.fail('text that is not part of any value')
		return tree
	}

	/** Parses a node that is indented deeper than `parent`. */
	#block(parent: number, depth: number): Tree {
		this.#count(depth)
		this.#text.skip()
		// Anchors and tags of the whole node; those of its first key are on the line of that key.
		while (this.#text.take(/[&!][^\s,[\]{}]*[ \t]*(?=\n|$)/y)) this.#text.skip()
		const column = this.#text.column
		if (this.#text.isAtEnd || column <= parent || this.#text.marker !== undefined) return ''
		if (this.#text.peek(/-(?=[ \n]|$)/y)) return this.#sequence(column, depth)
		return this.#text.isKey ? this.#mapping(column, depth) : this.#value(parent, depth)
	}

	#sequence(column: number, depth: number): Tree {
		const items: Tree[] = []
		while (this.#isNext(column) && this.#text.take(/-(?=[ \n]|$)/y)) items.push(this.#block(column, depth + 1))
		return items
	}

	#mapping(column: number, depth: number): Tree {
		const pairs: [string, Tree][] = []
		while (this.#isNext(column)) {
			if (this.#text.take(/\?(?=[ \n]|$)/y)) {
				const key = this.#block(column, depth + 1)
				const value = this.#isNext(column) && this.#text.take(/:(?=[ \n]|$)/y) ? this.#block(column, depth + 1) : ''
				pairs.push([this.#asKey(key), value])
			} else {
				if (!this.#text.isKey) this.#text.fail('text that is not a key')
				this.#properties()
				const key = this.#scalar(false, column)
				this.#text.take(/[ \t]*:/y)
				pairs.push([key, this.#after(column, depth)])
			}
		}
		return { pairs }
	}

	/** Parses the value after a colon. A list may have the same indentation as its key. */
	#after(column: number, depth: number): Tree {
		this.#text.take(/[ \t]+/y)
		this.#properties()
		if (!this.#text.peek(/(#[^\n]*)?(\n|$)/y)) return this.#value(column, depth + 1)
		this.#text.skip()
		const listKey = this.#text.column === column && this.#text.peek(/-(?=[ \n]|$)/y)
		return this.#block(listKey ? column - 1 : column, depth + 1)
	}

	/** Parses a node that is neither a block mapping nor a block list. */
	#value(parent: number, depth: number): Tree {
		this.#count(depth)
		this.#properties()
		if (this.#text.peek(/[{[]/y)) return this.#flow(depth)
		if (this.#text.peek(/[|>]/y)) return this.#literal(parent)
		return this.#scalar(false, parent)
	}

	#flow(depth: number): Tree {
		this.#count(depth)
		this.#text.skip()
		this.#properties()
		this.#text.skip()
		if (this.#text.take(/\{/y)) return { pairs: this.#flowEntries(/\}/y, depth).map(([key, value = '']) => [this.#asKey(key), value]) }
		if (this.#text.take(/\[/y))
			return this.#flowEntries(/\]/y, depth).map(([item, value]) => (value === undefined ? item : { pairs: [[this.#asKey(item), value]] }))
		return this.#text.peek(/[,:\]}]/y) ? '' : this.#scalar(true, 0)
	}

	/** Parses the entries of a flow collection (`[]` or `{}`): each key or item, with its value if it has one. */
	#flowEntries(end: RegExp, depth: number): [Tree, Tree | undefined][] {
		const entries: [Tree, Tree | undefined][] = []
		for (this.#text.skip(); !this.#text.take(end); this.#text.skip()) {
			this.#text.take(/\?(?=[ \n])/y)
			const first = this.#flow(depth + 1)
			this.#text.skip()
			entries.push([first, this.#text.take(/:/y) ? this.#flow(depth + 1) : undefined])
			this.#text.skip()
			if (!this.#text.take(/,/y) && !this.#text.peek(end)) this.#text.fail('a bracket that is not closed')
		}
		return entries
	}

	#asKey(key: Tree): string {
		return typeof key === 'string' ? key : this.#text.fail('a key that is not a string')
	}

	#scalar(isFlow: boolean, parent: number): string {
		if (this.#text.take(/"/y)) return this.#quoted('"')
		if (this.#text.take(/'/y)) return this.#quoted("'")
		if (this.#text.peek(/[*]/y)) this.#text.fail('an alias')
		if (this.#text.peek(/[&!%@`|>{}[\],#]/y)) this.#text.fail('a character that cannot begin a value')
		const word = isFlow ? /(?:[^\n:#,[\]{}]|:(?![\s,[\]{}]|$)|(?<=\S)#)*/y : /(?:[^\n:#]|:(?!\s|$)|(?<=\S)#)*/y
		const lines = [this.#text.take(word) ?? '']
		while (this.#text.tries(() => this.#isContinued(isFlow, parent, () => lines.push(this.#text.take(word) ?? ''))));
		return lines.map(line => line.trim()).join(' ')
	}

	/** A plain scalar continues on lines that are indented deeper. */
	#isContinued(isFlow: boolean, parent: number, goOn: () => void): boolean {
		if (!this.#text.take(/[ \t]*\n\s*/y)) return false
		const isMore = !this.#text.isAtEnd && this.#text.marker === undefined && !this.#text.peek(isFlow ? /[#,:[\]{}]/y : /#/y)
		if (!isMore || (!isFlow && (this.#text.column <= parent || this.#text.isKey))) return false
		goOn()
		return true
	}

	#quoted(quote: string): string {
		const body = this.#text.take(quote === '"' ? /(?:[^"\\]|\\[\s\S])*/y : /(?:[^']|'')*/y) ?? ''
		if (!this.#text.take(quote === '"' ? /"/y : /'/y)) this.#text.fail('a quote that is not closed')
		const folded = (text: string) => text.replaceAll(/[ \t]*\n\s*/g, ' ')
		return quote === "'" ? folded(body).replaceAll("''", "'") : folded(body.replaceAll(/\\\n[ \t]*/g, '')).replaceAll(ESCAPE, unescaped)
	}

	/** Parses a block scalar. Trims its lines and ignores its style, because its content does not identify a NIC. */
	#literal(parent: number): string {
		this.#text.take(/[^\n]*/y)
		const lines: string[] = []
		for (;;) {
			const indent = this.#text.peek(/\n *(?=[^\n ])/y)
			if (indent !== undefined && indent.length - 1 <= parent) break
			const line = this.#text.take(/\n[^\n]*/y)
			if (line === undefined) break
			lines.push(line.trim())
		}
		return lines.join('\n')
	}

	#isNext(column: number): boolean {
		this.#text.skip()
		const now = this.#text.column
		if (this.#text.isAtEnd || now < column || this.#text.marker !== undefined) return false
		return now === column || this.#text.fail('unexpected indentation')
	}

	/** Skips anchors and tags, which do not matter for a network. */
	#properties(): void {
		this.#text.take(/(?:[&!][^\s,[\]{}]*[ \t]*)*/y)
	}

	#count(depth: number): void {
		if (depth > DEEPEST) this.#text.fail(`more than ${DEEPEST} levels`)
		if (++this.#nodes > MOST_NODES) this.#text.fail(`more than ${MOST_NODES} values`)
	}
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g

function unescaped(_: string, ...[two, four, eight, letter = '']: (string | undefined)[]): string {
	const code = two ?? four ?? eight
	if (code !== undefined) return Number.parseInt(code, 16) <= 0x10ffff ? String.fromCodePoint(Number.parseInt(code, 16)) : '?'
	return { n: '\n', t: '\t', r: '\r' }[letter] ?? letter
}
