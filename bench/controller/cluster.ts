import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { FINALIZER } from '../../contract/names.ts'
import { ROLLOUT_CONFIG_MAP } from '../../contract/rollout.ts'
import { NodeConfig, type NodeConfigObject } from '../../controller/model/node-config-kind.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { inParallel } from '../../runtime/in-parallel.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import type { KubeObject, Stored } from '../../runtime/kube/kind.ts'
import { ConfigMap, CustomResourceDefinition, Namespace, Node } from '../../runtime/kube/kinds.ts'

export const namespace = 'multinic-system'
/** A namespace that the controller does not watch. */
export const elsewhere = 'bench-floor'

/** Number of concurrent operations: as many as the controller has workers. */
export const atOnce = 8

/** A real API server with MultiNIC's CRD but without kubelets, and the client that creates its objects. */
export type Cluster = { api: ApiServer; client: KubeClient; stop(): Promise<void> }

/**
 * Rollout settings with which no node waits in a queue and no periodic verification runs, so that only the path of a change is measured.
 */
const rollout = { maxUnavailable: '100%', verifyIntervalSeconds: '0' }

export async function startCluster(log: (line: string) => void): Promise<Cluster> {
	const api = await startApiServer({ log })
	const headers = async () => ({ authorization: `Bearer ${api.token}` })
	const client = new KubeClient({ server: api.server, tls: { ca: api.ca }, headers }, { fieldManager: 'bench' })
	const stop = async () => {
		await client.close()
		await api.stop()
	}
	try {
		for (const name of [namespace, elsewhere]) await client.create(Namespace, { metadata: { name } })
		await client.create(ConfigMap, { metadata: { namespace, name: ROLLOUT_CONFIG_MAP }, data: rollout })
		const crd = parse(await readFile('crds/multinic.io_multinicnodeconfigs.yaml', 'utf8')) as CustomResourceDefinition
		await client.create(CustomResourceDefinition, crd)
		await waitForCrds(client, [nodeConfigCrd])
	} catch (error) {
		await stop()
		throw error
	}
	return { api, client, stop }
}

export async function createNode(client: KubeClient, name: string): Promise<void> {
	await client.create<KubeObject>(Node, { metadata: { name } })
	await client.patchStatus(Node, { name }, { conditions: [{ type: 'Ready', status: 'True' }] })
}

/** Creates a node config with its finalizer, as viola does. */
export function createConfig(client: KubeClient, name: string, index: number, where = namespace): Promise<Stored<NodeConfigObject>> {
	const metadata = { name, namespace: where, finalizers: [FINALIZER] }
	return client.create<NodeConfigObject>(NodeConfig, { metadata, spec: specOf(name, index) })
}

/** Returns two interfaces, with unique MACs and addresses. */
export function specOf(nodeName: string, index: number) {
	const [high, low] = [(index >> 8) & 255, index & 255]
	const hex = (byte: number) => byte.toString(16).padStart(2, '0')
	const interfaces = [0, 1].map(id => ({
		...{ id, macAddress: `fa:16:3e:0${id}:${hex(high)}:${hex(low)}`, mtu: 1450 },
		...{ address: `${10 + id}.1.${high}.${low}`, cidr: `${10 + id}.0.0.0/8` },
	}))
	return { nodeName, interfaces }
}

/** Processes items concurrently, at most `atOnce` at a time, and starts them in their order. */
export function each<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
	return inParallel(items, atOnce, work)
}
