import { expect, test } from 'vitest'
import { atMostOnceAMinute, setsAside } from '../../../mgmt/inventory/set-aside.ts'
import type { Log } from '../../../runtime/log.ts'
import { sent } from './samples.ts'

test('work runs at most once a minute, with the number of calls since it last ran', () => {
	let at = 0
	const ran: [number, string][] = []
	const call = atMostOnceAMinute(
		() => at,
		(calls, word: string) => ran.push([calls, word]),
	)
	for (const [time, word] of [
		[0, 'a'],
		[1, 'b'],
		[59_999, 'c'],
		[60_000, 'd'],
		[60_001, 'e'],
		[5, 'f'],
	] as const) {
		at = time
		call(word)
	}
	expect(ran).toEqual([
		[1, 'a'],
		[3, 'd'],
		[2, 'f'],
	])
})

test('the log has no control characters, no long text and not the statement', () => {
	const lines: object[] = []
	const log = { warn: (line: object) => lines.push(line), error: (line: object) => lines.push(line) } as unknown as Log
	const error = Object.assign(new Error(`Duplicate entry '\u001b[31m\n${'x'.repeat(1_000)}'`), {
		code: 'ER_DUP_ENTRY',
		errno: 1062,
		sql: 'secret',
	})
	setsAside(log, () => 0)(sent(1, []), error)
	setsAside(log, () => 0)(sent(1, []), new TypeError('x is null'))
	expect(lines).toMatchObject([
		{ code: 'ER_DUP_ENTRY', nodeName: 'worker-1' },
		{ cause: 'x is null', stack: expect.stringContaining('at ') },
	])
	const text = JSON.stringify(lines[0])
	expect(text).not.toMatch(/\\u001b|\\n|secret/)
	expect(text.length).toBeLessThan(500)
})
