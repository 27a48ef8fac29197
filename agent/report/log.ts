import { isFailure, wordsOf } from '../model/failure.ts'
import type { Log } from '../model/run-log.ts'
import { oneLine } from './one-line.ts'

/** Writes lines for people, with the text in a column, or one JSON object per line. */
export function createLog(format: LogFormat, write: (line: string) => void): Log {
	if (format === 'json') {
		const line = (facts: object) => write(`${JSON.stringify({ time: new Date().toISOString(), ...facts })}\n`)
		return {
			tell: (what, words, facts) => line({ msg: what, words, ...facts }),
			nic: (name, mac, words) => line({ msg: 'interface', name, mac, words }),
			facts: (what, facts) => line({ msg: what, ...facts }),
		}
	}
	return {
		tell: (what, words) => write(`${`${what.padEnd(15)} ${oneLine(words)}`.trimEnd()}\n`),
		nic: (name, mac, words) => write(`${name.padEnd(10)} ${mac}  ${oneLine(words)}\n`),
		facts: () => {},
	}
}

/** How many frames of a stack show where a bug is. */
const FRAMES = 6

/**
 * Logs what went wrong, and for a bug also where. Node's own output would show the bundle's source, one line of 100 kB, and every property
 * of the error, which has not been checked for secrets.
 */
export function tellError(log: Log, what: string, error: unknown): void {
	const words = oneLine(wordsOf(error))
	if (isFailure(error)) log.tell(what, words)
	else {
		log.tell(what, `by a bug of the agent: ${words.slice(0, 500)}`)
		for (const frame of framesOf(error)) log.tell('at', frame)
	}
}

function framesOf(error: unknown): string[] {
	const lines = error instanceof Error ? (error.stack ?? '').split('\n').map(line => line.trim()) : []
	return lines.flatMap(line => /^at (.{1,200})/.exec(line)?.[1] ?? []).slice(0, FRAMES)
}

export type LogFormat = 'human' | 'json'
