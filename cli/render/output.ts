import { stringify } from 'yaml'

/** Formats for machines. Pure. */

export type Format = 'json' | 'yaml'

/** @returns the whole as text, without its last line's end */
export function formatted(value: unknown, format: Format): string {
	return format === 'json' ? JSON.stringify(value, undefined, 4) : stringify(value, { lineWidth: 0 }).trimEnd()
}

/** @returns one of many, as a stream of them has it: a line of JSON, or a YAML document */
export function streamed(value: unknown, format: Format): string {
	return format === 'json' ? JSON.stringify(value) : `---\n${formatted(value, format)}`
}

/** Whether an output is meant for machines. */
export function isFormat(output: string | undefined): output is Format {
	return output === 'json' || output === 'yaml'
}
