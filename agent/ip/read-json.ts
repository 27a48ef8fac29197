import * as z from 'zod'
import { canonicalIp } from '../../contract/ip.ts'
import { faultsIn } from '../../runtime/faults.ts'
import { failure, wordsOf } from '../model/failure.ts'

/**
 * Parses a line of `ip -j`. `ip` prints control characters in aliases and names unescaped, which JSON does not allow, and some versions
 * escape apostrophes, which JSON does not allow either. `::10.0.0.1` becomes `::a00:1`, because an address has the same form everywhere.
 *
 * @throws SyntaxError if the corrected line is still not JSON
 */
export function ipJson(text: string): unknown {
	const json = /['\p{Cc}]/u.test(text) ? text.replaceAll(ODD, corrected) : text
	return JSON.parse(DOTTED.test(json) ? json.replaceAll(new RegExp(DOTTED, 'g'), (_, ip: string) => `"${canonicalIp(ip)}`) : json)
}

/**
 * Runs a function that parses the output of a command.
 *
 * @throws Failure COMMAND_FAILED if the output does not have the expected form
 */
export function parsedOutput<T>(read: () => T, command = 'ip'): T {
	try {
		return read()
	} catch (error) {
		const words = error instanceof z.ZodError ? faultsIn(error, { whole: 'it' }) : wordsOf(error)
		throw failure('COMMAND_FAILED', `unexpected output of ${command}: ${words}`, { cause: error })
	}
}

/** Matches a backslash together with the next character, so that the second of two backslashes does not start an escape. */
const ODD = /\\[\s\S]|\p{Cc}/gu

function corrected(found: string): string {
	if (found === "\\'") return "'"
	return found.startsWith('\\') ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const DOTTED = new RegExp(`"(::${OCTET}(?:\\.${OCTET}){3})(?=["/])`)
