import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { HeaderText } from './env.ts'
import { wordsOf } from './errors.ts'
import { faultsIn } from './faults.ts'

/** Returns the current token. */
export type TokenSource = () => string

/** A token given as the value of a variable. */
export const FixedToken = HeaderText.transform(
	(text): TokenSource =>
		() =>
			text,
)

/**
 * The path of a file that contains a token, such as a mounted Secret. The file is read each time the token is needed, because the kubelet
 * rewrites it when the Secret changes. While the file is unreadable or has no valid token, the last token is used.
 */
export const TokenFile = z.string().transform((path, context): TokenSource => {
	const first = readToken(path)
	if ('token' in first) return rereading(path, first.token)
	context.addIssue({ code: 'custom', message: first.fault })
	return z.NEVER
})

function rereading(path: string, first: string): TokenSource {
	let last = first
	return () => {
		const read = readToken(path)
		if ('token' in read) last = read.token
		return last
	}
}

function readToken(path: string): { token: string } | { fault: string } {
	try {
		const text = readFileSync(path, 'utf8').trim()
		if (text === '') return { fault: `${path}: is empty` }
		const parsed = HeaderText.safeParse(text)
		return parsed.success ? { token: parsed.data } : { fault: `${path}: ${faultsIn(parsed.error)}` }
	} catch (error) {
		const words = wordsOf(error)
		return { fault: words.includes(path) ? words : `${path}: ${words}` }
	}
}
