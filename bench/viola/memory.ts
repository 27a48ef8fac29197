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

/**
 * Measures the memory of a viola that holds 10,000 node configs with ten interfaces and their status, and how much it grows. The first POSTs
 * are a warm-up: until then, no code of a POST is compiled, and the heap has not reached its working size. A leak also grows after that.
 */
export async function measureMemory(cluster: Cluster, script: string, log: Log): Promise<Figure[]> {
	await fill(cluster, log)
	const viola = await startViola(cluster.api, script)
	try {
		const held = await settled(viola)
		log(`${POSTS} POSTs, and ${POSTS} further ones`)
		const warm = await changeSome(viola, 1_400)
		const later = await changeSome(viola, 1_300)
		return [
			figure({ name: '10,000 held', value: held, unit: 'MiB', atMost: 250 }),
			figure({ name: '10,000 held, after 1,000 further POSTs', value: later, unit: 'MiB', floor: warm, atMostFloors: 1.05 }),
			figure({ name: '10,000 held, peak memory', value: viola.memory().peak, unit: 'MiB', atMost: 250 }),
		]
	} finally {
		await viola.stop()
	}
}

/** Changes `POSTS` nodes, each with its own POST. @returns the memory afterwards */
async function changeSome(viola: Viola, mtu: number): Promise<number> {
	for (let turn = 0; turn < POSTS; turn++) await viola.post(nodesOf('held', { ...large, from: (turn * 37) % HELD, count: 1, mtu }))
	return settled(viola)
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
