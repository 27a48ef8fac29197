import { isFailure, wordsOf } from '../model/failure.ts'
import type { Log } from '../model/run-log.ts'
import { oneLine } from './one-line.ts'

/** Creates a log with aligned lines for users or one JSON object per line. */
export function createLog(format: LogFormat, write: (line: string) => void): Log {
	if (format === 'json') {
		const line = (facts: object) => write(`${JSON.stringify({ time: new Date().toISOString(), ...facts })}\n`)
		return {
			step: (what, words, facts) => line({ msg: what, words, ...facts }),
			nic: (name, mac, words) => line({ msg: 'interface', name, mac, words }),
			facts: (what, facts) => line({ msg: what, ...facts }),
		}
	}
	return {
		step: (what, words) => write(`${`${what.padEnd(15)} ${oneLine(words)}`.trimEnd()}\n`),
		nic: (name, mac, words) => write(`${name.padEnd(10)} ${mac}  ${oneLine(words)}\n`),
		facts: () => {},
	}
}

/** Number of stack frames that are enough to locate a bug. */
const FRAMES = 6

/**
 * Logs an error, with its stack if it is a bug. Node's own output would show the source line of the bundle, which has 100 kB, and every
 * property of the error, which may contain secrets.
 */
export function logError(log: Log, what: string, error: unknown): void {
	const words = oneLine(wordsOf(error))
	if (isFailure(error)) log.step(what, words)
	else {
		log.step(what, `because of a bug of the agent: ${words.slice(0, 500)}`)
		for (const frame of framesOf(error)) log.step('at', frame)
	}
}

function framesOf(error: unknown): string[] {
	const lines = error instanceof Error ? (error.stack ?? '').split('\n').map(line => line.trim()) : []
	return lines.flatMap(line => /^at (.{1,200})/.exec(line)?.[1] ?? []).slice(0, FRAMES)
}

export type LogFormat = 'human' | 'json'
