import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Inventory } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import type { InventorySettings } from '../../../mgmt/inventory/settings.ts'
import { createLog } from '../../../runtime/log.ts'
import { actor, nic, nics, owner, portId, providerId, reported, sent, view, viewIn } from './samples.ts'

/** What the inventory does, whichever database it uses. */

const log = createLog('test', { level: 'silent' })
const all = { limit: 100 }

/** @param make settings of a database that is empty */
export function inventoryContract(name: string, make: () => Promise<InventorySettings>): void {
	describe(`the inventory in ${name}`, () => {
		let inventory: Inventory
		let settings: InventorySettings

		beforeEach(async () => {
			settings = await make()
			inventory = openInventory(settings, { log })
			await inventory.opened
			expect(inventory.state()).toMatchObject({ state: 'available' })
			inventory.lead()
		})
		afterEach(() => inventory.close())

		const only = async () => {
			const { items } = await inventory.nodes('*', {}, all)
			expect(items).toHaveLength(1)
			return items[0] as NonNullable<(typeof items)[0]>
		}
		const idsOf = async (node: number) => Object.fromEntries(await inventory.idsOf({ providerId, nodeName: `worker-${node}` }))
		const kinds = async (node: number) => {
			const { items } = await inventory.history({ providerId, nodeName: `worker-${node}` }, all)
			return items.map(({ kind, nic }) => (nic === undefined ? kind : `${kind} ${nic}`)).toReversed()
		}

		describe('what was sent', () => {
			test('is stored, with its NICs and who sent it', async () => {
				await inventory.record([sent(1, nics(1, 2), { seenAt: new Map([[portId(1, 0), 500]]) })])
				expect(await only()).toMatchObject({
					providerId,
					nodeName: 'worker-1',
					instanceId: 'vm-1',
					owner,
					interfaces: nics(1, 2),
					state: 'Pending',
					letters: 'PP',
					createdAt: 1_000,
					changedAt: 1_000,
					sentAt: 1_000,
					nics: [
						{ id: 0, portId: portId(1, 0), macAddress: 'fa:16:3e:00:01:00', address: '10.0.0.2', seenAt: 500, sentAt: 1_000 },
						{ id: 1, portId: portId(1, 1), seenAt: 1_000 },
					],
				})
				const { items } = await inventory.history({ providerId, nodeName: 'worker-1' }, all)
				expect(items.map(({ kind, actor: by }) => [kind, by])).toEqual([
					['NicAdded', actor],
					['NicAdded', actor],
					['NodeAdded', actor],
				])
			})

			test('costs no write and no revision if nothing differs', async () => {
				await inventory.record([sent(1, nics(1, 2))])
				const before = [await inventory.revision(), await only()]
				await inventory.record([sent(1, nics(1, 2), { at: 9_000 })])
				expect([await inventory.revision(), await only()]).toEqual(before)
			})

			test('deletes the rows of ports that it does not list, so that their ids are free', async () => {
				await inventory.record([sent(1, nics(1, 3))])
				await inventory.record([sent(1, [nic(1, 0), nic(1, 2)], { at: 2_000 })])
				expect(await idsOf(1)).toEqual({ [portId(1, 0)]: 0, [portId(1, 2)]: 2 })
				expect(await kinds(1)).toEqual(['NodeAdded', 'NicAdded 0', 'NicAdded 1', 'NicAdded 2', 'NicRemoved 1'])
			})

			test('shows what changed in a NIC', async () => {
				await inventory.record([sent(1, nics(1, 2))])
				await inventory.record([sent(1, [{ ...nic(1, 0), mtu: 9000 }, nic(1, 1)], { at: 2_000 })])
				const { items } = await inventory.history({ providerId, nodeName: 'worker-1' }, { limit: 1 })
				expect(items).toMatchObject([{ kind: 'NicChanged', nic: 0, difference: { mtu: [1450, 9000] }, message: 'mtu 1450 → 9000' }])
			})

			test('exchanges the ids of two ports', async () => {
				await inventory.record([sent(1, nics(1, 2))])
				await inventory.record([sent(1, [nic(1, 1, 0), nic(1, 0, 1)], { at: 2_000 })])
				expect(await idsOf(1)).toEqual({ [portId(1, 1)]: 0, [portId(1, 0)]: 1 })
			})

			test('takes a port away from the node that had it before', async () => {
				await inventory.record([sent(1, nics(1, 2)), sent(2, [])])
				await inventory.record([sent(2, [nic(1, 1, 0)], { at: 2_000 })])
				expect([await idsOf(1), await idsOf(2)]).toEqual([{ [portId(1, 0)]: 0 }, { [portId(1, 1)]: 0 }])
				expect(await kinds(1)).toContain('NicRemoved 1')
			})

			test('with a new owner changes only that', async () => {
				await inventory.record([sent(1, nics(1, 1))])
				await inventory.record([sent(1, nics(1, 1), { at: 2_000, owner: { ...owner, name: 'other' } })])
				expect((await only()).owner).toEqual({ ...owner, name: 'other' })
				expect((await kinds(1)).slice(2)).toEqual(['NodeChanged'])
			})
		})

		describe('what the biz cluster reports', () => {
			test('becomes the state of the node and of its NICs, with times', async () => {
				await inventory.record([sent(1, nics(1, 2)), reported(viewIn('InProgress', 1, nics(1, 2)), 2_000)])
				expect(await only()).toMatchObject({ state: 'InProgress', letters: 'II', nics: [{ startedAt: 2_000 }, {}] })
				await inventory.record([reported(viewIn('Configured', 1, nics(1, 2)), 3_000)])
				const now = await only()
				expect(now).toMatchObject({ state: 'Configured', reason: 'AllConfigured', letters: 'CC' })
				expect(now.nics[0]).toMatchObject({ state: 'Configured', startedAt: 2_000, settledAt: 3_000, sentAt: 1_000 })
				expect((await kinds(1)).slice(3)).toEqual(['StateChanged', 'StateChanged'])
			})

			test('shows which NIC failed, and when it recovered', async () => {
				await inventory.record([reported(viewIn('Failed', 1, nics(1, 1), 'WaitingForDevice'))])
				expect(await only()).toMatchObject({ state: 'Failed', letters: 'F', nics: [{ reason: 'WaitingForDevice' }] })
				await inventory.record([reported(viewIn('Configured', 1, nics(1, 1)), 3_000)])
				expect((await kinds(1)).slice(2)).toEqual(['StateChanged', 'NicFailed 0', 'StateChanged', 'NicRecovered 0'])
			})

			test('is no state of a newer generation', async () => {
				await inventory.record([reported({ ...viewIn('Configured', 1, nics(1, 1)), generation: 2 })])
				expect(await only()).toMatchObject({ state: 'Pending', letters: 'P', report: { generation: 2 } })
			})

			test('corrects the rows where the ids differ', async () => {
				await inventory.record([sent(1, nics(1, 2))])
				await inventory.record([reported(view(1, [nic(1, 0, 5), nic(1, 1, 1)], { lastManager: 'kubectl-edit' }))])
				expect(await idsOf(1)).toEqual({ [portId(1, 0)]: 5, [portId(1, 1)]: 1 })
				const { items } = await inventory.history({ providerId, nodeName: 'worker-1' }, { limit: 1 })
				expect(items).toMatchObject([{ kind: 'IdCorrected', nic: 5, actor: { kind: 'manager', name: 'kubectl-edit' } }])
			})

			test('keeps the id of a NIC that a person took out of the node config', async () => {
				await inventory.record([sent(1, nics(1, 2))])
				await inventory.record([reported(view(1, [nic(1, 1)]))])
				expect(await idsOf(1)).toEqual({ [portId(1, 0)]: 0, [portId(1, 1)]: 1 })
				expect((await only()).nics[0]).toMatchObject({ reason: 'NotInForce' })
				await inventory.record([sent(1, nics(1, 2), { at: 3_000 })])
				expect((await only()).nics[0]).toMatchObject({ reason: '', sentAt: 3_000, seenAt: 1_000 })
			})

			test('names nodes whose NICs have no port', async () => {
				const { portId: _, ...old } = nic(1, 0)
				await inventory.record([reported(view(1, [old]))])
				await inventory.record([reported(view(1, [nic(1, 0)]), 3_000)])
				expect((await only()).nics).toMatchObject([{ id: 0, portId: portId(1, 0), seenAt: 2_000 }])
			})

			test('costs no write if it is repeated', async () => {
				const change = reported(viewIn('Configured', 1, nics(1, 2)))
				await inventory.record([change])
				const before = await inventory.revision()
				await inventory.record([change])
				expect(await inventory.revision()).toEqual(before)
			})
		})

		describe('what is gone', () => {
			test('a node config that was deleted by hand keeps the ids of its ports', async () => {
				await inventory.record([sent(1, [nic(1, 0, 1), nic(1, 1, 2)])])
				await inventory.record([{ kind: 'removed', at: 2_000, providerId, nodeName: 'worker-1', actor }])
				expect(await inventory.nodes('*', {}, all)).toEqual({ items: [] })
				const { items } = await inventory.nodes('*', { state: 'Removed' }, all)
				expect(items).toMatchObject([{ state: 'Removed', removedAt: 2_000, letters: '' }])
				expect(await idsOf(1)).toEqual({ [portId(1, 0)]: 1, [portId(1, 1)]: 2 })
				await inventory.record([sent(1, [nic(1, 0, 1), nic(1, 1, 2)], { at: 3_000 })])
				expect(await only()).toMatchObject({ state: 'Pending', createdAt: 1_000, sentAt: 3_000 })
			})

			test('a port that is gone frees its id and leaves its history', async () => {
				await inventory.record([sent(1, nics(1, 2))])
				await inventory.record([{ kind: 'portGone', at: 2_000, providerId, portId: portId(1, 0) }])
				expect(await idsOf(1)).toEqual({ [portId(1, 1)]: 1 })
				const { nics: left, changes } = await inventory.port('*', portId(1, 0))
				expect([left, changes.map(({ kind }) => kind)]).toEqual([[], ['PortGone', 'NicAdded']])
			})

			test('nothing happens for what is unknown', async () => {
				await inventory.record([
					{ kind: 'portGone', at: 1, providerId, portId: 'nowhere' },
					{ kind: 'removed', at: 1, providerId, nodeName: 'nobody', actor },
					{ kind: 'subnet', at: 1, subnetId: 'none' },
				])
				expect(await inventory.nodes('*', {}, all)).toEqual({ items: [] })
			})
		})

		describe('reading', () => {
			beforeEach(async () => {
				const others = Array.from({ length: 5 }, (_, i) => sent(i + 10, nics(i + 10, 2), { providerId: 'biz-2', at: 5_000 }))
				await inventory.record([sent(1, nics(1, 2)), sent(2, nics(2, 1)), ...others])
				const subnet = { name: 'web', cidr: '10.0.0.0/16', networkId: 'network-0', networkName: 'Front', mtu: 1450 }
				await inventory.record([{ kind: 'subnet', at: 1_000, subnetId: 'subnet-0', subnet }])
			})

			test('pages follow each other in a stable order, without a gap or a repetition', async () => {
				const seen: string[] = []
				let cursor: string | undefined
				do {
					const page = await inventory.nodes('*', {}, { limit: 2, cursor })
					seen.push(...page.items.map(item => `${item.providerId} ${item.nodeName}`))
					cursor = page.next
				} while (cursor)
				const rest = [10, 11, 12, 13, 14].map(n => `biz-2 worker-${n}`)
				expect(seen).toEqual(['biz-1 worker-1', 'biz-1 worker-2', ...rest])
			})

			test.each([
				['a provider', { providerId: 'biz-1' }, ['worker-1', 'worker-2']],
				['a name', { nodeName: 'worker-11' }, ['worker-11']],
				['a VM', { instanceId: 'vm-2' }, ['worker-2']],
				['a state', { state: 'Configured' as const }, []],
				['a subnet', { subnetId: 'subnet-1', providerId: 'biz-1' }, ['worker-1']],
				['a time', { changedSince: 5_000 }, ['worker-10', 'worker-11', 'worker-12', 'worker-13', 'worker-14']],
				['part of a name', { q: 'WORKER-1', providerId: 'biz-1' }, ['worker-1']],
				['part of a MAC of a NIC', { q: 'fa:16:3e:00:02' }, ['worker-2']],
				['the name of a network', { q: 'front', providerId: 'biz-1' }, ['worker-1', 'worker-2']],
			])('nodes can be selected by %s', async (_, filter, wanted) => {
				const { items } = await inventory.nodes('*', filter, all)
				expect(items.map(({ nodeName }) => nodeName)).toEqual(wanted)
			})

			test.each(['', 'x', 'bm90IG91cnM', btoa('[1]'), btoa('["a"]'), btoa('["a","b","c"]')])('cursor %j is refused', async cursor => {
				await expect(inventory.nodes('*', {}, { limit: 2, cursor })).rejects.toMatchObject({ code: 'InvalidCursor', retry: false })
			})

			test('a cursor that is too long is refused', async () => {
				const long = inventory.nodes('*', {}, { limit: 2, cursor: 'A'.repeat(5_000) })
				await expect(long).rejects.toMatchObject({ code: 'InvalidCursor' })
			})

			test('a reader sees only the providers that it may see, in every answer', async () => {
				const scope = ['biz-2']
				expect((await inventory.nodes(scope, {}, all)).items).toHaveLength(5)
				expect((await inventory.nodes([], {}, all)).items).toHaveLength(0)
				expect(await inventory.nodesNamed(scope, 'worker-1')).toEqual([])
				expect(await inventory.nodesOfInstance(scope, 'vm-1')).toEqual([])
				expect(await inventory.port(scope, portId(1, 0))).toEqual({ nics: [], changes: [] })
				expect(await inventory.search(scope, 'worker-2', 20)).toEqual([])
				expect((await inventory.providers(scope)).map(provider => provider.providerId)).toEqual(['biz-2'])
				const { epoch } = await inventory.revision()
				expect(await inventory.changesSince(scope, { epoch, revision: 0 }, 100)).toMatchObject({ items: { length: 5 } })
			})

			test('a NIC shows its subnet once Neutron described it', async () => {
				const { nics: found } = await inventory.port('*', portId(1, 0))
				expect(found).toMatchObject([{ id: 0, subnet: { id: 'subnet-0', name: 'web', networkName: 'Front', mtu: 1450 } }])
				const { nics: other } = await inventory.port('*', portId(1, 1))
				expect(other[0]?.subnet).toEqual({ id: 'subnet-1', name: '', cidr: '', networkId: '' })
			})

			test.each([
				['worker-2', ['node worker-2']],
				['vm-2', ['node worker-2']],
				[portId(2, 0), ['nic worker-2']],
				['FA:16:3E:00:02:00', ['nic worker-2']],
				['10.1.0.2', ['nic worker-1']],
				['network-1', ['nic worker-1', 'nic worker-10', 'nic worker-11', 'nic worker-12', 'nic worker-13', 'nic worker-14']],
				['%', []],
				["' or 1=1 --", []],
				['  ', []],
			])('search for %j', async (q, wanted) => {
				if (q === 'network-1') {
					const subnet = { name: 'back', cidr: '10.1.0.0/16', networkId: 'network-1' }
					await inventory.record([{ kind: 'subnet', at: 1_000, subnetId: 'subnet-1', subnet }])
				}
				const hits = await inventory.search('*', q, 20)
				expect(hits.map(hit => `${hit.kind} ${hit.kind === 'node' ? hit.node.nodeName : hit.nic.nodeName}`)).toEqual(wanted)
			})

			test('a search returns at most as many hits as requested', async () => {
				expect(await inventory.search('*', 'worker', 3)).toHaveLength(3)
			})

			test('providers are counted with their nodes', async () => {
				expect(await inventory.providers('*')).toMatchObject([
					{ providerId: 'biz-1', nodeCount: 2, updatedAt: 1_000, nodes: [{ nodeName: 'worker-1', interfaceCount: 2 }, {}] },
					{ providerId: 'biz-2', nodeCount: 5, updatedAt: 5_000 },
				])
			})

			test('history has pages, newest first', async () => {
				const node = { providerId, nodeName: 'worker-1' }
				const first = await inventory.history(node, { limit: 2 })
				const second = await inventory.history(node, { limit: 2, cursor: first.next })
				expect([...first.items, ...second.items].map(({ kind }) => kind)).toEqual(['NicAdded', 'NicAdded', 'NodeAdded'])
				expect(second.next).toBeUndefined()
			})

			test('changes since a revision come in its order, and include removed nodes', async () => {
				const before = await inventory.revision()
				await inventory.record([
					{ kind: 'removed', at: 6_000, providerId, nodeName: 'worker-2', actor },
					sent(1, nics(1, 3), { at: 6_000 }),
				])
				const changed = await inventory.changesSince('*', before, 100)
				expect(changed).toMatchObject({ items: [{ nodeName: 'worker-2', removedAt: 6_000 }, { nodeName: 'worker-1' }] })
				expect(await inventory.changesSince('*', changed.head, 100)).toEqual({ items: [], head: changed.head })
			})

			test('a revision of another epoch is answered with reset', async () => {
				const { epoch, revision } = await inventory.revision()
				inventory.lead()
				await inventory.record([sent(1, nics(1, 1), { at: 7_000 })])
				expect(await inventory.changesSince('*', { epoch, revision }, 100)).toMatchObject({ reset: true })
			})
		})

		test('a text that is longer than its column is cut', async () => {
			const long = viewIn('Failed', 1, nics(1, 1), 'R'.repeat(64))
			const [ready] = long.status?.conditions ?? []
			if (ready) ready.message = '🙂'.repeat(400)
			await inventory.record([reported(long), sent(2, [], { actor: { kind: 'client', name: 'x'.repeat(1_000) } })])
			const { items } = await inventory.history({ providerId, nodeName: 'worker-1' }, all)
			expect(items.find(({ kind }) => kind === 'StateChanged')?.message.length).toBeLessThanOrEqual(256)
		})

		test('values that look like SQL, and every kind of character, come back unchanged', async () => {
			const name = `x' or 1=1 -- \\' " \` % _ \n é 🙂`
			const subnet = { name, cidr: '10.0.0.0/16', networkId: 'n', networkName: name }
			await inventory.record([sent(1, nics(1, 1)), { kind: 'subnet', at: 1, subnetId: 'subnet-0', subnet }])
			expect((await only()).nics[0]?.subnet).toMatchObject({ name, networkName: name })
		})

		test('a thousand nodes are stored at once, and the event loop runs meanwhile', async () => {
			const { promise, resolve } = Promise.withResolvers<number>()
			const changes = Array.from({ length: 1_000 }, (_, i) => sent(i, nics(i, 2)))
			setImmediate(async () => resolve((await inventory.nodes('*', {}, { limit: 1_000 })).items.length))
			await inventory.record(changes)
			expect(await promise).toBeLessThan(1_000)
			expect((await inventory.nodes('*', {}, { limit: 1_000 })).items).toHaveLength(1_000)
		})

		test('an earlier leader cannot write any more', async () => {
			if (settings.use !== 'mariadb') return
			await inventory.record([sent(1, nics(1, 1))])
			const next = openInventory(settings, { log })
			await next.opened
			next.lead()
			await next.record([sent(2, nics(2, 1))])
			await expect(inventory.record([sent(3, nics(3, 1))])).rejects.toMatchObject({ code: 'Superseded', retry: false })
			inventory.lead()
			await inventory.record([sent(3, nics(3, 1))])
			expect((await inventory.nodes('*', {}, all)).items).toHaveLength(3)
			await next.close()
		})

		test('what was learned is stored in the background, newest state of each node only', async () => {
			inventory.learn([reported(viewIn('InProgress', 1, nics(1, 1)))])
			inventory.learn([reported(viewIn('Configured', 1, nics(1, 1)), 3_000)])
			expect(await inventory.drained()).toBe(true)
			expect(await only()).toMatchObject({ state: 'Configured' })
		})

		test('after a restart everything is there, and nothing is migrated again', async () => {
			if (settings.use === 'sqlite' && settings.sqlite.path === ':memory:') return
			await inventory.record([sent(1, nics(1, 2))])
			const before = [await only(), await inventory.revision()]
			await inventory.close()
			inventory = openInventory(settings, { log })
			await inventory.opened
			expect([await only(), await inventory.revision()]).toEqual(before)
		})
	})
}
