import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { arm, unfinishedUndo } from '../../../agent/rollback/arm.ts'
import { exists, namesIn, putFiles, removeFile } from '../../../agent/host/files.ts'
import { MAX_BYTES, readFile, readRegularFile } from '../../../agent/host/read-files.ts'
import { follow } from '../../../agent/host/resolve-path.ts'

let root: string
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'mn-files-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot)('if one of several files cannot be written, none remains (needs root to set the owner of files)', () => {
	mkdirSync(join(root, 'taken'))
	writeFileSync(join(root, 'taken/full'), '')
	const file = { content: 'x', mode: 0o600, gid: 0 }
	expect(() =>
		putFiles(root, [
			['/a/one', file],
			['/taken/full/two', file],
		]),
	).toThrow(/ENOTDIR|EEXIST/)
	expect(readdirSync(join(root, 'a'))).toEqual([])
	putFiles(root, [['/a/one', file]])
	expect(readFile(root, '/a/one')).toEqual(file)
})

test('a run whose undo cannot be stored is not armed, and the error states that nothing was changed', async () => {
	mkdirSync(join(root, 'var'))
	writeFileSync(join(root, 'var/lib'), '')
	const arming = arm(root, { undo: [], tag: 'g1', commitTimeoutSeconds: 60, systemd: false })
	await expect(arming).rejects.toMatchObject({ code: 'NOT_ARMED', message: expect.stringContaining('so nothing was changed: ') })
})

test.each<[title: string, text: string | undefined]>([
	['is not JSON', '{'],
	['has an unknown version', '{"version": 2, "tag": "g1", "steps": []}'],
	['is a directory', undefined],
	['has a tag that is a path', '{"version":1,"tag":"../g1","steps":[]}'],
	...[
		'{"kind":"addAddress"}',
		'{"kind":"format","link":3}',
		'{"kind":"up","link":"3\\nlink del dev mgmt"}',
		'{"kind":"rename","link":3,"to":"a\\nlink del dev mgmt"}',
		'{"kind":"removeRule","rule":{"family":4,"from":"10.0.0.0/8 lookup 5\\n","priority":1,"table":2}}',
		'{"kind":"sysctl","name":"..","key":"../../kernel/panic","value":"1"}',
		'{"kind":"removeFile","path":"/etc/../root/x"}',
		'{"kind":"writeFile","path":"/etc/a\\nExecStart=/bin/x","file":{"content":"","mode":384,"gid":0}}',
		'{"kind":"writeFile","path":"/etc/ld.so.preload","file":{"content":"/tmp/x.so","mode":384,"gid":0}}',
		'{"kind":"removeFile","path":"/etc/netplan/50-cloud-init.yaml"}',
		'{"kind":"writeFile","path":"/etc/netplan/99-multinic0.yaml","file":{"content":1}}',
		'{"kind":"reloadUdev"}',
	].map((change): [string, string] => [`has the change ${change}`, `{"version":1,"tag":"g1","steps":[{"change":${change}}]}`]),
	...[
		'{"kind":"loadProfiles","paths":["/etc/NetworkManager/system-connections/theirs.nmconnection"]}',
		'{"kind":"unmanage","link":3,"name":"a b"}',
		'{"kind":"checkDuplicates","link":3,"name":"ens7","ips":["10.0.0.5"],"mac":""}',
		'{"kind":"up","link":3}',
		'{"kind":"reloadUdev"},"change":{"kind":"up","link":3}',
	].map((action): [string, string] => [`has the action ${action}`, `{"version":1,"tag":"g1","steps":[{"action":${action}}]}`]),
])('a leftover undo that %s causes an error with its path', (_, text) => {
	const path = 'var/lib/multinic/undo/undo.json'
	mkdirSync(join(root, text === undefined ? path : dirname(path)), { recursive: true })
	if (text !== undefined) writeFileSync(join(root, path), text)
	const message = expect.stringMatching(
		/undo\.json\) cannot be read: .+; nothing was changed\. Check the network of this node, then remove /,
	)
	expect(() => unfinishedUndo(root)).toThrow(expect.objectContaining({ code: 'BAD_RECORD', message }))
})

describe('a path on the host', () => {
	const place = (path: string) => join(root, path)
	test.each<[title: string, given: () => void, found: ReturnType<typeof readRegularFile>]>([
		['missing', () => {}, undefined],
		['in a missing directory', () => rmSync(place('etc'), { recursive: true }), undefined],
		['a directory', () => mkdirSync(place('etc/a')), { why: 'it is a directory', isFile: false }],
		['a named pipe, which is not opened', () => execFileSync('mkfifo', [place('etc/a')]), { why: 'it is a named pipe', isFile: false }],
		['a symlink to itself', () => symlinkSync('a', place('etc/a')), { why: 'it is a symbolic link that points to itself', isFile: false }],
		['a symlink to a missing file', () => symlinkSync('/none', place('etc/a')), undefined],
		['a large file, which is not read', () => sparse('etc/a', 600e6), { why: 'it is larger than 1 MiB', isFile: true }],
		['a file one byte too large', () => sparse('etc/a', MAX_BYTES + 1), { why: 'it is larger than 1 MiB', isFile: true }],
	])('has a defined result if it is %s', (_, given, found) => {
		mkdirSync(place('etc'))
		given()
		expect(readRegularFile(root, '/etc/a')).toEqual(found)
	})

	test.each<[title: string, target: string, content: string | undefined]>([
		['an absolute symlink', '/opt/b', 'b'],
		['a relative symlink', '../opt/b', 'b'],
		['a symlink with more .. than its path has directories', '../../../../../../opt/b', 'b'],
		['a symlink to a symlink', '/opt/link', 'b'],
		['a symlink to /dev/null', '/dev/null', ''],
		['a symlink to a file that only the container has', import.meta.filename, undefined],
	])('is resolved below the root of the host through %s', (_, target, content) => {
		for (const folder of ['etc', 'opt']) mkdirSync(place(folder))
		writeFileSync(place('opt/b'), 'b')
		symlinkSync('b', place('opt/link'))
		symlinkSync(target, place('etc/a'))
		expect(readFile(root, '/etc/a')?.content).toBe(content)
	})

	test('is read completely at exactly the maximum size', () => {
		writeFileSync(place('a'), Buffer.alloc(MAX_BYTES, 'x'))
		expect(readFile(root, '/a')?.content).toHaveLength(MAX_BYTES)
	})

	function sparse(path: string, bytes: number) {
		writeFileSync(place(path), '')
		truncateSync(place(path), bytes)
	}
})

describe.skipIf(!isRoot)('a directory of the host that is an absolute symlink (needs root to set the owner of files)', () => {
	const file = { content: 'x', mode: 0o600, gid: 0 }
	let outside: string
	beforeEach(() => {
		outside = mkdtempSync(join(tmpdir(), 'mn-outside-'))
		mkdirSync(join(root, 'etc'))
		symlinkSync(outside, join(root, 'etc/netplan'))
	})
	afterEach(() => rmSync(outside, { recursive: true, force: true }))

	test('is resolved below the root of the host: nothing outside is written, listed or removed', () => {
		writeFileSync(join(outside, 'a.yaml'), 'theirs')
		expect(namesIn(root, '/etc/netplan')).toEqual([])
		putFiles(root, [['/etc/netplan/a.yaml', file]])
		expect(namesIn(root, '/etc/netplan')).toEqual(['a.yaml'])
		expect(follow(root, '/etc/netplan/a.yaml').at).toBe(join(root, outside, 'a.yaml'))
		removeFile(root, '/etc/netplan/a.yaml')
		expect(exists(root, '/etc/netplan/a.yaml')).toBe(false)
		expect(readFileSync(join(outside, 'a.yaml'), 'utf8')).toBe('theirs')
	})

	test('is also resolved for the state directory: a run is armed below the root of the host', async () => {
		mkdirSync(join(root, 'var/lib'), { recursive: true })
		symlinkSync(outside, join(root, 'var/lib/multinic'))
		const armed = await arm(root, { undo: [], tag: 'g1', commitTimeoutSeconds: 60, systemd: false })
		expect([readdirSync(outside), readdirSync(join(root, outside))]).toEqual([[], ['undo']])
		expect(unfinishedUndo(root)).toEqual(armed)
	})
})
