import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { buffer } from 'node:stream/consumers'
import { execa } from 'execa'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Inventory } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { nics, portId, providerId, reported, sent, viewIn } from './samples.ts'

/** What the inventory does when its SQLite file is damaged, locked, read-only, or on a full disk. */

const root = mkdtempSync(join(tmpdir(), 'inventory-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0
let folder: string
let path: string
beforeEach(() => {
	folder = join(root, String(++count))
	mkdirSync(folder)
	path = join(folder, 'inventory.db')
})

const node = { providerId, nodeName: 'worker-1' }
const log = createLog('test', { level: 'silent' })
const unavailable = { code: 'Unavailable', retry: true }

async function open(file = path): Promise<Inventory & AsyncDisposable> {
	const inventory = openInventory({ use: 'sqlite', sqlite: { path: file } }, { log, retryMs: 50 })
	await inventory.opened
	inventory.lead()
	return Object.assign(inventory, { [Symbol.asyncDispose]: () => inventory.close() })
}

async function filled(nodes = 3): Promise<void> {
	await using inventory = await open()
	await inventory.record(Array.from({ length: nodes }, (_, i) => sent(i, nics(i, nodes > 100 ? 10 : 3))))
}

const isAvailable = (inventory: Inventory) => expect.poll(() => inventory.state()).toMatchObject({ state: 'available' })
const countOf = async (inventory: Inventory) => (await inventory.nodes('*', {}, { limit: 1_000 })).items.length

describe('damage', () => {
	test.each<[string, (file: string) => void]>([
		['a file that is not a database', file => writeFileSync(file, 'this is not a database, and long enough to be one: '.repeat(20))],
		[
			'random bytes over the whole file',
			file => writeFileSync(file, Buffer.from(fc.sample(fc.uint8Array({ minLength: 9_000, maxLength: 9_000 }), 1)[0] ?? [])),
		],
		['random bytes in the middle', file => overwrite(file, 4_096, 8_192)],
		['a file that was cut', file => truncateSync(file, Math.floor(statSync(file).size / 8_192) * 4_096)],
	])('%s is kept under another name, reported, and replaced', async (_, damage) => {
		await filled()
		damage(path)
		const damaged = readFileSync(path)
		await using inventory = await open()
		const state = inventory.state()
		expect(state).toMatchObject({ state: 'available', replaced: { file: expect.stringContaining('.damaged-') } })
		const { replaced } = state as Extract<typeof state, { state: 'available' }>
		expect(readFileSync(replaced?.file ?? '')).toEqual(damaged)
		expect(await countOf(inventory)).toBe(0)
		await inventory.record([sent(1, nics(1, 2))])
		expect(await countOf(inventory)).toBe(1)
	})

	test('random bytes that are written while the file is open are noticed, and what is learned is stored in a new file', async () => {
		// more than SQLite keeps in memory
		await filled(1_000)
		await using inventory = await open()
		overwrite(path, 4_096, statSync(path).size)
		await inventory.search('*', 'nothing like this', 20).catch(() => {})
		await inventory.nodes('*', {}, { limit: 1_000 }).catch(() => {})
		await expect.poll(() => inventory.state()).toMatchObject({ state: 'available', replaced: {} })
		inventory.learn([reported(viewIn('Configured', 1, nics(1, 2)))])
		expect(await inventory.drained()).toBe(true)
		expect(await inventory.idsOf(node)).toEqual(new Map([0, 1].map(id => [portId(1, id), id])))
	})

	test('an empty file is a new database', async () => {
		writeFileSync(path, '')
		await using inventory = await open()
		expect(inventory.state()).toEqual({ state: 'available', since: expect.any(Number) })
	})
})

describe('locks', () => {
	test('a second process gets nothing, and takes over when the first one has ended', async () => {
		const script = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(process.argv[1]);
			db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; begin immediate; commit'); console.log('locked'); setInterval(() => db, 1000)`
		await filled()
		const other = spawn('node', ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
		await once(other.stdout, 'data')
		await using inventory = await open()
		expect(inventory.state()).toMatchObject({ state: 'unavailable', reason: 'Locked' })
		await expect(inventory.idsOf(node)).rejects.toMatchObject(unavailable)
		await expect(inventory.record([sent(1, [])])).rejects.toMatchObject(unavailable)
		inventory.learn([sent(9, nics(9, 1))])
		other.kill('SIGKILL')
		await isAvailable(inventory)
		expect(await inventory.drained()).toBe(true)
		expect(await countOf(inventory)).toBe(4)
	})

	test('while it is open, no other connection reads or writes the file', async () => {
		await using inventory = await open()
		expect(inventory.state().state).toBe('available')
		const other = new DatabaseSync(path)
		expect(() => other.exec('select * from node')).toThrow('database is locked')
		other.close()
	})
})

describe('the disk', () => {
	test('is full: writes fail, reads continue, and what was learned is stored when there is room', async () => {
		await using disk = await mounted('size=600k')
		await using inventory = await open(join(disk.path, 'inventory.db'))
		await inventory.record([sent(1, nics(1, 2))])
		const filler = join(disk.path, 'filler')
		await execa('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k'], { reject: false })
		const many = Array.from({ length: 40 }, (_, i) => reported(viewIn('Configured', i, nics(i, 10))))
		await expect(inventory.record(many)).rejects.toMatchObject(unavailable)
		expect(inventory.state()).toMatchObject({ state: 'unavailable', reason: 'DiskFull' })
		expect(await countOf(inventory)).toBe(1)
		await execa('mount', ['-o', 'remount,size=8m', disk.path])
		inventory.learn(many)
		await isAvailable(inventory)
		expect(await inventory.drained()).toBe(true)
		expect(await countOf(inventory)).toBe(40)
	})

	test('becomes read-only: writes fail, and succeed again after that', async () => {
		await using disk = await mounted('size=8m')
		const file = join(disk.path, 'inventory.db')
		const first = await open(file)
		await first.record([sent(1, nics(1, 2))])
		await first.close()
		await execa('mount', ['-o', 'remount,ro', disk.path])
		await using inventory = await open(file)
		expect(inventory.state()).toMatchObject({ state: 'unavailable', reason: 'ReadOnly' })
		await expect(inventory.idsOf(node)).rejects.toMatchObject(unavailable)
		inventory.learn([sent(2, nics(2, 2))])
		await execa('mount', ['-o', 'remount,rw', disk.path])
		await isAvailable(inventory)
		expect(await inventory.drained()).toBe(true)
		expect(await countOf(inventory)).toBe(2)
	})

	test('has no such folder, and it cannot be created', async () => {
		writeFileSync(join(folder, 'file'), '')
		await using inventory = await open(join(folder, 'file', 'inventory.db'))
		expect(inventory.state()).toMatchObject({ state: 'unavailable', reason: 'DatabaseError' })
	})
})

describe('a backup', () => {
	test('is a whole database: placed at the path, the next start has everything', async () => {
		await using inventory = await open()
		await inventory.record(Array.from({ length: 20 }, (_, i) => sent(i, nics(i, 3))))
		const { bytes, stream } = await inventory.backup()
		await inventory.record([sent(99, nics(99, 1))])
		const copy = await buffer(stream)
		expect(copy).toHaveLength(bytes)
		expect(readdirSync(folder).filter(name => name.startsWith(`${basename(path)}.copy`))).toEqual([])
		const restored = join(folder, 'restored.db')
		writeFileSync(restored, copy)
		await using other = await open(restored)
		expect(await countOf(other)).toBe(20)
	})

	test('that an earlier process did not finish is removed', async () => {
		await filled()
		copyFileSync(path, `${path}.copy-left`)
		await using _ = await open()
		expect(readdirSync(folder)).not.toContain('inventory.db.copy-left')
	})

	test('fails if there is no room for it, and leaves nothing behind', async () => {
		await using disk = await mounted('size=1m')
		await using inventory = await open(join(disk.path, 'inventory.db'))
		await inventory.record(Array.from({ length: 20 }, (_, i) => sent(i, nics(i, 3))))
		await execa('dd', ['if=/dev/zero', `of=${join(disk.path, 'filler')}`, 'bs=1k'], { reject: false })
		await expect(inventory.backup()).rejects.toMatchObject(unavailable)
		expect(readdirSync(disk.path).filter(name => name.includes('.copy-'))).toEqual([])
		expect(await countOf(inventory)).toBe(20)
	})
})

function overwrite(file: string, from: number, to: number): void {
	const content = readFileSync(file)
	const noise = Buffer.from(fc.sample(fc.uint8Array({ minLength: to - from, maxLength: to - from }), 1)[0] ?? [])
	noise.copy(content, from)
	writeFileSync(file, content.subarray(0, Math.max(content.length, to)))
}

/** A file system of its own, whose size and mode the test changes. */
async function mounted(options: string) {
	const at = join(folder, 'disk')
	mkdirSync(at)
	await execa('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at])
	return { path: at, [Symbol.asyncDispose]: async () => void (await execa('umount', ['-l', at])) }
}
