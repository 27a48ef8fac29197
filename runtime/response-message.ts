import { parseBounded } from './bounded-json.ts'

/** Maximum length of the returned message, in characters. */
const longest = 300
/** Limits for JSON in an error response. A larger body is not a message for people. */
const REFUSAL = { bytes: 1 << 20, depth: 32, values: 10_000 }
/** Number of characters at the beginning of a body that are used, for example of an HTML page. */
const PAGE = 1 << 16
/** An unclosed element matches the rest of the text. Otherwise each opening tag would cause a search to the end of the text. */
const MARKUP = /<(style|script)[\s\S]*?(?:<\/\1>|$)|<[^>]*(?:>|$)/gi

/**
 * Returns the message in the body of an error response: the message field of its JSON if there is one, otherwise the text of the body.
 *
 * OpenStack nests the message (`{ error: { message } }`, `{ NeutronError: { message } }`, `{ badRequest: { message } }`), fastify does not.
 *
 * @param hide removes secrets from the decoded message before it is truncated, so that no part of a secret remains
 */
export function responseMessage(body: string, hide: (text: string) => string = text => text): string {
	const sentence = sentenceIn(parsed(body), 0)
	const words = hide(sentence ?? body).slice(0, PAGE)
	return oneLine(sentence === undefined && /^\s*</.test(words) ? words.replace(MARKUP, ' ') : words)
}

/**
 * Returns a function that replaces secrets with `[hidden]`, including JSON-encoded and URL-encoded secrets, and the bare token of an
 * Authorization header.
 */
export function createRedactor(headers: Readonly<Record<string, string>>, secrets: readonly string[]): (text: string) => string {
	const held = Object.entries(headers).filter(([name]) => /authorization|token|cookie|secret|key/i.test(name))
	const words = [...secrets, ...held.flatMap(([, value]) => [value, value.replace(/^\w+ /, '')])].filter(word => word.length >= 4)
	const written = words.flatMap(word => [word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word.toWellFormed())])
	// longest first: if a secret contains a shorter one, replacing the shorter one first would leave the rest of the longer one
	const forms = [...new Set(written)].toSorted((a, b) => b.length - a.length)
	return text => forms.reduce((rest, word) => rest.replaceAll(word, '[hidden]'), text)
}

function sentenceIn(value: unknown, depth: number): string | undefined {
	if (typeof value !== 'object' || value === null || depth > 3) return undefined
	const fields = value as Readonly<Record<string, unknown>>
	for (const name of ['message', 'faultstring', 'error_description', 'detail', 'error', 'title']) {
		const words = fields[name]
		if (typeof words === 'string' && words !== '') return words
	}
	for (const inner of Object.values(fields)) {
		const words = sentenceIn(inner, depth + 1)
		if (words) return words
	}
	return undefined
}

function parsed(body: string): unknown {
	const json = parseBounded(body, REFUSAL)
	return 'value' in json ? json.value : undefined // an HTML page, plain text, or too large: the body is used unchanged
}

function oneLine(text: string): string {
	const words = text.replace(/\s+/g, ' ').trim()
	return words.length > longest ? `${words.slice(0, longest)}…` : words
}
