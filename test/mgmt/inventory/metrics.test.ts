import { Registry } from '@prometheus-io/client'
import { expect, test } from 'vitest'
import { inventoryMetrics } from '../../../mgmt/inventory/metrics.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { nics, sent } from './samples.ts'

const log = createLog('test', { level: 'silent' })

test('operations and connections are counted as they happen', async () => {
	const registry = new Registry()
	const inventory = openInventory({ use: 'sqlite', sqlite: { path: ':memory:' } }, { log, metrics: inventoryMetrics(registry) })
	await inventory.opened
	inventory.lead()
	await inventory.record([sent(1, nics(1, 1))])
	await inventory.nodes('*', {}, { limit: 1, cursor: 'x' }).catch(() => {})
	const open = await registry.metrics()
	expect(open).toContain('multinic_database_operation_duration_seconds_count{operation="record",outcome="ok"} 1')
	expect(open).toContain('multinic_database_operation_duration_seconds_count{operation="nodes",outcome="failed"} 1')
	expect(open).toContain('multinic_active_db_connections 1')
	await inventory.close()
	expect(await registry.metrics()).toContain('multinic_active_db_connections 0')
})

test('while the inventory is disabled, every call is refused, and nothing is kept', async () => {
	const inventory = openInventory({ use: 'nothing' }, { log })
	await inventory.opened
	inventory.lead()
	inventory.learn([sent(1, nics(1, 1))])
	expect([inventory.state(), await inventory.drained()]).toEqual([{ state: 'disabled' }, true])
	for (const call of [inventory.record([]), inventory.revision(), inventory.idsOf({ providerId: 'a', nodeName: 'b' }), inventory.backup()])
		await expect(call).rejects.toMatchObject({ code: 'Disabled', retry: false })
})
