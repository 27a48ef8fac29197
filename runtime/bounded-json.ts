import type * as z from 'zod'
import { faultsIn } from './faults.ts'

/** Limits for a JSON string. They are checked before parsing, because the sender controls how much work parsing and validation take. */
export type JsonBounds = {
	/** Size of the whole string in UTF-8 bytes. */
	bytes: number
	/** Nesting depth of arrays and objects. */
	depth: number
	/** Total number of values at any depth: the root, array items and object members. */
	values: number
}

/**
 * Parses untrusted JSON if it is within the limits. One scan of the string checks the limits without building any values.
 *
 * @returns the value, or a sentence that describes the fault
 */
export function parseBounded(text: string, { bytes, depth, values }: JsonBounds): { value: unknown } | { fault: string } {
	const size = Buffer.byteLength(text)
	if (size > bytes) return { fault: `it has ${size} bytes, and at most ${bytes} are allowed` }
	const found = shapeOf(text)
	if (found.depth > depth) return { fault: `it is nested ${found.depth} levels deep, and at most ${depth} are allowed` }
	if (found.values > values) return { fault: `it has ${found.values} values, and at most ${values} are allowed` }
	try {
		return { value: JSON.parse(text) }
	} catch {
		return { fault: 'it is not JSON' }
	}
}

/**
 * Parses untrusted JSON if it is within the limits, and validates it against a schema.
 *
 * @returns the value, or a sentence that describes the fault
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

/**
 * Counts the nesting depth and the values of a JSON string. For invalid JSON the counts are meaningless, but such a string is rejected in
 * any case. An empty array or object counts as if it had one value.
 */
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

/** @param at position of the opening quote. @returns the position of the closing quote, or the length of `text` if there is none */
function endOfString(text: string, at: number): number {
	for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) if (!isEscaped(text, end)) return end
	return text.length
}

function isEscaped(text: string, at: number): boolean {
	let slashes = 0
	while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++
	return slashes % 2 === 1
}
