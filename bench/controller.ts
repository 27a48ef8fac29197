import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { bundle } from '../bundle.ts'
import { FINALIZER } from '../contract/names.ts'
import { readRollout } from '../contract/rollout.ts'
import { type AgentSettings, type NewRun, runConfigMap, runInput, runJob } from '../controller/job.ts'
import { NodeConfig } from '../controller/kinds.ts'
import type { ConfigView, Snapshot } from '../controller/snapshot.ts'
import { startedStatus } from '../controller/status.ts'
import { configView, type NodeConfigObject } from '../controller/view.ts'
import { type ApiServer, startApiServer } from '../lab/api-server.ts'
import { KubeClient } from '../runtime/kube/client.ts'
import type { KubeObject, Stored } from '../runtime/kube/kind.ts'
import { ConfigMap, CustomResourceDefinition, Job, Namespace, Node } from '../runtime/kube/kinds.ts'
import { type Figure, figure } from './figure.ts'

const namespace = 'multinic-system'
const count = 500
const atOnce = 8
/** A young generation that need not grow: without them the controller holds 200 MiB, most of it garbage. */
const flags = ['--max-semi-space-size=2', '--max-old-space-size=128']
const agent: AgentSettings = {
	...{ image: 'agent', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [], serviceAccount: 'multinic-agent' },
	...{ activeDeadlineSeconds: 300, waitForDeviceSeconds: 5, deadManSeconds: 120, privileged: true },
}
const run: NewRun = { attempt: 1, mode: 'Apply', cause: 'SpecChanged', asked: {}, failures: 0 }

/**
 * 500 node configs changed while nobody looked; then the controller, as its image runs it, works them off: ConfigMap, Job and one status
 * write a node. The floor: a bare client making the same three writes, as many at once, on the same API server.
 */
export async function figures(log: (line: string) => void): Promise<Figure[]> {
	const api = await startApiServer({ log })
	const client = clientOf(api)
	try {
		await prepare(client)
		log(`floor: ${count} nodes, ${atOnce} at once`)
		const floor = await measureFloor(client)
		log(`controller: ${count} nodes, ${atOnce} workers`)
		const { perSecond, peakMiB } = await measureController(api, client)
		return [
			figure({ name: 'dispatch', value: perSecond, unit: 'nodes/s', floor, atLeast: 50 }),
			figure({ name: 'memory', value: peakMiB, unit: 'MiB', atMost: 150 }),
		]
	} finally {
		await client.close()
		await api.stop()
	}
}

function clientOf({ server, ca, token }: ApiServer): KubeClient {
	const headers = async () => ({ authorization: `Bearer ${token}` })
	return new KubeClient({ server, tls: { ca }, headers }, { fieldManager: 'bench' })
}

async function prepare(client: KubeClient): Promise<void> {
	await client.create(Namespace, { metadata: { name: namespace } })
	const crd = parse(await readFile('crds/multinic.io_multinicnodeconfigs.yaml', 'utf8')) as CustomResourceDefinition
	await client.create(CustomResourceDefinition, crd)
	for (let tries = 0; tries < 100; tries++) {
		if (await client.list(NodeConfig, { namespace }).catch(() => undefined)) return
		await sleep(100)
	}
	throw new Error('the CRD was not served within 10 s')
}

/** @returns nodes a second */
async function measureFloor(client: KubeClient): Promise<number> {
	const configs = await each(names('floor'), name => createConfig(client, name))
	const started = performance.now()
	await each(configs, config => dispatchBarely(client, configView(config)))
	return (count * 1_000) / (performance.now() - started)
}

async function dispatchBarely(client: KubeClient, config: ConfigView): Promise<void> {
	const { interfaces } = specOf(config.name)
	const input = runInput(config, run, { interfaces, node: undefined, agent })
	const { metadata } = await client.create(ConfigMap, runConfigMap(config, run, input))
	await client.create(Job, runJob(config, run, metadata, agent))
	const status = startedStatus(snapshotOf(config), { name: metadata.name, mode: 'Apply' })
	await client.patchStatus(NodeConfig, config, status)
}

async function measureController(api: ApiServer, client: KubeClient): Promise<{ perSecond: number; peakMiB: number }> {
	await each(names('node'), name => createNode(client, name))
	await each(names('node'), name => createConfig(client, name))
	const dist = await mkdtemp(join(tmpdir(), 'multinic-bench-'))
	const stop = new AbortController()
	try {
		await bundle(dist)
		const times = watchStarts(client, stop.signal)
		const controller = startController(api, join(dist, 'controller.mjs'))
		try {
			const [first = 0, last = 0] = await times
			return { perSecond: ((count - 1) * 1_000) / (last - first), peakMiB: peakOf(controller) }
		} finally {
			controller.kill('SIGTERM')
			await once(controller, 'exit')
		}
	} finally {
		stop.abort()
		await rm(dist, { recursive: true })
	}
}

/** @returns when the first and the last node config was told to be in progress */
async function watchStarts(client: KubeClient, signal: AbortSignal): Promise<[number, number]> {
	const { resourceVersion } = await client.list(NodeConfig, { namespace })
	const seen = new Map<string, number>()
	for await (const event of client.watch(NodeConfig, { namespace, resourceVersion, signal })) {
		if (event.type !== 'MODIFIED' || event.object.status?.state !== 'InProgress') continue
		if (!seen.has(event.object.metadata.name)) seen.set(event.object.metadata.name, performance.now())
		if (seen.size === count) break
	}
	const times = [...seen.values()]
	return [times[0] ?? 0, times.at(-1) ?? 0]
}

function startController({ kubeconfig }: ApiServer, script: string): ChildProcess {
	const env = {
		...{ PATH: process.env.PATH, KUBECONFIG: kubeconfig, NAMESPACE: namespace, AGENT_IMAGE: 'agent', LEADER_ELECT: 'false' },
		...{ METRICS_ADDR: '127.0.0.1:0', MAX_CONCURRENT_RUNS: '1000', WORKERS: String(atOnce), LOG_LEVEL: 'warn' },
	}
	return spawn(process.execPath, [...flags, script], { env, stdio: ['ignore', 'inherit', 'inherit'] })
}

/** The most it ever held, in MiB. */
function peakOf({ pid }: ChildProcess): number {
	return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}

function createConfig(client: KubeClient, name: string): Promise<Stored<NodeConfigObject>> {
	return client.create<NodeConfigObject>(NodeConfig, { metadata: { name, namespace, finalizers: [FINALIZER] }, spec: specOf(name) })
}

async function createNode(client: KubeClient, name: string): Promise<void> {
	await client.create<KubeObject>(Node, { metadata: { name } })
	await client.patchStatus(Node, { name }, { conditions: [{ type: 'Ready', status: 'True' }] })
}

function specOf(nodeName: string) {
	const interfaces = [0, 1].map(id => ({
		id,
		macAddress: `fa:16:3e:00:0${id}:01`,
		...{ address: `10.${id}.0.23`, cidr: `10.${id}.0.0/24`, mtu: 1450 },
	}))
	return { nodeName, interfaces }
}

function snapshotOf(config: ConfigView): Snapshot {
	const limits = { keepRunMs: 3_600_000, maxConcurrentRuns: 1_000, checkInstanceId: true }
	const standing = {
		...{ settings: readRollout(undefined), free: 1, freeRuns: 1, ahead: 0, looking: 0, lookedAt: 0, jumps: false },
		...{ controlPlaneBusy: false, stoppedBy: undefined, held: undefined },
	}
	const rest = { node: undefined, rival: undefined, runs: [], rollout: standing, specHash: '0'.repeat(64), settings: limits }
	return { ...rest, now: Date.now(), config, spec: { value: specOf(config.name) } }
}

function names(prefix: string): string[] {
	return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}

/** A few at once, as the controller's workers do. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
	const left = items.entries()
	const results: R[] = []
	const worker = async () => {
		for (const [index, item] of left) results[index] = await work(item)
	}
	await Promise.all(Array.from({ length: atOnce }, worker))
	return results
}
