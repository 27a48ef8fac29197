import { describe, expect, onTestFinished, test } from 'vitest'
import { ROLLOUT_CONFIG_MAP, ROLLOUT_STOP } from '../../../contract/rollout.ts'
import type { NamedStop } from '../../../contract/stops.ts'
import { createStopRecord, readStops } from '../../../controller/rollout/stop-record.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { ConfigMap, Namespace } from '../../../runtime/kube/kinds.ts'
import { createLog } from '../../../runtime/log.ts'
import { startFakeApiServer } from '../../runtime/fake-api-server/server.ts'

/** Tests the record of what stops the rollout. */
const namespace = 'multinic-system'
const a = { name: 'a', uid: 'uid-a', stops: 'ConnectivityLost' }
const b = { name: 'b', uid: 'uid-b', stops: 'RolledBack' }

async function stage(hasSettings = true) {
	const server = await startFakeApiServer()
	server.objects.create(Namespace, { metadata: { name: namespace } })
	const settings = { metadata: { name: ROLLOUT_CONFIG_MAP, namespace } }
	const owner = hasSettings ? server.objects.create(ConfigMap, settings).metadata.uid : ''
	const client = new KubeClient(server.credentials, { fieldManager: 'test' })
	onTestFinished(async () => {
		await client.close()
		await server.stop()
	})
	const stored = () => server.objects.get(ConfigMap, { namespace, name: ROLLOUT_STOP })
	let stops: NamedStop[] = []
	const record = createStopRecord({
		...{ client, namespace, log: createLog('test', { level: 'silent' }), signal: new AbortController().signal },
		...{ stops: () => stops, stored: () => stored()?.data, owner: () => owner },
	})
	const keep = (now: NamedStop[]) => {
		stops = now
		return record.flush()
	}
	const writes = () => server.requests.filter(({ verb }) => verb === 'create' || verb === 'patch').map(({ verb }) => verb)
	const drop = () => server.objects.delete(ConfigMap, { namespace, name: ROLLOUT_STOP })
	return { record, drop, keep, owner, stored, writes, read: () => [...readStops(stored()?.data)] }
}

test('nothing is written while no node stops the rollout', async () => {
	const { keep, stored, writes } = await stage()
	await keep([])
	expect({ stored: stored(), writes: writes() }).toEqual({ stored: undefined, writes: [] })
})

test('the record is written when it changes, read back unchanged, and deleted with the settings', async () => {
	const { keep, owner, stored, writes, read } = await stage()
	await keep([a])
	await keep([a])
	expect(read()).toEqual([['a', { uid: 'uid-a', stops: 'ConnectivityLost' }]])
	expect(stored()?.metadata.ownerReferences).toMatchObject([{ kind: 'ConfigMap', name: 'multinic-rollout', uid: owner }])
	await keep([a, b])
	await keep([])
	expect(read()).toEqual([])
	expect(writes()).toEqual(['patch', 'create', 'patch', 'patch'])
})

test('the record has no owner if the settings do not exist', async () => {
	const { keep, stored } = await stage(false)
	await keep([a])
	expect(stored()?.metadata.ownerReferences ?? []).toEqual([])
})

test('the last of several concurrent writes wins', async () => {
	const { keep, read } = await stage()
	await Promise.all([keep([a]), keep([a, b]), keep([b])])
	expect(read().map(([name]) => name)).toEqual(['b'])
})

describe('an invalid record is treated as empty', () => {
	test.each([[undefined], [{}], [{ stops: '{' }], [{ stops: '{}' }], [{ stops: '[{"name":"a"}]' }], [{ stops: 'null' }]])('%j', data => {
		expect(readStops(data as Record<string, string> | undefined).size).toBe(0)
	})
})

test('a record that another client deletes or changes is written again', async () => {
	const { record, drop, keep, read } = await stage()
	await keep([a])
	drop()
	record.checkStored()
	await record.flush()
	expect(read()).toEqual([['a', { uid: 'uid-a', stops: 'ConnectivityLost' }]])
})

test('a record that the controller wrote itself is not written again', async () => {
	const { record, keep, writes } = await stage()
	await keep([a])
	record.checkStored()
	await record.flush()
	expect(writes()).toEqual(['patch', 'create'])
})
