import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFailed, onTestFinished, vi } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import { ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import { NodeConfig, type NodeConfigObject } from '../../controller/model/node-config-kind.ts'
import { reportFor, startFakeKubelet } from '../../lab/cluster/fake-kubelet.ts'
import { isKubeFailure } from '../../runtime/kube/failures.ts'
import { ConfigMap, Node } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import { etcdFlags } from './etcd.ts'
import { startLine } from './line.ts'
import { startLossyController } from './lossy.ts'
import { agent } from './world.ts'
import { oneController } from './one-controller.ts'
import { namespace, startPlane } from './plane.ts'
import { specOf } from './survival.ts'
import { keyOf, watchOver } from './watch-over.ts'

/** Runs the chart on a real etcd and API server under faults, and checks invariants of the controller that hold for every fault. */

const log = createLog('test', { level: 'silent' })

export type World = Awaited<ReturnType<typeof startWorld>>

export type WorldOptions = {
	/** Additional flags of etcd. */
	etcd?: Readonly<Record<string, string>>
	/** Additional flags of the API server. */
	server?: Readonly<Record<string, string>>
	/** Settings of the rollout. */
	settings?: Readonly<Record<string, string>>
}

/** Starts everything except the controller. Only kubelet and agent are simulated. */
export async function startWorld({ etcd, server, settings }: WorldOptions = {}) {
	const plane = await startPlane({ etcdFlags: { ...etcdFlags, ...etcd }, ...(server && { serverFlags: server }) })
	const { admin, credentials } = plane
	if (settings) await admin.patch(ConfigMap, at('multinic-rollout'), { data: settings })
	const gate = createGate()
	const succeeded = new Set<string>()
	const failing = new Set<string>()
	const kubelet = startFakeKubelet({
		...{ client: admin, namespace, log },
		runMs: () => gate.passed(),
		report: input => {
			if (failing.has(input.nodeName)) return reportFor(input, { outcome: 'Failed', reason: 'WaitingForDevice' })
			succeeded.add(keyOf(input))
			return reportFor(input)
		},
	})
	const watching = new AbortController()
	const { broken, told } = watchOver(admin, succeeded, watching.signal)
	const line = await startLine(plane.port)
	const controller = oneController(credentials)
	onTestFailed(() => void process.stdout.write(`The log of the controller:\n${controller.log()}\n`))
	onTestFinished(async () => {
		await controller.end()
		watching.abort()
		await kubelet.stop()
		line.close()
		await plane.stop()
	})
	return {
		...{ admin, plane, line, gate, etcd: plane.etcd, ran: kubelet.ran as readonly RunConfig[] },
		/** Names of nodes whose runs fail. */
		failing,
		/** Violations of the invariants. */
		broken: broken as readonly string[],
		/** The last state that a watch reported for each node config: `Configured 1`. */
		told: told as ReadonlyMap<string, string>,
		...{ calls: controller.calls, heard: controller.heard },
		/** Starts a controller that uses the given connection and clock. If one is running, it is aborted in the middle of its work. */
		startController: (over: { port: number } = line, now?: () => number) => controller.start(over.port, now),
		/** Starts a controller as a separate process that loses `lost` percent of its packets. */
		startLossyController: async (lost: number) => {
			const env = { NAMESPACE: namespace, AGENT_IMAGE: agent.image, LOG_LEVEL: 'debug' }
			const lossy = await startLossyController({
				...credentials,
				...{ lost, port: plane.port, dir: plane.dir, env, onLine: controller.hear },
			})
			onTestFinished(lossy.stop)
			return lossy
		},
		addNode: async (name: string) => {
			await admin.create(Node, { metadata: { name } })
			await admin.patchStatus(Node, { name }, { conditions: [{ type: 'Ready', status: 'True' }] })
		},
	}
}

/** Creates a gate at which runs wait until it is opened. */
function createGate() {
	let { promise, resolve } = Promise.withResolvers<void>()
	resolve()
	return {
		close: () => {
			;({ promise, resolve } = Promise.withResolvers<void>())
		},
		open: () => resolve(),
		passed: async () => {
			await promise
			return 20
		},
	}
}

const [first, later] = [['a', 'b', 'c', 'd'] as const, ['e', 'f', 'g', 'h'] as const]

/**
 * A fault of the controller or the API server. Runs wait at the gate when the fault starts, and the fault must open the gate.
 *
 * @param change changes another node config; resolves when the API server has accepted the change
 */
export type HardTime = (world: World, change: () => Promise<unknown>) => Promise<unknown>

/**
 * Four nodes are configured. Then one node config is changed, one is deleted, one is retried, and four more are added, but not all of them
 * may run concurrently. Meanwhile the fault starts, and while it lasts, one more node config is changed.
 */
export async function story(world: World, hardTime: HardTime, start: () => unknown = world.startController): Promise<void> {
	const { admin, gate } = world
	for (const name of [...first, ...later]) await world.addNode(name)
	for (const name of first) await add(world, name)
	await start()
	await soon(async () => expect((await endOf(world)).told).toEqual(first.map(name => `${name} Configured 1`)))
	gate.close()
	await admin.patch(NodeConfig, at('b'), { spec: specOf('b', 1_400) })
	await admin.delete(NodeConfig, at('c'))
	await admin.patch(NodeConfig, at('d'), { metadata: { annotations: { [ANNOTATION_RETRY]: 'now' } } })
	for (const name of later) await add(world, name)
	await soon(() => expect(world.ran.length).toBeGreaterThanOrEqual(first.length + 2))
	await hardTime(world, () => stubbornly(() => admin.patch(NodeConfig, at('a'), { spec: specOf('a', 1_400) })))
	await soon(async () => expect(await endOf(world)).toEqual(theEnd))
}

/** The expected final state: nothing is lost, and nothing happens twice. */
const theEnd = {
	told: ['a Configured 2', 'b Configured 2', 'd Configured 1', ...later.map(name => `${name} Configured 1`)],
	asked: [],
	ran: [
		...['a 1 1 Apply', 'a 2 1 Apply', 'b 1 1 Apply', 'b 2 1 Apply', 'c 1 1 Apply', 'c 2 1 Cleanup', 'd 1 1 Apply', 'd 1 2 Apply'],
		...later.map(name => `${name} 1 1 Apply`),
	],
	broken: [],
}

async function endOf({ admin, ran, broken }: World) {
	const { items } = await admin.list<NodeConfigObject>(NodeConfig, { namespace })
	return {
		told: items.map(({ metadata, status }) => `${metadata.name} ${status?.state} ${status?.observedGeneration}`).sort(),
		asked: items.filter(({ metadata }) => metadata.annotations?.[ANNOTATION_RETRY]).map(({ metadata }) => metadata.name),
		ran: ran.map(({ nodeName, generation, attempt, mode }) => `${nodeName} ${generation} ${attempt} ${mode}`).sort(),
		broken,
	}
}

/** Polls until the check passes. On timeout, throws its last failure. */
export function soon<T>(check: () => T | Promise<T>, { timeout = 300_000, interval = 50 } = {}): Promise<T> {
	return vi.waitFor(check, { timeout, interval })
}

/** Repeats a request as long as it fails with a retryable error. */
export async function stubbornly<T>(ask: () => Promise<T>): Promise<T> {
	for (;;) {
		try {
			return await ask()
		} catch (error) {
			if (!isKubeFailure(error) || !error.retry) throw error
			await sleep(200)
		}
	}
}

/** Creates a node config with its finalizer, as viola does. */
export function add({ admin }: World, name: string, spec: object = specOf(name)): Promise<unknown> {
	const metadata = { name, namespace, finalizers: [FINALIZER] }
	return admin.create<NodeConfigObject>(NodeConfig, { metadata, spec: { nodeName: name, ...spec } })
}

export function at(name: string) {
	return { name, namespace }
}
