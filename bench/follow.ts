import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { KubeClient } from '../runtime/kube/client.ts'
import { NodeConfigKind } from '../viola/model/node-config-kind.ts'
import { startCluster, namespace } from './controller/cluster.ts'
import { bundled } from './controller/process.ts'
import { type Figures, figure, type Log, middlePair, type Pair } from './figure.ts'
import { type Arrivals, startBareWatch } from './follow/bare-watch.ts'
import { startFollowing } from './follow/following.ts'
import { nodesOf, statusOf } from './viola/nodes.ts'
import { startViola } from './viola/process.ts'

const NODES = 100
const ROUNDS = 5

/**
 * Measures how long a status in the biz cluster takes to become a row of the inventory: through viola's stream, against a watch that
 * inserts the same row.
 */
export const figures: Figures = async log => {
	const { script, remove } = await bundled()
	const folder = await mkdtemp(join(tmpdir(), 'multinic-bench-'))
	const cluster = await startCluster(log)
	const viola = await startViola(cluster.api, join(dirname(script), 'viola.mjs'))
	const { api } = cluster
	const client = new KubeClient(
		{ server: api.server, tls: { ca: api.ca }, headers: async () => ({ authorization: `Bearer ${api.token}` }) },
		{ fieldManager: 'bench' },
	)
	try {
		const nodes = nodesOf('node', { count: NODES, nics: 2 })
		await viola.post(nodes)
		const following = await startFollowing(viola.url, join(folder, 'inventory.db'), NODES)
		const bare = await startBareWatch(client, namespace, join(folder, 'bare.db'))
		const pairs: Pair[] = []
		for (let round = 0; round < ROUNDS; round++) {
			log(`round ${round + 1} of ${ROUNDS}: ${NODES} reports`)
			const own: number[] = []
			const floor: number[] = []
			for (const node of nodes) {
				const message = `round ${round}`
				const status = { ...statusOf(node), lastJobName: `job-${round}` }
				const written = await client.patchStatus(NodeConfigKind, { namespace, name: node.nodeName }, { ...status, backend: message })
				const at = performance.now()
				const { resourceVersion } = written.metadata
				own.push((await following.arrival(resourceVersion)) - at)
				floor.push((await bare.arrival(resourceVersion)) - at)
			}
			pairs.push({ value: p99(own), floor: p99(floor) })
		}
		await close([following, bare], log)
		return [figure({ name: 'report in the biz cluster → row, p99', ...middlePair(pairs), unit: 'ms', atMostFloors: 3 })]
	} finally {
		await client.close()
		await viola.stop()
		await cluster.stop()
		await remove()
		await rm(folder, { recursive: true })
	}
}

async function close(all: readonly Arrivals[], log: Log): Promise<void> {
	log('closing')
	for (const one of all) await one.close()
}

function p99(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN
}
