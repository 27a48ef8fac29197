import { Lease } from '../runtime/kube/kinds.ts'
import { startFakeKubelet } from '../lab/fake-kubelet.ts'
import { createLog } from '../runtime/log.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, createConfig, createNode, each, namespace, startCluster } from './controller/cluster.ts'
import { measureFloor } from './controller/floor.ts'
import { watchJobs } from './controller/jobs.ts'
import { bundled, type ControllerProcess, startController } from './controller/process.ts'
import { measureReading } from './controller/reading.ts'
import { watchStates } from './controller/states.ts'
import { measureTenThousand } from './controller/ten-thousand.ts'
import { type Figure, figure, type Log } from './figure.ts'

const count = 1_000
const lease = { namespace, name: 'multinic-controller' }

/**
 * 1,000 node configs changed while nobody looked; the controller, as its image runs it, works them off, reads their results, is started
 * anew, and is taken over by another. The floor: a bare client that makes the same writes on the same API server, before and after, for a
 * machine is not as quick every minute.
 */
export async function figures(log: Log, { long }: { long: boolean }): Promise<Figure[]> {
	const { script, remove } = await bundled()
	try {
		return [...(await measureThousand(script, log)), ...(long ? await measureTenThousand(script, log) : [])]
	} finally {
		await remove()
	}
}

async function measureThousand(script: string, log: Log): Promise<Figure[]> {
	const cluster = await startCluster(log)
	try {
		return [
			...(await measureRuns(cluster, script, log)),
			...(await measureRestart(cluster, script, log)),
			...(await measureTakeover(cluster, script, log)),
			...(await measureMidwayKill(cluster, script, log)),
		]
	} finally {
		await cluster.stop()
	}
}

async function measureRuns({ api, client }: Cluster, script: string, log: Log): Promise<Figure[]> {
	log(`floor: ${count} nodes`)
	const before = await measureFloor(client, names('before'))
	const nodes = names('node')
	await each(nodes, name => createNode(client, name))
	await each(nodes, (name, index) => createConfig(client, name, index))
	log(`dispatch: ${count} nodes`)
	const states = await watchStates(client)
	const controller = await startController(api, script)
	const started = await states.all('InProgress', nodes)
	const dispatchSeconds = (started.last - started.first) / 1_000
	log(`settle: ${count} reports`)
	const reported = performance.now()
	const kubelet = startFakeKubelet({ client, namespace, log: createLog('kubelet', { level: 'error' }) })
	const settled = await states.all('Configured', nodes)
	const writes = await controller.atRest()
	const memory = controller.peakMiB()
	states.stop()
	await kubelet.stop()
	await controller.kill('SIGTERM')
	log(`floor: ${count} nodes`)
	const floor = (before + (await measureFloor(client, names('after')))) / 2
	return [
		figure({ name: 'dispatch', value: (count - 1) / dispatchSeconds, unit: 'nodes/s', floor, atLeastFloors: 0.7 }),
		figure({ name: 'dispatch of 1,000', value: dispatchSeconds, unit: 's', atMost: 17 }),
		figure({ name: 'settle 1,000', value: (settled.last - reported) / 1_000, unit: 's', atMost: 20 }),
		figure({ name: 'writes a run', value: writes / count, unit: 'requests', atMost: 6 }),
		figure({ name: 'memory', value: memory, unit: 'MiB', atMost: 150 }),
	]
}

/** With everything settled: how soon it knows, what it writes, and what it costs to wait. */
async function measureRestart({ api }: Cluster, script: string, log: Log): Promise<Figure[]> {
	log('restart')
	const floor = (await measureReading(api)) / 1_000
	const controller = await startController(api, script)
	const ready = await controller.ready
	await sleep(3_000)
	const before = controller.cpuSeconds()
	await sleep(10_000)
	const idle = (controller.cpuSeconds() - before) / 10
	const figures = [
		figure({ name: 'restart, ready', value: ready / 1_000, unit: 's', floor, atMost: 1.5 }),
		figure({ name: 'restart, writes', value: await controller.writes(), unit: 'requests', atMost: 0 }),
		figure({ name: 'idle', value: idle * 100, unit: '% of a core', atMost: 1 }),
		figure({ name: 'memory at rest', value: controller.peakMiB(), unit: 'MiB', atMost: 150 }),
	]
	await controller.kill('SIGTERM')
	return figures
}

/** Two of them; the one that leads is killed, and then the other is stopped. */
async function measureTakeover(cluster: Cluster, script: string, log: Log): Promise<Figure[]> {
	log('takeover')
	const start = (name: string) => startController(cluster.api, script, { LEADER_ELECT: 'true', POD_NAME: name })
	const first = await start('first')
	await holds(cluster, 'first')
	const second = await start('second')
	await second.ready
	const killed = await takeover(cluster, first, 'SIGKILL', 'second')
	const third = await start('third')
	await third.ready
	const stopped = await takeover(cluster, second, 'SIGTERM', 'third')
	await third.kill('SIGTERM')
	return [
		figure({ name: 'takeover, killed', value: killed, unit: 's', atMost: 21 }),
		figure({ name: 'takeover, stopped', value: stopped, unit: 's', atMost: 3.5 }),
	]
}

/** The leader is killed when it has made a third of the Jobs: the next one makes the others, and none twice. */
async function measureMidwayKill({ api, client }: Cluster, script: string, log: Log): Promise<Figure[]> {
	log(`killed midway: ${count} nodes`)
	const nodes = names('midway')
	await each(nodes, name => createNode(client, name))
	await each(nodes, (name, index) => createConfig(client, name, count + index))
	const [states, jobs] = [await watchStates(client), await watchJobs(client, 'midway')]
	const kubelet = startFakeKubelet({ client, namespace, log: createLog('kubelet', { level: 'error' }) })
	const [first, second] = await Promise.all(
		['fourth', 'fifth'].map(name => startController(api, script, { LEADER_ELECT: 'true', POD_NAME: name })),
	)
	await jobs.reached(Math.round(count / 3))
	const holder = (await client.get(Lease, lease)).spec?.holderIdentity
	const [leader, next] = holder?.startsWith('fourth') ? [first, second] : [second, first]
	await leader?.kill('SIGKILL')
	const killed = performance.now()
	const { last } = await states.all('Configured', nodes)
	states.stop()
	jobs.stop()
	await kubelet.stop()
	await next?.kill('SIGTERM')
	return [
		figure({ name: 'killed midway, Jobs', value: jobs.count(), unit: 'of 1,000', atMost: count }),
		figure({ name: 'killed midway, all Configured', value: (last - killed) / 1_000, unit: 's after' }),
	]
}

async function takeover(cluster: Cluster, leader: ControllerProcess, signal: 'SIGTERM' | 'SIGKILL', next: string): Promise<number> {
	const began = performance.now()
	await leader.kill(signal)
	await holds(cluster, next)
	return (performance.now() - began) / 1_000
}

async function holds({ client }: Cluster, name: string): Promise<void> {
	for (let tries = 0; tries < 1_200; tries++) {
		const found = await client.find(Lease, lease)
		if (found?.spec?.holderIdentity?.startsWith(`${name}_`)) return
		await sleep(50)
	}
	throw new Error(`${name} did not lead within a minute`)
}

function names(prefix: string): string[] {
	return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}
