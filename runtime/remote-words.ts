/** How much of what a remote says is repeated. */
const longest = 300

/**
 * What a remote said, from the body of its refusal: the sentence in it where it is JSON that has one, else its text.
 *
 * OpenStack wraps it (`{ error: { message } }`, `{ NeutronError: { message } }`, `{ badRequest: { message } }`), fastify does not.
 */
export function remoteWords(body: string): string {
	return oneLine(sentenceIn(parsed(body), 0) ?? (/^\s*</.test(body) ? body.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ') : body))
}

/** Replaces every secret by `[hidden]`, also the bare token of an Authorization header. */
export function hideSecrets(headers: Readonly<Record<string, string>>, secrets: readonly string[]): (text: string) => string {
	const held = Object.entries(headers).filter(([name]) => /authorization|token|cookie|secret|key/i.test(name))
	const words = [...secrets, ...held.flatMap(([, value]) => [value, value.replace(/^\w+ /, '')])].filter(word => word.length >= 4)
	return text => words.reduce((rest, word) => rest.replaceAll(word, '[hidden]'), text)
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
	try {
		return JSON.parse(body)
	} catch {
		return undefined // a page or plain words: used as they are
	}
}

function oneLine(text: string): string {
	const words = text.replace(/\s+/g, ' ').trim()
	return words.length > longest ? `${words.slice(0, longest)}…` : words
}
