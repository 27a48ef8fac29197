import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Inventory } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { readInventorySettings } from '../../../mgmt/inventory/settings.ts'
import { createLog } from '../../../runtime/log.ts'
import { nics, providerId, sent } from './samples.ts'

/** The file of the Go operator, which is imported once. */

const root = mkdtempSync(join(tmpdir(), 'inventory-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0
let file: string
let lines: string[]
beforeEach(() => {
	file = join(root, `${++count}.json`)
	lines = []
})

async function open(): Promise<Inventory & AsyncDisposable> {
	const log = createLog('test', { to: { write: line => void lines.push(line) } })
	const inventory = openInventory(readInventorySettings({ INVENTORY_DB_PATH: file }), { log })
	await inventory.opened
	inventory.lead()
	return Object.assign(inventory, { [Symbol.asyncDispose]: () => inventory.close() })
}

/** As the Go operator writes it: id 0 is left out, an unknown mtu too, and there is a deviceId. */
function record(node: number, count: number) {
	const interfaces = nics(node, count).map(({ id, ...nic }) => ({ ...(id !== 0 && { id }), ...nic, cidr: '', deviceId: `vm-${node}` }))
	const config = { nodeName: `worker-${node}`, instanceId: `vm-${node}`, interfaces }
	const name = { providerId, nodeName: `worker-${node}`, instanceId: `vm-${node}` }
	return { ...name, config, lastConfigHash: 'abc', updatedAt: '2026-01-14T09:00:00.123456789Z' }
}

const idsOf = async (inventory: Inventory, node: number) => [
	...(await inventory.idsOf({ providerId, nodeName: `worker-${node}` })).values(),
]
const all = { limit: 1_000 }

test('every record is stored, with the id that the name gives, and the file is kept', async () => {
	const text = JSON.stringify({ records: Array.from({ length: 120 }, (_, i) => record(i, 3)) }, null, 2)
	writeFileSync(file, text)
	await using inventory = await open()
	const { items } = await inventory.nodes('*', {}, all)
	expect(items).toHaveLength(120)
	expect(items[0]).toMatchObject({ instanceId: 'vm-0', sentAt: Date.parse('2026-01-14T09:00:00.123Z'), state: 'Pending' })
	expect(await idsOf(inventory, 7)).toEqual([0, 1, 2])
	expect(readFileSync(file, 'utf8')).toBe(text)
})

test('it is imported once: a later start does not undo what happened since', async () => {
	writeFileSync(file, JSON.stringify({ records: [record(1, 3)] }))
	const first = await open()
	await first.record([sent(1, nics(1, 1))])
	await first.close()
	await using inventory = await open()
	expect(await idsOf(inventory, 1)).toEqual([0])
})

test('a file that comes later than the database is not imported', async () => {
	await (await open()).close()
	writeFileSync(file, JSON.stringify({ records: [record(1, 3)] }))
	await using inventory = await open()
	expect(await inventory.nodes('*', {}, all)).toEqual({ items: [] })
})

test('a record that cannot be used keeps no other one out, and is named in the log', async () => {
	const bad = [
		null,
		{ ...record(2, 1), providerId: '' },
		{ ...record(3, 1), config: { interfaces: 'none' } },
		{ ...record(4, 1), nodeName: 'a b', config: {} },
	]
	writeFileSync(file, JSON.stringify({ records: [...bad, record(1, 2)] }))
	await using inventory = await open()
	expect((await inventory.nodes('*', {}, all)).items).toHaveLength(1)
	const said = lines.map(line => JSON.parse(line)).find(({ msg }) => msg === 'imported and kept the file')
	expect(said).toMatchObject({ nodes: 1, rejected: { length: 4 } })
})

test.each([
	['is not JSON', '{"records": ['],
	['has another shape', '{"records": "all"}'],
	['is a list', '[]'],
	['is nested too deep', `{"records": ${'['.repeat(1_000)}${']'.repeat(1_000)}}`],
])('a file that %s is reported and kept, and the inventory begins without it', async (_, text) => {
	writeFileSync(file, text)
	await using inventory = await open()
	expect(inventory.state()).toMatchObject({ state: 'available' })
	expect(lines.join('')).toContain('the file was not imported')
	expect(readFileSync(file, 'utf8')).toBe(text)
	await inventory.record([sent(1, nics(1, 1))])
})

test('an empty file of the Go operator has no records', async () => {
	writeFileSync(file, '{"records": null}')
	await using inventory = await open()
	expect(await inventory.nodes('*', {}, all)).toEqual({ items: [] })
})
