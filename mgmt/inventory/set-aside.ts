import { codeOf, wordsOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Change } from './inventory.ts'
import { isRefusedData } from './lost.ts'

/** The shortest time between two log lines of the same kind, in milliseconds. */
const SILENT_MS = 60_000

/** The most characters of a text from outside in a log line. */
const WORDS_MAX = 200

/** Returns a function that runs work at most once a minute, with the number of calls that it replaces. */
export function atMostOnceAMinute<Args extends unknown[]>(now: () => number, work: (calls: number, ...args: Args) => void) {
	let last: number | undefined
	let calls = 0
	return (...args: Args) => {
		calls++
		const at = now()
		// a clock that was set back must not silence the log for as long
		if (last !== undefined && at >= last && at - last < SILENT_MS) return
		last = at
		work(calls, ...args)
		calls = 0
	}
}

/** Returns a function that logs a change that is not stored. The message of the database is cut, and its statement, which has all data, is omitted. */
export function setsAside(log: Log, now: () => number): (change: Change, error: unknown) => void {
	const refused = atMostOnceAMinute(now, (changes: number, change: Change, error: unknown) =>
		log.warn({ changes, ...placeOf(change), ...causeOf(error) }, 'the database does not accept the data of a change, which is not stored'),
	)
	const failed = atMostOnceAMinute(now, (changes: number, change: Change, error: unknown) =>
		log.error({ changes, ...placeOf(change), ...causeOf(error), ...stackOf(error) }, 'a change is not stored because of a bug'),
	)
	return (change, error) => (isRefusedData(error) ? refused : failed)(change, error)
}

/** Returns a function that logs a change for which the backlog has no room. */
export function drops(log: Log, now: () => number): (change: Change) => void {
	return atMostOnceAMinute(now, (changes: number, change: Change) =>
		log.warn(
			{ changes, ...placeOf(change) },
			'too much of this provider is not stored yet: further changes are dropped until the database stores again, and the next full report repeats them',
		),
	)
}

function placeOf(change: Change): Readonly<Record<string, string>> {
	if (change.kind === 'subnet') return { kind: change.kind, subnetId: printable(change.subnetId) }
	const { kind, providerId } = change
	if (change.kind === 'portGone') return { kind, providerId, portId: printable(change.portId) }
	return { kind, providerId, nodeName: printable(change.kind === 'reported' ? change.view.nodeName : change.nodeName) }
}

function causeOf(error: unknown): Readonly<Record<string, string>> {
	return { code: codeOf(error), cause: printable(wordsOf(error)) }
}

function stackOf(error: unknown): Readonly<Record<string, string>> {
	const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter(line => /^ +at /.test(line)) : []
	return { stack: frames.slice(0, 10).join('\n') }
}

function printable(text: string): string {
	return text.slice(0, WORDS_MAX).toWellFormed().replaceAll(/\p{C}/gu, '?')
}
