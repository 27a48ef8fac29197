import { reportFor, startFakeKubelet } from '../../lab/cluster/fake-kubelet.ts'
import { createLog } from '../../runtime/log.ts'
import { type Figure, figure, type Log, median, middlePair } from '../figure.ts'
import { HOSTILE, prepareAttack, prepareLoad } from './attack.ts'
import { type Cluster, createConfig, createNode, each, namespace, startCluster } from './cluster.ts'
import { startController } from './process.ts'
import { watchStates } from './states.ts'

/**
 * Measures how much one hostile node affects the other 999 nodes of a fleet. Its kubelet and agent write everything that they are allowed
 * to.
 */

const PAIRS = 3
/** How long the hostile node's run writes invalid reports before it ends (milliseconds), while the runs of other nodes are in progress. */
const STOPS_AFTER_MS = 2_000

/**
 * `cpu` is the CPU time of the controller's threads, in seconds. If a round takes longer without more CPU time, the API server spent the
 * time on the hostile node's writes, on the same cores.
 */
type Round = { seconds: number; cpu: number; requests: number; memory: number; block: number }

/** `loaded`: the hostile node's pods and Events are created in a namespace that the controller does not watch. */
type Kind = 'calm' | 'loaded' | 'hostile'

/** Measures the same fleet in turn without the hostile node, with only its load on the API server, and with the hostile node. */
export async function measureHostile(script: string, names: (prefix: string) => string[], log: Log): Promise<Figure[]> {
	const pairs: { calm: Round; loaded: Round; hostile: Round }[] = []
	for (let pair = 1; pair <= PAIRS; pair++) {
		const round = (kind: Kind) => onCluster(log, cluster => measure(cluster, script, names('node'), kind))
		const [calm, loaded, hostile] = [await round('calm'), await round('loaded'), await round('hostile')]
		log(`hostile, pair ${pair} of ${PAIRS}: ${words(calm)} without it, ${words(loaded)} with its pods elsewhere, ${words(hostile)} with it`)
		pairs.push({ calm, loaded, hostile })
	}
	const beside = (of: (round: Round) => number) => middlePair(pairs.map(({ calm, hostile }) => ({ value: of(hostile), floor: of(calm) })))
	const besideLoad = middlePair(pairs.map(({ loaded, hostile }) => ({ value: hostile.seconds, floor: loaded.seconds })))
	return [
		figure({ name: '1 hostile node, compared with the same pods elsewhere', ...besideLoad, unit: 's', atMostFloors: 1.25 }),
		figure({ name: '1 hostile node, the other 999', ...beside(({ seconds }) => seconds), unit: 's', atMostFloors: 1.25 }),
		figure({ name: '1 hostile node, CPU of the controller', ...beside(({ cpu }) => cpu), unit: 's' }),
		figure({ name: '1 hostile node, requests', ...beside(({ requests }) => requests), unit: 'requests', atMostFloors: 1.1 }),
		figure({ name: '1 hostile node, memory', ...beside(({ memory }) => memory), unit: 'MiB', atMost: 150 }),
		figure({ name: '1 hostile node, increase of the longest block', value: median(pairs.map(blockMore)), unit: 'ms', atMost: 250 }),
	]
}

/**
 * Returns how much longer the event loop was blocked with the hostile node than without it, so that the cost of the fleet itself, mostly
 * its first list, is not included.
 */
function blockMore({ calm, hostile }: { calm: Round; hostile: Round }): number {
	return Math.max(0, hostile.block - calm.block)
}

function words({ seconds, cpu, requests, memory, block }: Round): string {
	return `${seconds.toFixed(1)} s, the controller ${cpu.toFixed(1)} s of CPU, ${requests} requests, ${memory.toFixed(0)} MiB, ${block.toFixed(0)} ms`
}

async function onCluster<T>(log: Log, work: (cluster: Cluster) => Promise<T>): Promise<T> {
	const cluster = await startCluster(log)
	try {
		return await work(cluster)
	} finally {
		await cluster.stop()
	}
}

async function measure({ api, client }: Cluster, script: string, nodes: readonly string[], kind: Kind): Promise<Round> {
	await each(nodes, name => createNode(client, name))
	await each(nodes, (name, index) => createConfig(client, name, index))
	const others = nodes.filter(name => name !== HOSTILE)
	const states = await watchStates(client)
	const attack = kind === 'hostile' ? prepareAttack(client) : undefined
	const noise = attack ?? (kind === 'loaded' ? prepareLoad(client) : undefined)
	const kubelet = startFakeKubelet({
		...{ client, namespace, log: createLog('kubelet', { level: 'error' }) },
		runMs: input => (attack && input.nodeName === HOSTILE ? STOPS_AFTER_MS : 0),
		report: input => (attack && input.nodeName === HOSTILE ? attack.lastLie(input) : reportFor(input)),
	})
	const began = performance.now()
	const controller = await startController(api, script)
	noise?.begin()
	const { last } = await states.all('Configured', others)
	const found = {
		seconds: (last - began) / 1_000,
		cpu: controller.cpuSeconds(),
		memory: controller.peakMiB(),
		...(await controller.load()),
	}
	await noise?.end()
	states.stop()
	await kubelet.stop()
	await controller.kill('SIGTERM')
	return found
}
