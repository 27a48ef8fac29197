import { stringify } from 'yaml'
import { cleanLines, UNFIT } from '../../contract/clean.ts'

/** Formats for machines. Pure. */

export type Format = 'json' | 'yaml'

/** @returns the whole as text, without its last line's end; what a terminal would carry out is escaped in JSON, and cleaned in YAML */
export function formatted(value: unknown, format: Format): string {
	return format === 'json' ? escaped(JSON.stringify(value, undefined, 4)) : cleanLines(stringify(value, { lineWidth: 0 }).trimEnd())
}

/** @returns one of many, as a stream of them has it: a line of JSON, or a YAML document */
export function streamed(value: unknown, format: Format): string {
	return format === 'json' ? escaped(JSON.stringify(value)) : `---\n${formatted(value, format)}`
}

/** Whether an output is meant for machines. */
export function isFormat(output: string | undefined): output is Format {
	return output === 'json' || output === 'yaml'
}

/** Line ends are those between JSON's own lines; any other such character is in a text. */
function escaped(json: string): string {
	return json.replace(UNFIT, found => found.replace(/[^\n]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))
}
