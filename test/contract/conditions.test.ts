import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut } from '../../contract/conditions.ts'

test.each<[title: string, text: string, max: number, result: string]>([
	['that fits stays as it is', 'short', 5, 'short'],
	['that is longer loses its end', 'a long sentence', 8, 'a long …'],
	['keeps the command at its end', `${'x'.repeat(40)} (ip rule show)`, 30, `${'x'.repeat(14)}… (ip rule show)`],
	['keeps a short sentence after the command', `${'x'.repeat(40)} (ip a); again`, 34, `${'x'.repeat(19)}… (ip a); again`],
	['loses a command that would leave no room for the rest', `${'x'.repeat(40)} (ip route show table 100)`, 30, `${'x'.repeat(29)}…`],
	['loses half a character rather than show it', 'abc😀def', 5, 'abc\ufffd…'],
])('a message %s', (_, text, max, result) => {
	expect(cut(text, max)).toBe(result)
})

test('no message exceeds its maximum length, and a megabyte takes no more work than a line', () => {
	const parts = fc.array(fc.constantFrom(' (', ')', ' x', '.', '; again', 'word'), { maxLength: 40 }).map(all => all.join(''))
	fc.assert(fc.property(parts, fc.integer({ min: 1, max: 80 }), (text, max) => cut(text, max).length <= max))
	expect(cut(` (${' x'.repeat(500_000)}`)).toHaveLength(256)
})
