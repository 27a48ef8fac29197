import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { ROLLOUT_CONFIG_MAP, ROLLOUT_STOP } from '../../contract/rollout.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap } from '../../runtime/kube/kinds.ts'
import { namespace, nodeConfig } from './acts.ts'
import { type Cluster, chart, type Said, startCluster, tokenOf } from './release.ts'

/**
 * Tests what the policies allow the garbage collector of Kubernetes, and what they do not, with a real garbage collector and a real API
 * server.
 */
const [settings, stop] = [ROLLOUT_CONFIG_MAP, ROLLOUT_STOP].map(name => ({ name, namespace })) as [Name, Name]
const refusal = 'a node config must not be deleted with --cascade=orphan'
type Name = { name: string; namespace: string }
let cluster: Cluster
let controller: KubeClient

beforeAll(async () => {
	cluster = await startCluster({ controllerManager: ['garbage-collector-controller'] })
	await install()
	await waitForCrds(cluster.admin, [nodeConfigCrd])
	for (const name of ['a', 'b']) await cluster.admin.create(NodeConfig, nodeConfig(name))
	await vi.waitFor(async () => expect((await orphaned('a')).all).toContain(refusal), { timeout: 120_000, interval: 200 })
	controller = cluster.as(await tokenOf(cluster, 'multinic-controller', namespace), 'multinic-controller')
}, 240_000)
afterAll(() => cluster?.stop())

describe('the record of what stops the rollout', () => {
	beforeEach(async () => {
		await install()
		const { uid } = (await cluster.admin.get(ConfigMap, settings)).metadata
		const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: settings.name, uid }]
		await cluster.admin.delete(ConfigMap, stop)
		await controller.create(ConfigMap, { metadata: { ...stop, ownerReferences }, data: { stops: '[]' } })
	})

	test('is deleted with the settings of the rollout', async () => {
		await cluster.admin.delete(ConfigMap, settings)
		await vi.waitFor(async () => expect(await cluster.admin.find(ConfigMap, stop)).toBeUndefined(), { timeout: 120_000 })
	})

	test('remains when the settings are deleted and their dependents orphaned', async () => {
		succeeded(await cluster.kubectl(['delete', 'cm', settings.name, '-n', namespace, '--cascade=orphan', '--wait=false']))
		await vi.waitFor(async () => expect(await cluster.admin.find(ConfigMap, settings)).toBeUndefined(), { timeout: 120_000 })
		expect(await cluster.admin.get(ConfigMap, stop)).toMatchObject({ data: { stops: '[]' } })
	})

	test.each<[title: string, change: object]>([
		['another content', { data: { stops: '[{}]' } }],
		['another key', { data: { more: 'x' } }],
		['binary data', { binaryData: { more: 'eA==' } }],
		['the field immutable', { immutable: true }],
	])('cannot get %s from another client', async (_, change) => {
		await expect(cluster.admin.patch(ConfigMap, stop, change)).rejects.toThrow('only the controller may write this ConfigMap')
	})
})

/** Orphaned runs of a node config would leave ConfigMaps and Jobs forever, whose names remain in use. */
describe('a node config', () => {
	test.each(['background', 'foreground'])('can be deleted with --cascade=%s', async cascade => {
		succeeded(await remove('a', `--cascade=${cascade}`, '--dry-run=server'))
	})

	test.each<[title: string, act: () => Promise<unknown>]>([
		['deleted with --cascade=orphan', async () => fails(await orphaned('a'))],
		['deleted with --all and --cascade=orphan', async () => fails(await remove('--all', '--cascade=orphan'))],
		['created with the finalizer orphan', () => cluster.admin.create(NodeConfig, nodeConfig('new', { finalizers: ['orphan'] }))],
		[
			'patched with the finalizer orphan',
			() => cluster.admin.patch(NodeConfig, { name: 'a', namespace }, { metadata: { finalizers: ['orphan'] } }),
		],
	])('cannot be %s', async (_, act) => {
		await expect(act()).rejects.toThrow(refusal)
	})
})

async function install(): Promise<void> {
	succeeded(await cluster.helm('upgrade', '--install', 'multinic', chart, '-n', namespace, '--create-namespace'))
}

function remove(...args: string[]): Promise<Said> {
	return cluster.kubectl(['delete', 'mnnc', '-n', namespace, '--wait=false', ...args])
}

function orphaned(name: string): Promise<Said> {
	return remove(name, '--cascade=orphan', '--dry-run=server')
}

function succeeded({ all, exitCode }: Said): void {
	expect(exitCode, all).toBe(0)
}

function fails({ all }: Said): never {
	throw new Error(all)
}
