import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InventorySettings } from '../../../mgmt/inventory/config.ts'
import type { Change, Inventory } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { actor, nic, nics, portId, providerId, reported, sent, view } from './samples.ts'

/** Data that no table accepts holds back nothing else, whichever database the inventory uses. */
export function badDataContract(name: string, make: () => Promise<InventorySettings>): void {
	describe(`bad data in ${name}`, () => {
		let inventory: Inventory

		beforeEach(async () => {
			inventory = openInventory(await make(), { log: createLog('test', { level: 'silent' }), retryMs: 50 })
			await inventory.opened
			inventory.lead()
		})
		afterEach(() => inventory.close())

		const ports = async (node: number) => {
			const found = await inventory.nodesNamed('*', `worker-${node}`)
			return found.flatMap(record => record.nics.map(({ id, portId: port }) => [id, port]))
		}

		test.each([
			['two NICs with one port: the first has it', [nic(1, 0), { ...nic(1, 1), portId: portId(1, 0) }], [[0, portId(1, 0)], [1]]],
			['two NICs with one id: the first counts', [nic(1, 0), nic(1, 1, 0)], [[0, portId(1, 0)]]],
			[
				'two NICs with one MAC',
				[nic(1, 0), { ...nic(1, 1), macAddress: nic(1, 0).macAddress }],
				[
					[0, portId(1, 0)],
					[1, portId(1, 1)],
				],
			],
		])('%s', async (_, interfaces, expected) => {
			await inventory.record([reported(view(1, interfaces))])
			const stored = await ports(1)
			expect(stored).toEqual(expected.map(([id, port]) => [id, port]))
			const before = await inventory.revision()
			await inventory.record([reported(view(1, interfaces))])
			expect(await inventory.revision()).toEqual(before)
			await inventory.record([
				reported(
					view(
						1,
						interfaces.map(one => ({ ...one, mtu: 1400 })),
					),
					3_000,
				),
			])
			expect(await ports(1)).toEqual(stored)
		})

		test('a node takes two ports from another node at once', async () => {
			await inventory.record([sent(1, nics(1, 2)), sent(2, [])])
			await inventory.record([sent(2, [nic(1, 0, 0), nic(1, 1, 1)], { at: 2_000 })])
			expect([await ports(1), await ports(2)]).toEqual([
				[],
				[
					[0, portId(1, 0)],
					[1, portId(1, 1)],
				],
			])
		})

		test('large node configs are stored in several statements', async () => {
			const large = Array.from({ length: 40 }, (_, i) => reported(view(i, nics(i, 1), { lastManager: 'x'.repeat(500_000) })))
			await inventory.record(large)
			expect((await inventory.nodes('*', {}, { limit: 100 })).items).toHaveLength(40)
		})

		test('a change that the database refuses is set aside: the others are stored, and the database is not lost', async () => {
			const subnet = { name: null as never, cidr: '10.0.0.0/16', networkId: 'network-0' }
			const refused: Change = { kind: 'subnet', at: 1, subnetId: 'subnet-0', subnet }
			const others = Array.from({ length: 30 }, (_, i) => sent(i + 10, nics(i + 10, 1)))
			inventory.learn([...others.slice(0, 15), refused, ...others.slice(15)])
			expect(await inventory.drained()).toBe(true)
			expect(inventory.state()).toMatchObject({ state: 'available' })
			expect((await inventory.nodes(['biz-1'], {}, { limit: 100 })).items).toHaveLength(30)
		})

		test('a text that is too long for its column, which SQLite does not limit, holds back nothing', async () => {
			inventory.learn([sent(1, nics(1, 1), { instanceId: 'i'.repeat(300) }), sent(2, nics(2, 1))])
			expect(await inventory.drained()).toBe(true)
			expect(inventory.state()).toMatchObject({ state: 'available' })
			expect(await ports(2)).toEqual([[0, portId(2, 0)]])
		})

		test('a node whose name has a lone surrogate or a space at its end holds back nothing', async () => {
			await inventory.record([reported(view(1, nics(1, 1)))])
			const names = ['\ud800', 'worker-1 ']
			inventory.learn(names.map((nodeName, i) => reported({ ...view(9, nics(i + 20, 1)), nodeName })))
			inventory.learn([sent(2, nics(2, 1))])
			expect(await inventory.drained()).toBe(true)
			inventory.learn(names.map((nodeName, i) => reported({ ...view(9, nics(i + 30, 2)), nodeName })))
			inventory.learn(names.map(nodeName => ({ kind: 'removed', at: 3_000, providerId, nodeName, actor })))
			expect(await inventory.drained()).toBe(true)
			expect(inventory.state()).toMatchObject({ state: 'available' })
			expect([await ports(1), await ports(2)]).toEqual([[[0, portId(1, 0)]], [[0, portId(2, 0)]]])
		})

		test('a node config that fails because of a bug is set aside as well', async () => {
			inventory.learn([reported({ ...view(1, nics(1, 1)), interfaces: [null as never] }), sent(2, nics(2, 1))])
			expect(await inventory.drained()).toBe(true)
			expect(await inventory.nodesNamed('*', 'worker-2')).toMatchObject([{ providerId }])
		})
	})
}
