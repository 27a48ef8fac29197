import { setTimeout as sleep } from 'node:timers/promises'
import { inParallel } from '../../runtime/in-parallel.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { wantedOf } from '../../viola/model/wanted.ts'
import { type Cluster, namespace } from '../controller/cluster.ts'
import { type Figure, figure, type Log } from '../figure.ts'
import { nodesOf, statusOf } from './nodes.ts'
import { startViola, type Viola } from './process.ts'

const HELD = 10_000
const POSTS = 1_000
const large = { nics: 10 }

/** Measures the memory of a viola that holds 10,000 node configs with ten interfaces and their status, and after 1,000 further POSTs. */
export async function measureMemory(cluster: Cluster, script: string, log: Log): Promise<Figure[]> {
	await fill(cluster, log)
	const viola = await startViola(cluster.api, script)
	try {
		const held = await settled(viola)
		const { peak } = viola.memory()
		log(`${POSTS} POSTs`)
		for (let turn = 0; turn < POSTS; turn++) await viola.post(nodesOf('held', { ...large, from: (turn * 37) % HELD, count: 1, mtu: 1_400 }))
		const later = await settled(viola)
		return [
			figure({ name: '10,000 held, peak memory', value: peak, unit: 'MiB', atMost: 250 }),
			figure({ name: '10,000 held, memory after 1,000 POSTs', value: later, unit: 'MiB', floor: held, atMostFloors: 1.05 }),
		]
	} finally {
		await viola.stop()
	}
}

async function fill({ client }: Cluster, log: Log): Promise<void> {
	log(`${HELD} node configs`)
	await inParallel(nodesOf('held', { ...large, count: HELD }), 16, async node => {
		const { object } = wantedOf(node, { namespace, providerId: 'biz' })
		await client.create(NodeConfigKind, object)
		await client.patchStatus(NodeConfigKind, object.metadata, statusOf(node))
	})
}

/** Returns the memory when the process is idle. */
async function settled(viola: Viola): Promise<number> {
	await sleep(5_000)
	return viola.memory().now
}
