import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TokenFile } from '../../runtime/token-file.ts'

let folder: string
const path = () => join(folder, 'token')
const write = (text: string) => writeFileSync(path(), text)
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'multinic-token-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a changed token is used immediately; while the file has no valid token, the last valid one is used', () => {
	write('first\n')
	const token = TokenFile.parse(path())
	const read = (text: string) => {
		write(text)
		return token()
	}
	expect([token(), read('second'), read(''), read('two\nlines'), read(' third \n')]).toEqual([
		'first',
		'second',
		'second',
		'second',
		'third',
	])
	rmSync(path())
	expect(token()).toBe('third')
})

test.each<[sentence: string, text: string | undefined, words: RegExp]>([
	['that does not exist', undefined, /^ENOENT/],
	['that is empty', ' \n', /token: is empty$/],
	['with more than one token', 'two\nlines', /token: must be printable ASCII/],
])('a token file %s is rejected at startup, and the message does not contain its content', (_, text, words) => {
	rmSync(path(), { force: true })
	if (text !== undefined) write(text)
	const { error } = TokenFile.safeParse(path())
	expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringMatching(words)])
	expect(error?.message).not.toContain('two')
})
