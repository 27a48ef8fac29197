import type * as z from 'zod'
import { faultsIn } from './faults.ts'

/** Limits of a JSON text, checked before it is parsed: the sender decides how much work parsing and validation take. */
export type JsonBounds = {
	/** UTF-8 bytes of the whole text. */
	bytes: number
	/** Nesting depth of lists and objects. */
	depth: number
	/** Number of all values: each item of a list and each member of an object, at any depth. */
	values: number
}

/**
 * Parses JSON from outside if it is within the limits. These are checked by one scan of the text that builds no values.
 *
 * @returns the value, or the sentence that says what is wrong
 */
export function parseBounded(text: string, { bytes, depth, values }: JsonBounds): { value: unknown } | { fault: string } {
	const size = Buffer.byteLength(text)
	if (size > bytes) return { fault: `it has ${size} bytes, and ${bytes} are allowed` }
	const found = shapeOf(text)
	if (found.depth > depth) return { fault: `its lists and objects are ${found.depth} deep, and ${depth} is allowed` }
	if (found.values > values) return { fault: `it has ${found.values} values, and ${values} are allowed` }
	try {
		return { value: JSON.parse(text) }
	} catch {
		return { fault: 'it is not JSON' }
	}
}

/**
 * Parses JSON from outside that must have the form of a schema, if it is within the limits.
 *
 * @returns the value, or the sentence that says what is wrong with it
 */
export function readBounded<T>(text: string, bounds: JsonBounds, schema: z.ZodType<T>): { value: T } | { fault: string } {
	const json = parseBounded(text, bounds)
	if ('fault' in json) return json
	const parsed = schema.safeParse(json.value)
	return parsed.success ? { value: parsed.data } : { fault: faultsIn(parsed.error, { whole: 'it' }) }
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c

/** Returns a meaningless result for a text that is not JSON, which does not matter. An empty list counts as if it had one value. */
function shapeOf(text: string): { depth: number; values: number } {
	let depth = 0
	let deepest = 0
	let values = 1
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at)
		if (code === QUOTE) at = endOfString(text, at)
		else if (code === COMMA) values++
		else if (isOpening(code)) {
			values++
			if (++depth > deepest) deepest = depth
		} else if (isClosing(code)) depth--
	}
	return { depth: deepest, values }
}

/** `[` or `{`. */
function isOpening(code: number): boolean {
	return code === 0x5b || code === 0x7b
}

/** `]` or `}`. */
function isClosing(code: number): boolean {
	return code === 0x5d || code === 0x7d
}

/** @param at position of the opening quote. @returns the position of the closing quote, or the end of the text */
function endOfString(text: string, at: number): number {
	for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) if (!isEscaped(text, end)) return end
	return text.length
}

function isEscaped(text: string, at: number): boolean {
	let slashes = 0
	while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++
	return slashes % 2 === 1
}
