import { parseBounded } from './bounded-json.ts'

/** Maximum length of a remote's message that is repeated (characters). */
const longest = 300
/** A refusal meant to be read is smaller. */
const REFUSAL = { bytes: 1 << 20, depth: 32, values: 10_000 }
/** Only the beginning of a page is searched (characters). */
const PAGE = 1 << 16
/** An element that is never closed matches the rest of the text. Otherwise every opening tag would be searched to the end of the text. */
const MARKUP = /<(style|script)[\s\S]*?(?:<\/\1>|$)|<[^>]*(?:>|$)/gi

/**
 * Returns a remote's message from the body of its refusal: the sentence in the JSON if it has one, else the text.
 *
 * OpenStack wraps it (`{ error: { message } }`, `{ NeutronError: { message } }`, `{ badRequest: { message } }`), fastify does not.
 *
 * @param hide removes secrets from the decoded sentence before it is cut, so that no part of a secret remains
 */
export function responseMessage(body: string, hide: (text: string) => string = text => text): string {
	const sentence = sentenceIn(parsed(body), 0)
	const words = hide(sentence ?? body).slice(0, PAGE)
	return oneLine(sentence === undefined && /^\s*</.test(words) ? words.replace(MARKUP, ' ') : words)
}

/** Returns a function that replaces secrets by `[hidden]`, also in JSON and URL encoding, and the bare token of an Authorization header. */
export function createRedactor(headers: Readonly<Record<string, string>>, secrets: readonly string[]): (text: string) => string {
	const held = Object.entries(headers).filter(([name]) => /authorization|token|cookie|secret|key/i.test(name))
	const words = [...secrets, ...held.flatMap(([, value]) => [value, value.replace(/^\w+ /, '')])].filter(word => word.length >= 4)
	const written = words.flatMap(word => [word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word.toWellFormed())])
	// longest first: if one secret contains another, the rest of it would remain
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
	return 'value' in json ? json.value : undefined // a page, plain text, or too large: used as it is
}

function oneLine(text: string): string {
	const words = text.replace(/\s+/g, ' ').trim()
	return words.length > longest ? `${words.slice(0, longest)}…` : words
}
