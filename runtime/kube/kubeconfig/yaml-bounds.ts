import { CST, Lexer, Parser } from 'yaml'

/** Limits for YAML from an untrusted sender. */
export type YamlBounds = {
	/** Size in UTF-8 bytes. */
	bytes: number
	/** Nesting depth of mappings and lists. */
	depth: number
	/** Number of lexical tokens, which include spaces and line breaks. */
	tokens: number
}

/**
 * Checks untrusted YAML before it is parsed: the parser recurses once per level, and needs a minute for 90,000 aliases. The scan stops at
 * the first limit that is exceeded. Anchors, aliases and tags are rejected: with aliases, a few lines become billions of values. Pure.
 *
 * @returns a sentence that describes the fault, without any of the text; undefined if the text may be parsed
 */
export function yamlFault(text: string, { bytes, depth, tokens }: YamlBounds): string | undefined {
	const size = Buffer.byteLength(text)
	if (size > bytes) return `it has ${size} bytes, and at most ${bytes} are allowed`
	const parser = new Parser()
	let count = 0
	let before = ''
	for (const lexeme of new Lexer().lex(text)) {
		const fault = ++count > tokens ? `it has more than ${tokens} YAML tokens` : unsafeToken(lexeme, before)
		if (fault) return fault
		before = lexeme
		for (const _ of parser.next(lexeme)); // only the depth of the parser is needed, not the documents
		if (parser.stack.length > depth + FRAME) return `it is nested more than ${depth} levels deep`
	}
	return undefined
}

const unsafeTokens: Readonly<Record<string, string>> = { anchor: 'a YAML anchor', alias: 'a YAML alias', tag: 'a YAML tag' }

/** The token after a SCALAR mark is a value, which may begin with any character. */
function unsafeToken(lexeme: string, before: string): string | undefined {
	const unsafe = before === CST.SCALAR ? undefined : unsafeTokens[CST.tokenType(lexeme) ?? '']
	return unsafe && `it has ${unsafe}, which is not allowed`
}

/** Entries of the parser's stack that are not collections: the document, and the value that is read. */
const FRAME = 2
