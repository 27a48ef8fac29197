import { dirname, join } from 'node:path'
import { inParallel } from '../runtime/in-parallel.ts'
import { KubeClient } from '../runtime/kube/client.ts'
import { NodeConfigKind } from '../viola/model/node-config-kind.ts'
import { wantedOf } from '../viola/model/wanted.ts'
import { type Cluster, elsewhere, startCluster } from './controller/cluster.ts'
import { bundled } from './controller/process.ts'
import { type Figure, figure, type Log, middlePair, type Pair } from './figure.ts'
import { measureMemory } from './viola/memory.ts'
import { nodesOf } from './viola/nodes.ts'
import { startViola, type Viola } from './viola/process.ts'

const COUNT = 1_000
const ROUNDS = 3
const SINGLE = 1_000
const CLIENTS = 50
const small = { nics: 5 }
/** Number of concurrent requests, the same as viola makes for one POST. */
const AT_ONCE = 8

/** Measures viola as an image runs it, in front of a real API server: how many requests a POST costs, how long it takes, and the memory. */
export async function figures(log: Log): Promise<Figure[]> {
	const { script, remove } = await bundled()
	const cluster = await startCluster(log)
	try {
		const viola = join(dirname(script), 'viola.mjs')
		return [...(await measurePosts(cluster, viola, log)), ...(await measureMemory(cluster, viola, log))]
	} finally {
		await cluster.stop()
		await remove()
	}
}

async function measurePosts(cluster: Cluster, script: string, log: Log): Promise<Figure[]> {
	const viola = await startViola(cluster.api, script)
	try {
		return [
			...(await measureNew(cluster, viola, log)),
			...(await measureUnchanged(viola, log)),
			...(await measureSingle(viola, log)),
			...(await measureClients(viola, log)),
		]
	} finally {
		await viola.stop()
	}
}

/** The baseline is a bare client that creates the same objects over as many connections, alternately before and after each POST. */
async function measureNew({ api }: Cluster, viola: Viola, log: Log): Promise<Figure[]> {
	const headers = async () => ({ authorization: `Bearer ${api.token}` })
	const bare = new KubeClient({ server: api.server, tls: { ca: api.ca }, headers }, { fieldManager: 'bench' })
	const pairs: Pair[] = []
	let most = 0
	for (let round = 0; round < ROUNDS; round++) {
		log(`round ${round + 1} of ${ROUNDS}: ${COUNT} new nodes`)
		const nodes = nodesOf(`new${round}`, { ...small, count: COUNT })
		const floor = () => seconds(() => createAll(bare, nodes))
		const value = async () => {
			const before = await viola.requests()
			const took = await seconds(() => viola.post(nodes))
			most = Math.max(most, (await viola.requests()) - before)
			return took
		}
		pairs.push(round % 2 === 0 ? { floor: await floor(), value: await value() } : { value: await value(), floor: await floor() })
	}
	await bare.close()
	return [
		figure({ name: '1,000 new nodes', ...middlePair(pairs), unit: 's', atMostFloors: 1.2 }),
		figure({ name: '1,000 new nodes, requests', value: most, unit: 'requests', atMost: COUNT }),
	]
}

async function createAll(client: KubeClient, nodes: ReturnType<typeof nodesOf>): Promise<void> {
	await inParallel(nodes, AT_ONCE, node =>
		client.create(NodeConfigKind, wantedOf(node, { namespace: elsewhere, providerId: 'biz' }).object),
	)
}

async function measureUnchanged(viola: Viola, log: Log): Promise<Figure[]> {
	log('unchanged and changed nodes')
	const nodes = nodesOf('new0', { ...small, count: COUNT })
	const before = await viola.requests()
	const took = await seconds(() => viola.post(nodes))
	const unchanged = await viola.requests()
	const [first, ...rest] = nodes
	await viola.post([{ ...(first ?? fail()), interfaces: [] }, ...rest])
	return [
		figure({ name: '1,000 unchanged nodes', value: took, unit: 's' }),
		figure({ name: '1,000 unchanged nodes, requests', value: unchanged - before, unit: 'requests', atMost: 0 }),
		figure({ name: '1 of 1,000 nodes changed, requests', value: (await viola.requests()) - unchanged, unit: 'requests', atMost: 1 }),
	]
}

async function measureSingle(viola: Viola, log: Log): Promise<Figure[]> {
	log(`${SINGLE} unchanged nodes, one by one`)
	const node = nodesOf('new1', { ...small, count: 1 })
	const pairs: Pair[] = []
	for (let turn = 0; turn < SINGLE * ROUNDS; turn++)
		pairs.push({ floor: await seconds(() => viola.healthz()), value: await seconds(() => viola.post(node)) })
	const rounds = Array.from({ length: ROUNDS }, (_, round) => pairs.slice(round * SINGLE, (round + 1) * SINGLE))
	const p99 = (values: number[]) => (values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN) * 1_000
	const ofRounds = rounds.map(round => ({ value: p99(round.map(({ value }) => value)), floor: p99(round.map(({ floor }) => floor)) }))
	return [figure({ name: '1 unchanged node, p99, to /healthz', ...middlePair(ofRounds), unit: 'ms', atMostFloors: 5 })]
}

async function measureClients(viola: Viola, log: Log): Promise<Figure[]> {
	log(`${CLIENTS} clients with overlapping nodes`)
	const before = await viola.requests()
	const answers = await Promise.all(
		Array.from({ length: CLIENTS }, (_, client) =>
			viola.post(nodesOf('shared', { ...small, from: (client * 7) % 80, count: 20, mtu: 1_000 + client })),
		),
	)
	const changes = answers.flatMap(({ results }) => results).filter(({ status }) => status !== 'unchanged').length
	const requests = (await viola.requests()) - before
	return [figure({ name: '50 clients, requests beside changes', value: requests - changes, unit: 'requests', atMost: 0 })]
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
	const began = performance.now()
	await work()
	return (performance.now() - began) / 1_000
}

function fail(): never {
	throw new Error('there are no nodes')
}
