import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arm, leftBehind } from '../../agent/host/deadman.ts'
import { putFiles, readFile } from '../../agent/host/files.ts'

let root: string
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'mn-files-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot)('a file that cannot be put leaves none of the others behind (needs root to give files to root)', () => {
	mkdirSync(join(root, 'taken'))
	writeFileSync(join(root, 'taken/full'), '')
	const file = { content: 'x', mode: 0o600, gid: 0 }
	expect(() => putFiles([[join(root, 'a/one'), file] as const, [join(root, 'taken/full/two'), file] as const])).toThrow(/ENOTDIR|EEXIST/)
	expect(readdirSync(join(root, 'a'))).toEqual([])
	putFiles([[join(root, 'a/one'), file]])
	expect(readFile(join(root, 'a/one'))).toEqual(file)
})

test('an undo that cannot be kept arms nothing, and says why nothing was changed', async () => {
	mkdirSync(join(root, 'var'))
	writeFileSync(join(root, 'var/lib'), '')
	const arming = arm(root, { undo: [], tag: 'g1', deadManSeconds: 60, systemd: false })
	await expect(arming).rejects.toMatchObject({ code: 'NOT_ARMED', message: expect.stringContaining('so nothing was changed: ') })
})

test.each<[title: string, text: string]>([
	['is not JSON', '{'],
	['is none of ours', '{"version": 2, "tag": "g1", "changes": []}'],
])('an undo left behind that %s is a failure that names it', (_, text) => {
	mkdirSync(join(root, 'var/lib/multinic/undo'), { recursive: true })
	writeFileSync(join(root, 'var/lib/multinic/undo/undo.json'), text)
	expect(() => leftBehind(root)).toThrow(expect.objectContaining({ code: 'BAD_RECORD', message: expect.stringContaining('undo.json') }))
})
