import { parseBounded } from './bounded-json.ts'

/** How much of what a remote says is repeated. */
const longest = 300
/** A refusal that means to be read is smaller. */
const REFUSAL = { bytes: 1 << 20, depth: 32, values: 10_000 }
/** Of a page only the beginning is looked at (characters). */
const PAGE = 1 << 16
/** An element that never ends takes all that follows: else each that begins would be searched to the end of the text. */
const MARKUP = /<(style|script)[\s\S]*?(?:<\/\1>|$)|<[^>]*(?:>|$)/gi

/**
 * What a remote said, from the body of its refusal: the sentence in it where it is JSON that has one, else its text.
 *
 * OpenStack wraps it (`{ error: { message } }`, `{ NeutronError: { message } }`, `{ badRequest: { message } }`), fastify does not.
 *
 * @param hide takes the secrets out: of the sentence as it is meant, before it is cut, so that no half of one stays
 */
export function remoteWords(body: string, hide: (text: string) => string = text => text): string {
	const sentence = sentenceIn(parsed(body), 0)
	const words = hide(sentence ?? body).slice(0, PAGE)
	return oneLine(sentence === undefined && /^\s*</.test(words) ? words.replace(MARKUP, ' ') : words)
}

/** Replaces every secret by `[hidden]`, also as JSON and URLs write it, and the bare token of an Authorization header. */
export function hideSecrets(headers: Readonly<Record<string, string>>, secrets: readonly string[]): (text: string) => string {
	const held = Object.entries(headers).filter(([name]) => /authorization|token|cookie|secret|key/i.test(name))
	const words = [...secrets, ...held.flatMap(([, value]) => [value, value.replace(/^\w+ /, '')])].filter(word => word.length >= 4)
	const written = words.flatMap(word => [word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word.toWellFormed())])
	// the longest first: where one is part of another, its rest would stay
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
	return 'value' in json ? json.value : undefined // a page, plain words, or too much of it: used as they are
}

function oneLine(text: string): string {
	const words = text.replace(/\s+/g, ' ').trim()
	return words.length > longest ? `${words.slice(0, longest)}…` : words
}
