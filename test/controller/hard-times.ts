import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFailed, onTestFinished, vi } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import { ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import { NodeConfig } from '../../controller/kinds.ts'
import type { NodeConfigObject } from '../../controller/view.ts'
import { reportFor, startFakeKubelet } from '../../lab/fake-kubelet.ts'
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

/** Our chart on a real etcd and API server that fare badly; and what must hold of the controller whatever that is. */

const log = createLog('test', { level: 'silent' })

export type World = Awaited<ReturnType<typeof startWorld>>

export type WorldOptions = {
	/** Further flags of etcd. */
	etcd?: Readonly<Record<string, string>>
	/** The same of the API server. */
	server?: Readonly<Record<string, string>>
	/** Of the rollout. */
	settings?: Readonly<Record<string, string>>
}

/** Only kubelet and agent are played. */
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
		/** What must never be, and was. */
		broken: broken as readonly string[],
		/** What a watch last heard of each node config: `Configured 1`. */
		told: told as ReadonlyMap<string, string>,
		...{ calls: controller.calls, heard: controller.heard },
		/** Over that line, with that clock; where one is running already, it is gone in the middle of what it does. */
		startController: (over: { port: number } = line, now?: () => number) => controller.start(over.port, now),
		/** As a process of its own that loses so many of a hundred packets. */
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

/** Runs wait here until it is opened. */
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
 * What befalls controller and API server, and how long; runs wait at the gate when it begins, and it opens it.
 *
 * @param change a further node config is changed; resolves when the API server took it
 */
export type HardTime = (world: World, change: () => Promise<unknown>) => Promise<unknown>

/**
 * Four nodes are configured. Then one of them is changed, one let go, one tried again, and four more come, of which not all may be in work
 * at once. In the middle of that come hard times, and while they last, one more change.
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

/** Nothing lost, nothing twice. */
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

/** Waits until it holds; asked again and again, its last failure is told. */
export function soon<T>(check: () => T | Promise<T>, { timeout = 300_000, interval = 50 } = {}): Promise<T> {
	return vi.waitFor(check, { timeout, interval })
}

/** As a person who wants it done. */
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

/** With its finalizer on, as viola makes it. */
export function add({ admin }: World, name: string, spec: object = specOf(name)): Promise<unknown> {
	const metadata = { name, namespace, finalizers: [FINALIZER] }
	return admin.create<NodeConfigObject>(NodeConfig, { metadata, spec: { nodeName: name, ...spec } })
}

export function at(name: string) {
	return { name, namespace }
}
