import { Lease } from '../runtime/kube/kinds.ts'
import type { ApiServer } from '../lab/cluster/api-server.ts'
import { startFakeKubelet } from '../lab/cluster/fake-kubelet.ts'
import { createLog } from '../runtime/log.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, createConfig, createNode, each, namespace, startCluster } from './controller/cluster.ts'
import { measureHostile } from './controller/hostile.ts'
import { watchJobs } from './controller/jobs.ts'
import { bundled, type ControllerProcess, startController } from './controller/process.ts'
import { measureReading } from './controller/reading.ts'
import { judgeRounds, measureRound, type Round } from './controller/runs.ts'
import { watchStates } from './controller/states.ts'
import { measureTenThousand } from './controller/ten-thousand.ts'
import { type Figure, figure, type Log, median } from './figure.ts'

const count = 1_000
const ROUNDS = 3
const lease = { namespace, name: 'multinic-controller' }

/**
 * Measures the controller as its image runs it. 1,000 node configs change while no controller runs; the controller processes them, reads
 * their results, is restarted, and another controller takes over. The baseline is a bare client that makes the same writes on the same API
 * server, before and after, because the speed of a machine varies from minute to minute.
 */
export async function figures(log: Log, { long }: { long: boolean }): Promise<Figure[]> {
	const { script, remove } = await bundled()
	try {
		return [
			...(await measureThousand(script, log)),
			...(await measureHostile(script, names, log)),
			...(long ? await measureTenThousand(script, log) : []),
		]
	} finally {
		await remove()
	}
}

/** Measures `ROUNDS` rounds, each on its own cluster. All other figures are measured on the last cluster. */
async function measureThousand(script: string, log: Log, rounds: Round[] = []): Promise<Figure[]> {
	const cluster = await startCluster(log)
	try {
		log(`round ${rounds.length + 1} of ${ROUNDS}: ${count} nodes`)
		rounds.push(await measureRound(cluster, script, names, log))
		if (rounds.length === ROUNDS)
			return [
				...judgeRounds(rounds),
				...(await measureRestarts(cluster, script, log)),
				...(await measureTakeover(cluster, script, log)),
				...(await measureMidwayKill(cluster, script, log)),
			]
	} finally {
		await cluster.stop()
	}
	return measureThousand(script, log, rounds)
}

/**
 * Measures `ROUNDS` restarts while every node is Configured: the time until the controller is ready, its writes, and its CPU time and
 * memory when idle.
 */
async function measureRestarts({ api }: Cluster, script: string, log: Log): Promise<Figure[]> {
	const found: Restart[] = []
	while (found.length < ROUNDS) {
		log(`restart ${found.length + 1} of ${ROUNDS}`)
		found.push(await measureRestart(api, script))
	}
	const middle = (of: (restart: Restart) => number) => median(found.map(of))
	return [
		figure({ name: 'restart, ready', value: middle(({ ready }) => ready), unit: 's', floor: middle(({ floor }) => floor), atMost: 1.5 }),
		figure({ name: 'restart, writes', value: Math.max(...found.map(({ writes }) => writes)), unit: 'requests', atMost: 0 }),
		figure({ name: 'idle', value: middle(({ idle }) => idle) * 100, unit: '% of a core', atMost: 1 }),
		figure({ name: 'memory when idle', value: middle(({ memory }) => memory), unit: 'MiB', atMost: 150 }),
	]
}

type Restart = { floor: number; ready: number; writes: number; idle: number; memory: number }

async function measureRestart(api: ApiServer, script: string): Promise<Restart> {
	const floor = (await measureReading(api)) / 1_000
	const controller = await startController(api, script)
	const ready = (await controller.ready) / 1_000
	await sleep(3_000)
	const before = controller.cpuSeconds()
	await sleep(10_000)
	const idle = (controller.cpuSeconds() - before) / 10
	const found = { floor, ready, writes: await controller.writes(), idle, memory: controller.peakMiB() }
	await controller.kill('SIGTERM')
	return found
}

/** Measures two takeovers: from a leader that is killed, and from a leader that is stopped. */
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

/** Kills the leader when a third of the Jobs exist. The next leader creates the others, and none twice. */
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
