import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentReport, RunConfig } from '../../contract/agent-run.ts'
import {
	CONFIG_KEY,
	LABEL_ATTEMPT,
	LABEL_CONFIG_UID,
	LABEL_GENERATION,
	LABEL_MODE,
	LABEL_NODE_NAME,
	REPORT_KEY,
} from '../../contract/names.ts'
import { NodeConfig } from '../../controller/kinds.ts'
import { reportFor, startFakeKubelet } from '../../lab/fake-kubelet.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap, Event, Node, Pod } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import { type Figure, figure, type Log, median, middlePair } from '../figure.ts'
import { type Cluster, createConfig, createNode, each, namespace, startCluster } from './cluster.ts'
import { startController } from './process.ts'
import { watchStates } from './states.ts'

/** One node of a thousand whose kubelet and agent say whatever they may: what it costs the other 999. */

const HOSTILE = 'node-0'
const PAIRS = 3
/** Mirror pods that it makes; each is 900 kB. */
const MIRRORS = 155
/** Its run lies for so long before it ends (milliseconds), while the others are under way. */
const STOPS_AFTER_MS = 2_000
const PATIENCE_MS = 120_000

/** `cpu`: seconds of the controller's threads; the rest of a longer time is the API server's, which takes what the node writes on the same cores. */
type Round = { seconds: number; cpu: number; requests: number; memory: number; block: number }

/** The same fleet with it and without it, in turn. */
export async function measureHostile(script: string, names: (prefix: string) => string[], log: Log): Promise<Figure[]> {
	const pairs: { calm: Round; hostile: Round }[] = []
	for (let pair = 1; pair <= PAIRS; pair++) {
		const calm = await onCluster(log, cluster => measure(cluster, script, names('node'), false))
		const hostile = await onCluster(log, cluster => measure(cluster, script, names('node'), true))
		log(`hostile, pair ${pair} of ${PAIRS}: ${words(calm)} without it, ${words(hostile)} with it`)
		pairs.push({ calm, hostile })
	}
	const beside = (of: (round: Round) => number) => middlePair(pairs.map(({ calm, hostile }) => ({ value: of(hostile), floor: of(calm) })))
	return [
		figure({ name: '1 hostile node, the other 999', ...beside(({ seconds }) => seconds), unit: 's', atMostFloors: 1.25 }),
		figure({ name: '1 hostile node, CPU of the controller', ...beside(({ cpu }) => cpu), unit: 's' }),
		figure({ name: '1 hostile node, requests', ...beside(({ requests }) => requests), unit: 'requests', atMostFloors: 1.1 }),
		figure({ name: '1 hostile node, memory', ...beside(({ memory }) => memory), unit: 'MiB', atMost: 150 }),
		figure({ name: '1 hostile node, longest block more', value: median(pairs.map(blockMore)), unit: 'ms', atMost: 250 }),
	]
}

/** What a fleet costs without it, its first list above all, is not its doing. */
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

async function measure({ api, client }: Cluster, script: string, nodes: readonly string[], isHostile: boolean): Promise<Round> {
	await each(nodes, name => createNode(client, name))
	await each(nodes, (name, index) => createConfig(client, name, index))
	const others = nodes.filter(name => name !== HOSTILE)
	const states = await watchStates(client)
	const kubelet = startFakeKubelet({
		...{ client, namespace, log: createLog('kubelet', { level: 'error' }) },
		runMs: input => (isHostile && input.nodeName === HOSTILE ? STOPS_AFTER_MS : 0),
		report: input => (isHostile && input.nodeName === HOSTILE ? lastLie(input) : reportFor(input)),
	})
	const began = performance.now()
	const controller = await startController(api, script)
	const attack = isHostile ? startAttack(client) : undefined
	const { last } = await states.all('Configured', others)
	const found = {
		seconds: (last - began) / 1_000,
		cpu: controller.cpuSeconds(),
		memory: controller.peakMiB(),
		...(await controller.load()),
	}
	await attack?.end()
	states.stop()
	await kubelet.stop()
	await controller.kill('SIGTERM')
	return found
}

/** Its end waits until the rollout was stopped and the node paused for it: otherwise it was no attack. */
function startAttack(client: KubeClient): { end(): Promise<void> } {
	const stop = new AbortController()
	const paused = pauseIt(client, AbortSignal.timeout(PATIENCE_MS))
	const noise = Promise.all([lie(client, stop.signal), crowd(client, stop.signal)])
	return {
		end: async () => {
			const isPaused = await paused
			stop.abort()
			await noise
			if (!isPaused) throw new Error(`${HOSTILE} did not stop the rollout within ${PATIENCE_MS / 1_000} s`)
		},
	}
}

/** Ten reports a second while its run goes on, each wrong in another way. */
async function lie(client: KubeClient, signal: AbortSignal): Promise<void> {
	const at = { namespace, name: `multinic-agent-${HOSTILE}-g1` }
	for (let turn = 0; !signal.aborted; turn++) {
		const { data = {} } = await client.get(ConfigMap, at).catch((): Pick<ConfigMap, 'data'> => ({}))
		const input = data[CONFIG_KEY] === undefined ? undefined : RunConfig.parse(JSON.parse(data[CONFIG_KEY]))
		const report = input && lies[turn % lies.length]?.(input, turn)
		if (report !== undefined) await client.patch(ConfigMap, at, { data: { [REPORT_KEY]: report } }).catch(() => undefined)
		await sleep(100)
	}
}

/** With the marks of its own run, so that each is read as far as it can be. */
const lies: readonly ((input: RunConfig, turn: number) => string)[] = [
	(_, turn) =>
		`[${Array(20_000 + (turn % 1_000))
			.fill('{}')
			.join(',')}]`,
	(_, turn) => `${'['.repeat(30_000 - turn)}${']'.repeat(30_000 - turn)}`,
	() => `{${Array.from({ length: 9_000 }, (_, at) => `"${at}":1`).join(',')}}`,
	input => JSON.stringify(reportFor(input, { message: '\u001b[2J\u202e'.repeat(900) })),
	input => JSON.stringify(reportFor(input, { changes: 9e15, started: '2026-02-30T00:00:00Z' })),
	input => JSON.stringify(reportFor({ ...input, nodeName: 'node-1' })),
	(_, turn) => '"'.padEnd(65_000 - turn, '\\ud800'),
]

/** What its run ends with: what stops the rollout. */
function lastLie(input: RunConfig): AgentReport {
	return reportFor(input, { outcome: 'RolledBack', reason: 'ConnectivityLost', message: '\u001b[2J\u202e'.repeat(9), interfaces: [] })
}

/** Mirror pods with the marks of others' runs, Events about others, and a Node that says a great deal. */
async function crowd(client: KubeClient, signal: AbortSignal): Promise<void> {
	for (let turn = 0; turn < MIRRORS && !signal.aborted; turn++) {
		const victim = `node-${turn + 1}`
		const attempts = [
			client.create(Pod, mirrorPod(victim, turn)),
			client.create(Event, forged(victim, turn)),
			client.patchStatus(Node, { name: HOSTILE }, loud(turn)),
		]
		await Promise.allSettled(attempts)
	}
}

function mirrorPod(victim: string, turn: number): Pod {
	const labels = {
		[LABEL_NODE_NAME]: victim,
		[LABEL_CONFIG_UID]: 'guessed',
		[LABEL_GENERATION]: '1',
		[LABEL_ATTEMPT]: '1',
		[LABEL_MODE]: 'Apply',
		'app.kubernetes.io/name': 'multinic-run',
		'batch.kubernetes.io/job-name': `multinic-agent-${victim}-g1`,
	}
	const annotations = { 'kubernetes.io/config.mirror': 'a', 'kubernetes.io/config.source': 'file', text: 'a'.repeat(200_000) }
	return {
		metadata: { name: `multinic-agent-${victim}-g1-${turn}`, namespace, labels, annotations },
		spec: { nodeName: HOSTILE, containers: [{ name: 'agent', image: 'a', args: ['a'.repeat(700_000)] }] },
	}
}

function forged(victim: string, turn: number): Event {
	return {
		metadata: { name: `multinic-agent-${victim}-g1.${turn % 2 === 0 ? 'started' : 'result'}`, namespace },
		involvedObject: { kind: 'MultiNicNodeConfig', name: victim, namespace },
		...{ reason: 'FailedCreate', message: 'a'.repeat(1_000), source: { component: 'job-controller' } },
	}
}

function loud(turn: number): object {
	const conditions = Array.from({ length: 200 }, (_, at) => ({
		type: `Condition${at}`,
		status: 'True',
		message: `${turn} ${'a'.repeat(1_000)}`,
	}))
	return {
		conditions: [...conditions, { type: 'Ready', status: 'True' }],
		addresses: [{ type: 'InternalIP', address: `10.9.${turn % 250}.1` }],
	}
}

/** As a person does, once it stops the others. False: it did not, as long as somebody looked. */
async function pauseIt(client: KubeClient, signal: AbortSignal): Promise<boolean> {
	const at = { namespace, name: HOSTILE }
	while (!signal.aborted) {
		const { status } = await client.get(NodeConfig, at)
		if (JSON.stringify(status ?? {}).includes('ConnectivityLost')) {
			await client.patch(NodeConfig, at, { spec: { paused: true } })
			return true
		}
		await sleep(200)
	}
	return false
}
