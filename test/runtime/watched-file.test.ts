import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { readEnv } from '../../runtime/env.ts'
import { createLog } from '../../runtime/log.ts'
import { filePath, readSource, watchFiles } from '../../runtime/watched-file.ts'
import { manualTime } from './manual-time.ts'

let root: string
let folder: string
let number = 0
const path = (name = 'file') => join(folder, name)
beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), 'multinic-watched-'))
})
beforeEach(() => {
	folder = join(root, String(number++))
	mkdirSync(folder)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Accepts whole numbers. */
function parse(...texts: readonly string[]): number {
	const text = texts.join('')
	if (!/^\d+$/.test(text)) throw new Error('must be a number')
	return Number(text)
}

function watch(...names: string[]) {
	const time = manualTime()
	const lines: string[] = []
	const changes: number[] = []
	const end = new AbortController()
	const log = createLog('test', { to: { write: line => void lines.push(JSON.parse(line).level) } })
	const current = watchFiles(readSource((names.length > 0 ? names : ['file']).map(path), parse), {
		log,
		signal: end.signal,
		onChange: value => void changes.push(value),
		setTimer: time.setTimer,
	})
	return { current, time, lines, changes, end }
}

test.each<[sentence: string, replace: () => void]>([
	['written in place', () => writeFileSync(path(), '2')],
	[
		'replaced by a rename',
		() => {
			writeFileSync(path('new'), '2')
			renameSync(path('new'), path())
		},
	],
	[
		'removed and created again',
		() => {
			rmSync(path())
			writeFileSync(path(), '2')
		},
	],
])('a file that is %s is used within 5 s', (_, replace) => {
	writeFileSync(path(), '1')
	const { current, time, changes } = watch()
	replace()
	expect(current()).toBe(1)
	time.pass(5_000)
	expect([current(), changes]).toEqual([2, [2]])
})

test('a Secret that the kubelet replaces through its symbolic link is used within 5 s', () => {
	for (const version of ['1', '2']) {
		mkdirSync(path(version))
		writeFileSync(join(path(version), 'file'), version)
	}
	symlinkSync('1', path('..data'))
	symlinkSync(join('..data', 'file'), path())
	const { current, time } = watch()
	symlinkSync('2', path('..data_tmp'))
	renameSync(path('..data_tmp'), path('..data'))
	time.pass(5_000)
	expect(current()).toBe(2)
})

test('a file that does not change is neither parsed nor reported again', () => {
	writeFileSync(path(), '1')
	const { time, changes, lines } = watch()
	writeFileSync(path(), '1')
	time.pass(600_000)
	expect([changes, lines]).toEqual([[], []])
})

test.each<[sentence: string, damage: () => void]>([
	['is invalid', () => writeFileSync(path(), 'x')],
	['is removed', () => rmSync(path())],
	['is too large', () => writeFileSync(path(), '1'.repeat((1 << 20) + 1))],
])('a file that %s leaves the last valid version in use, with one warning per minute', (_, damage) => {
	writeFileSync(path(), '1')
	const { current, time, changes, lines } = watch()
	damage()
	time.pass(5_000)
	expect(lines).toEqual(['warn'])
	time.pass(175_000)
	expect([current(), changes, lines]).toEqual([1, [], ['warn', 'warn', 'warn']])
	writeFileSync(path(), '3')
	time.pass(5_000)
	expect([current(), changes, lines.at(-1)]).toEqual([3, [3], 'info'])
})

test('the last valid version that is restored ends the warnings, and is no change', () => {
	writeFileSync(path(), '1')
	const { time, changes, lines } = watch()
	for (const text of ['x', '1', 'x']) {
		writeFileSync(path(), text)
		time.pass(5_000)
	}
	expect([changes, lines]).toEqual([[], ['warn', 'warn']])
})

test('files of one configuration are parsed together', () => {
	writeFileSync(path('a'), '1')
	writeFileSync(path('b'), '2')
	const { current, time } = watch('a', 'b')
	writeFileSync(path('b'), '3')
	time.pass(5_000)
	expect(current()).toBe(13)
})

test('a watch that is ended has no timer', () => {
	writeFileSync(path(), '1')
	const { time, end } = watch()
	time.pass(5_000)
	end.abort()
	expect(time.waiting()).toBe(0)
})

test.each<[sentence: string, create: () => void, words: RegExp]>([
	['that does not exist', () => {}, /^F: ENOENT.*file/],
	['that is invalid', () => writeFileSync(path(), 'x'), /^F: .*file: must be a number$/],
	['that is a directory', () => mkdirSync(path()), /^F: .*file: is not a regular file$/],
	['that is a pipe', () => execFileSync('mkfifo', [path()]), /^F: .*file: is not a regular file$/],
	['that is too large', () => writeFileSync(path(), '1'.repeat((1 << 20) + 1)), /^F: .*file: has 1048577 bytes, and at most 1048576/],
])('at start, a file %s is a fault of its variable', (_, create, words) => {
	create()
	const read = () => readEnv(z.object({ F: filePath(parse) }), { F: path() })
	expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(words) }))
})
