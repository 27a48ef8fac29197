import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openInventory } from '../../mgmt/inventory/open.ts'
import { createLog } from '../../runtime/log.ts'
import { Lease } from '../../runtime/kube/kinds.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { NAMESPACE, PROVIDER, type Running, startWorld, type World } from './world.ts'

/** Leadership, the inventory and the stream, with processes of viola and mgmt and a real API server. */

let world: World
let mgmt: Running
const pace = { interval: 100 }

beforeAll(async () => {
	world = await startWorld({
		networks: [{ name: 'test', cidr: '10.0.0.0/24', mtu: 1450 }],
		servers: ['worker-1', 'worker-2', 'worker-3'].map(name => ({ name })),
	})
	mgmt = world.mgmt
})
afterAll(() => world?.stop())

const spec = (...vmNames: string[]) => ({
	vmNames,
	subnetName: 'test',
	credentials: { openstackProviderID: world.openstack.providerId, k8sProviderID: PROVIDER, projectID: world.openstack.projectId },
})
const at = (name: string) => ({ namespace: NAMESPACE, name })
const idsOf = async (node: string) => (await world.nodeConfig(node))?.interfaces.map(({ id, portId }) => [id, portId])
const conditionOf = async (name: string, type: string) => (await world.config(name))?.status?.conditions?.find(it => it.type === type)
const healthOf = async (process: Running) => {
	const response = await fetch(`${await process.field('watching OpenstackConfigs', 'address')}/healthz`)
	return `${response.status} ${await response.text()}`
}
const isReady = async (process: Running) => (await fetch(`${await process.field('watching OpenstackConfigs', 'address')}/readyz`)).ok
const holder = async () => (await world.client.find(Lease, at('multinic-mgmt')))?.spec?.holderIdentity ?? ''

/** Deletes a node config as a user does, and removes the finalizer as the controller does. */
async function deleteByHand(name: string): Promise<void> {
	await world.client.delete(NodeConfigKind, at(name))
	await world.client.patch(NodeConfigKind, at(name), { metadata: { finalizers: [] } })
}

/** Stops mgmt, and reads its database, which only one process can open. */
async function whileStopped<T>(read: (inventory: ReturnType<typeof openInventory>) => Promise<T>): Promise<T> {
	await mgmt.stop()
	const log = createLog('test', { level: 'silent' })
	const inventory = openInventory({ use: 'sqlite', sqlite: { path: join(world.folder, 'inventory.db') } }, { log })
	await inventory.opened
	const result = await read(inventory)
	await inventory.close()
	mgmt = await world.startMgmt()
	return result
}

test('the owner of a node config is the OpenstackConfig that it comes from, and is sent once', async () => {
	world.openstack.attach({ server: 'worker-1', network: 'test' })
	await world.applyConfig('first', spec('worker-1'))
	await expect.poll(() => idsOf('worker-1'), pace).toHaveLength(1)
	const { metadata } = await world.client.get(NodeConfigKind, at('worker-1'))
	const { uid } = (await world.config('first'))?.metadata ?? {}
	expect(JSON.parse(metadata.annotations?.['multinic.io/owner'] ?? '')).toEqual({ namespace: NAMESPACE, name: 'first', uid })
	const { resourceVersion, generation } = await world.client
		.patch(NodeConfigKind, at('worker-1'), { metadata: { annotations: { 'multinic.io/owner': null } } })
		.then(({ metadata }) => metadata)
	const now = async () => (await world.client.get(NodeConfigKind, at('worker-1'))).metadata
	await expect.poll(async () => (await now()).annotations?.['multinic.io/owner'], pace).toContain('first')
	const after = await now()
	expect([after.generation, after.resourceVersion === resourceVersion]).toEqual([generation, false])
	const asked = world.openstack.requests.length
	await expect.poll(() => world.openstack.requests.length, pace).toBeGreaterThan(asked + 20)
	expect((await now()).resourceVersion).toBe(after.resourceVersion)
})

test('a node config that is deleted by hand is created again with the same ids', async () => {
	const first = world.openstack.attach({ server: 'worker-2', network: 'test' })
	await world.applyConfig('second', spec('worker-2'))
	await expect.poll(() => idsOf('worker-2'), pace).toEqual([[0, first.id]])
	const second = world.openstack.attach({ server: 'worker-2', network: 'test' })
	await expect.poll(() => idsOf('worker-2'), pace).toHaveLength(2)
	world.openstack.detach(first.id)
	await expect.poll(() => idsOf('worker-2'), pace).toEqual([[1, second.id]])
	const { uid } = (await world.client.get(NodeConfigKind, at('worker-2'))).metadata
	await deleteByHand('worker-2')
	await expect.poll(async () => (await world.client.find(NodeConfigKind, at('worker-2')))?.metadata.uid ?? uid, pace).not.toBe(uid)
	await expect.poll(() => idsOf('worker-2'), pace).toEqual([[1, second.id]])
})

test('the inventory has what was sent and what the stream reports, with its actors', async () => {
	await world.client.patch(NodeConfigKind, at('worker-1'), { spec: { mode: 'Plan' } }, { fieldManager: 'kubectl-edit' })
	await world.client.patchStatus(NodeConfigKind, at('worker-1'), { observedGeneration: 2, state: 'Configured' })
	await expect.poll(() => world.logs(), pace).toContain('"received all node configs"')
	const { uid } = (await world.config('first'))?.metadata ?? {}
	await expect
		.poll(
			async () =>
				whileStopped(async inventory => ({
					node: (await inventory.nodesNamed('*', 'worker-1'))[0],
					changes: (await inventory.history({ providerId: PROVIDER, nodeName: 'worker-1' }, { limit: 50 })).items,
				})),
			{ interval: 2_000 },
		)
		.toMatchObject({
			node: {
				...{ providerId: PROVIDER, owner: { namespace: NAMESPACE, name: 'first', uid } },
				nics: [{ id: 0, subnet: { name: 'test', cidr: '10.0.0.0/24', networkName: 'test', mtu: 1450 } }],
				report: { lastManager: 'kubectl-edit' },
			},
			changes: expect.arrayContaining([
				expect.objectContaining({ kind: 'NodeAdded', actor: { kind: 'OpenstackConfig', name: `${NAMESPACE}/first` } }),
			]),
		})
})

test('without its database, ports still become interfaces, the condition and /healthz report it, and mgmt stays ready', async () => {
	await mgmt.stop()
	const file = join(world.folder, 'inventory.db')
	const lock = new DatabaseSync(file)
	lock.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
	mgmt = await world.startMgmt()
	const port = world.openstack.attach({ server: 'worker-3', network: 'test' })
	await world.applyConfig('third', spec('worker-3'))
	await expect.poll(() => idsOf('worker-3'), pace).toEqual([[0, port.id]])
	await expect.poll(() => conditionOf('third', 'InventoryAvailable'), pace).toMatchObject({ status: 'False', reason: 'Locked' })
	await expect.poll(() => conditionOf('third', 'Ready'), pace).toMatchObject({ status: 'True', reason: 'NoChange' })
	expect(await healthOf(mgmt)).toMatch(/^200 ok\ninventory: Locked: .+/)
	expect(await isReady(mgmt)).toBe(true)
	const { resourceVersion } = (await world.config('third'))?.metadata ?? {}
	const asked = world.openstack.requests.length
	await expect.poll(() => world.openstack.requests.length, pace).toBeGreaterThan(asked + 30)
	expect((await world.config('third'))?.metadata.resourceVersion).toBe(resourceVersion)
	lock.close()
	await expect.poll(() => conditionOf('third', 'InventoryAvailable'), pace).toMatchObject({ status: 'True', reason: 'Available' })
	expect(await healthOf(mgmt)).toBe('200 ok\ninventory: Available: the database can be used')
	expect(await whileStopped(inventory => inventory.idsOf({ providerId: PROVIDER, nodeName: 'worker-3' }))).toEqual(new Map([[port.id, 0]]))
})

test('with INVENTORY_ENABLED=false, the condition has the reason Disabled, and ports become interfaces', async () => {
	await mgmt.stop()
	mgmt = await world.startMgmt({ INVENTORY_ENABLED: 'false' })
	await expect.poll(() => conditionOf('third', 'InventoryAvailable'), pace).toMatchObject({ status: 'False', reason: 'Disabled' })
	world.openstack.attach({ server: 'worker-3', network: 'test' })
	await expect.poll(() => idsOf('worker-3'), pace).toHaveLength(2)
	expect(await healthOf(mgmt)).toMatch(/^200 ok\ninventory: Disabled/)
})

test('more than one replica with an SQLite file is refused', async () => {
	await expect(world.startMgmt({ MGMT_REPLICAS: '2' })).rejects.toThrow(/MGMT_REPLICAS is 2: only one process can use an SQLite file/)
})

test('of two processes only one reconciles, and the other one takes over after SIGTERM and after SIGKILL', async () => {
	await mgmt.stop()
	const start = (name: string) => world.startMgmt({ POD_NAME: name, INVENTORY_ENABLED: 'false', MGMT_REPLICAS: '2' })
	const one = await start('one')
	await expect.poll(holder, pace).toMatch(/^one_/)
	const two = await start('two')
	const sentBy = (process: Running) =>
		process
			.printed()
			.split('\n')
			.filter(line => line.includes('"sent"')).length
	const counts = () => [sentBy(one), sentBy(two)]
	const change = async () => {
		const count = (await idsOf('worker-1'))?.length ?? 0
		world.openstack.attach({ server: 'worker-1', network: 'test' })
		await expect.poll(async () => (await idsOf('worker-1'))?.length, pace).toBe(count + 1)
	}
	await change()
	await expect.poll(counts, pace).toEqual([1, 0])
	expect(await isReady(two)).toBe(true)
	await one.stop()
	await change()
	await expect.poll(counts, pace).toEqual([1, 1])
	const three = await start('three')
	await two.stop('SIGKILL')
	await change()
	await expect.poll(() => [...counts(), sentBy(three)], pace).toEqual([1, 1, 1])
	expect(await holder()).toMatch(/^three_/)
	mgmt = three
})
