import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Host, hostAt } from '../../../agent/run/host.ts'

/** The operations of a run that only read files of the host. */

function hostWithFiles(files: Readonly<Record<string, string>>): Host {
	const root = mkdtempSync(join(tmpdir(), 'multinic-host-'))
	onTestFinished(() => rmSync(root, { recursive: true }))
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true })
		writeFileSync(join(root, path), content)
	}
	return hostAt(root)
}

test('a host without an undo is not armed, and has no unfinished run', () => {
	const host = hostWithFiles({})
	expect([host.isArmed(), host.unfinishedTag(), host.unfinishedUndo()]).toEqual([false, undefined, undefined])
})

test('a host with an undo that cannot be read is armed, and reading the undo is an error', () => {
	const host = hostWithFiles({ 'var/lib/multinic/undo/undo.json': '{' })
	expect(host.isArmed()).toBe(true)
	expect(() => host.unfinishedTag()).toThrow(/^the undo that an earlier run left .* cannot be read: /)
	expect(() => host.unfinishedUndo()).toThrow(/^the undo that an earlier run left .* cannot be read: /)
})

test('a host has the nameservers of its resolv.conf', () => {
	expect(hostWithFiles({ 'etc/resolv.conf': 'nameserver 10.9.0.53\n' }).nameservers()).toEqual(['10.9.0.53'])
})
