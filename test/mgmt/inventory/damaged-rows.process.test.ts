import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { nics, providerId, reported, sent, viewIn } from './samples.ts'

/** Rows that SQLite reads, but whose values this process never wrote. */

const log = createLog('test', { level: 'silent' })
const node = { providerId, nodeName: 'worker-1' }
let folder: string
let path: string

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), 'inventory-'))
	path = join(folder, 'inventory.db')
	await using inventory = await open()
	await inventory.record([reported(viewIn('Configured', 1, nics(1, 2))), reported(viewIn('Configured', 2, nics(2, 1)))])
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each([
	"update node set config = '[{'",
	"update node set config = 'null'",
	"update node set config = '[null, 7, {}]'",
	"update node set report = '{ '",
	"update node set report = 'null'",
	"update change set difference = '['",
	'update revision set value = 9007199254740990',
	'update revision set value = 9223372036854775807',
	'update revision set value = -9',
	"update revision set value = 'x'",
	'update node set revision = 9007199254740990',
	"update node set revision = 'x'",
	'update change set seq = 9007199254740990 where seq = (select max(seq) from change)',
	'update node set changed_at = 9223372036854775807',
	'update nic set seen_at = 9223372036854775807',
	"update nic set id = 99 where node = 'worker-2'",
	'delete from revision',
])('%s: reads continue, and the next report writes it again', async sql => {
	const database = new DatabaseSync(path)
	database.exec(sql)
	database.close()
	await using inventory = await open()
	expect((await inventory.nodes('*', {}, { limit: 10 })).items.map(({ nodeName }) => nodeName)).toEqual(['worker-1', 'worker-2'])
	await inventory.history(node, { limit: 10 })
	const before = await inventory.revision()
	const same = [1, 2].map(i => reported(viewIn('Configured', i, nics(i, 3 - i)), 3_000))
	inventory.learn([...same, sent(3, nics(3, 1))])
	expect(await inventory.drained()).toBe(true)
	expect(inventory.state()).toMatchObject({ state: 'available' })
	const { items } = await inventory.nodes('*', {}, { limit: 10 })
	expect(items).toMatchObject([
		{ interfaces: nics(1, 2), state: 'Configured', report: { generation: 1 }, nics: [{ id: 0 }, { id: 1 }] },
		{ interfaces: nics(2, 1), state: 'Configured', report: { generation: 1 }, nics: [{ id: 0 }] },
		{ nodeName: 'worker-3' },
	])
	expect((await inventory.revision()).revision).toBeGreaterThan(before.revision)
})

async function open() {
	const inventory = openInventory({ use: 'sqlite', sqlite: { path } }, { log, retryMs: 50 })
	await inventory.opened
	inventory.lead()
	return Object.assign(inventory, { [Symbol.asyncDispose]: () => inventory.close() })
}
