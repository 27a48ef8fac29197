import { setTimeout as sleep } from 'node:timers/promises'
import { startFakeKubelet } from '../../lab/cluster/fake-kubelet.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import type { ApiServer } from '../../lab/cluster/api-server.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { createLog } from '../../runtime/log.ts'
import { type Figure, figure, type Log, median } from '../figure.ts'
import { type Cluster, createConfig, each, namespace, startCluster } from './cluster.ts'
import { createLifelikeNode, startHeartbeats } from './heartbeats.ts'
import { type JobTimes, watchJobs } from './jobs.ts'
import { startController } from './process.ts'
import { measureReading } from './reading.ts'
import { watchStates } from './states.ts'

const count = 10_000
const changes = 300
const heartbeats = 33
const restarts = 5

/**
 * Measures 10,000 nodes that all match their node configs, each with a heartbeat every five minutes: how long a single change waits, and
 * how much CPU time the controller uses when idle.
 */
export async function measureTenThousand(script: string, log: Log): Promise<Figure[]> {
	const cluster = await startCluster(log)
	const { api, client } = cluster
	const names = Array.from({ length: count }, (_, index) => `node-${index}`)
	const kubelet = startFakeKubelet({ client, namespace, log: createLog('kubelet', { level: 'error' }) })
	try {
		await fill(cluster, names, log)
		const states = await watchStates(client)
		const began = performance.now()
		const first = await startController(api, script)
		log(`${count} runs`)
		const { last } = await states.all('Configured', names)
		states.stop()
		log('idle')
		const peak = first.peakMiB()
		await first.atRest()
		await first.kill('SIGTERM')
		const stop = startHeartbeats(client, names, heartbeats)
		const rest = await measureAtRest(cluster, script, names, log)
		await stop()
		return [
			figure({ name: '10,000 configured', value: (last - began) / 1_000, unit: 's' }),
			figure({ name: '10,000 concurrently, memory', value: peak, unit: 'MiB', atMost: 250 }),
			...rest,
		]
	} finally {
		await kubelet.stop()
		await cluster.stop()
	}
}

async function fill({ client }: Cluster, names: readonly string[], log: Log): Promise<void> {
	for (let from = 0; from < names.length; from += 1_000) {
		log(`${from} of ${names.length} nodes`)
		const some = names.slice(from, from + 1_000)
		await each(some, name => createLifelikeNode(client, name))
		await each(some, (name, index) => createConfig(client, name, from + index))
	}
}

async function measureAtRest({ api, client }: Cluster, script: string, names: readonly string[], log: Log): Promise<Figure[]> {
	const { floor, ready, controller } = await measureRestarts(api, script)
	const written = await controller.writes()
	await sleep(5_000)
	const cpu = controller.cpuSeconds()
	await sleep(20_000)
	const idle = (controller.cpuSeconds() - cpu) / 20
	log(`${changes} single changes`)
	const jobs = await watchJobs(client)
	const waits: number[] = []
	for (let turn = 0; turn < changes; turn++) waits.push(await changeOne(client, jobs, names[(turn * 37) % names.length] ?? ''))
	jobs.stop()
	const memory = controller.peakMiB()
	await controller.kill('SIGTERM')
	waits.sort((a, b) => a - b)
	const at = (share: number) => waits[Math.ceil(waits.length * share) - 1] ?? Number.NaN
	return [
		figure({ name: '10,000, restart, ready', value: ready, unit: 's', floor, atMost: 5 }),
		figure({ name: '10,000, restart, writes', value: written, unit: 'requests', atMost: 0 }),
		figure({ name: '10,000, 33 heartbeats/s', value: idle * 100, unit: '% of a core' }),
		figure({ name: '10,000, change to Job, p50', value: at(0.5), unit: 'ms' }),
		figure({ name: '10,000, change to Job, p99', value: at(0.99), unit: 'ms', atMost: 250 }),
		figure({ name: '10,000, memory', value: memory, unit: 'MiB', atMost: 250 }),
	]
}

/**
 * Measures several restarts, each with its own baseline, because the speed of a machine varies from second to second. @returns the medians
 * in seconds, and the last controller
 */
async function measureRestarts(api: ApiServer, script: string) {
	const [floors, readies]: [number[], number[]] = [[], []]
	for (;;) {
		floors.push((await measureReading(api)) / 1_000)
		const controller = await startController(api, script)
		readies.push((await controller.ready) / 1_000)
		if (readies.length === restarts) return { floor: median(floors), ready: median(readies), controller }
		await controller.kill('SIGTERM')
	}
}

/** @returns the time from the response to the change until a watch reports the Job, in milliseconds */
async function changeOne(client: KubeClient, jobs: JobTimes, name: string): Promise<number> {
	const { spec } = await client.get(NodeConfig, { namespace, name })
	const { interfaces = [] } = spec as { interfaces?: object[] }
	const patched = await client.patch(
		NodeConfig,
		{ namespace, name },
		{ spec: { interfaces: interfaces.map(one => ({ ...one, mtu: 1_400 })) } },
	)
	const began = performance.now()
	const made = await jobs.made(`multinic-agent-${name}-g${patched.metadata.generation}`)
	return Math.max(0, made - began)
}
