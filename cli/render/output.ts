import { stringify } from 'yaml'
import { cleanLines, UNFIT } from '../../contract/clean.ts'

/** Machine-readable formats. Pure. */

export type Format = 'json' | 'yaml'

/** @returns the value as text, without the final newline; terminal control characters are escaped in JSON, and become spaces in YAML */
export function formatted(value: unknown, format: Format): string {
	return format === 'json' ? escaped(JSON.stringify(value, undefined, 4)) : cleanLines(stringify(value, { lineWidth: 0 }).trimEnd())
}

/** @returns one item of a stream: a line of JSON, or a YAML document */
export function streamed(value: unknown, format: Format): string {
	return format === 'json' ? escaped(JSON.stringify(value)) : `---\n${formatted(value, format)}`
}

/** Reports whether an output is machine-readable. */
export function isFormat(output: string | undefined): output is Format {
	return output === 'json' || output === 'yaml'
}

/** Escapes control characters except newlines, which in JSON output only occur between lines. */
function escaped(json: string): string {
	return json.replace(UNFIT, found => found.replace(/[^\n]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))
}
