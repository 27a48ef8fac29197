import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, onTestFailed, onTestFinished, vi } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import { ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { createController } from '../../controller/controller.ts'
import { NodeConfig } from '../../controller/kinds.ts'
import type { NodeConfigObject } from '../../controller/view.ts'
import { requestToken } from '../../lab/account-token.ts'
import { type ControlPlaneOptions, controlPlaneBinaries, startControlPlane } from '../../lab/control-plane.ts'
import { reportFor, startFakeKubelet } from '../../lab/fake-kubelet.ts'
import { findKit } from '../../lab/kit.ts'
import { freePort } from '../../lab/ports.ts'
import { makeRunDir } from '../../lab/run-dir.ts'
import { KubeClient, type KubeClientOptions } from '../../runtime/kube/client.ts'
import { isKubeFailure } from '../../runtime/kube/failures.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { ConfigMap, Job, Node } from '../../runtime/kube/kinds.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { etcdFlags, talkToEtcd } from './etcd.ts'
import { startLine } from './line.ts'
import { startLossyController } from './lossy.ts'
import { isOver, specOf } from './survival.ts'
import { agent } from './world.ts'

/** Our chart on a real etcd and API server that fare badly; and what must hold of the controller whatever that is. */

export const namespace = 'multinic-system'
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
	const office = createOffice(credentials)
	onTestFailed(() => void process.stdout.write(`The log of the controller:\n${office.log()}\n`))
	onTestFinished(async () => {
		await office.end()
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
		...{ calls: office.calls, heard: office.heard },
		/** Over that line, with that clock; where one is running already, it is gone in the middle of what it does. */
		startController: (over: { port: number } = line, now?: () => number) => office.start(over.port, now),
		/** As a process of its own that loses so many of a hundred packets. */
		startLossyController: async (lost: number) => {
			const env = { NAMESPACE: namespace, AGENT_IMAGE: 'agent', LOG_LEVEL: 'debug' }
			const lossy = await startLossyController({ ...credentials, ...{ lost, port: plane.port, dir: plane.dir, env, onLine: office.hear } })
			onTestFinished(lossy.stop)
			return lossy
		},
		addNode: async (name: string) => {
			await admin.create(Node, { metadata: { name } })
			await admin.patchStatus(Node, { name }, { conditions: [{ type: 'Ready', status: 'True' }] })
		},
	}
}

/** etcd, API server and our chart, signed in as administrator and as the controller. */
async function startPlane(flags: Pick<ControlPlaneOptions, 'etcdFlags' | 'serverFlags'>) {
	const kit = await findKit([...controlPlaneBinaries, 'helm'])
	const runDir = await makeRunDir('hard')
	const [port, dir] = [await freePort(), join(runDir.path, 'api')]
	const plane = await startControlPlane({ name: 'api', dir, kit, port, ...flags })
	const etcd = talkToEtcd(join(dir, 'etcd.sock'))
	const admin = connect({ port, ca: plane.ca, token: plane.token }, { fieldManager: 'test' })
	const stop = async () => {
		await admin.close()
		await etcd.close()
		await plane.stop()
		await runDir.remove()
	}
	const values = ['controller.replicas=0', 'rollout.maxUnavailable=50%', 'rollout.verifyIntervalSeconds=0'].flatMap(one => ['--set', one])
	const chart = ['install', 'multinic', 'charts/multinic', '-n', namespace, '--create-namespace', ...values]
	const helm = (...args: string[]) => execa(kit.helm, args, { env: { KUBECONFIG: plane.kubeconfig }, all: true })
	try {
		await helm(...chart)
		const token = await requestToken(admin, { namespace, account: 'multinic-controller' })
		return { ...plane, helm, port, dir, etcd, admin, credentials: { ca: plane.ca, token }, stop }
	} catch (error) {
		await stop()
		throw error
	}
}

type Access = { port: number; ca: string; token: string }

function connect({ port, ca, token }: Access, options: KubeClientOptions): KubeClient {
	const headers = async () => ({ authorization: `Bearer ${token}` })
	return new KubeClient({ server: `https://127.0.0.1:${port}`, tls: { ca }, headers }, options)
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

/** What is told, and what must never be: both grow. */
function watchOver(admin: KubeClient, succeeded: ReadonlySet<string>, signal: AbortSignal) {
	const broken: string[] = []
	const told = new Map<string, string>()
	const active = new Map<string, Set<string>>()
	const jobs = startReflector({
		...{ client: admin, kind: Job, namespace, log, signal },
		onChange: (key, job, before) => {
			const node = nodeOf(job ?? before) ?? ''
			const onNode = active.get(node) ?? new Set()
			if (job && !isOver(job)) active.set(node, onNode.add(key))
			else onNode.delete(key)
			// where everything was read anew, one that is over may be told after the next one
			const together = [...onNode].filter(one => !isGone(jobs.store.get(one)))
			if (together.length > 1) broken.push(`two runs at once on ${node}: ${together.join(', ')}`)
		},
	})
	const onChange = (_: string, config: Stored<NodeConfigObject> | undefined) => {
		if (!config) return
		const { metadata, status = {} } = config
		const { state, observedGeneration: generation = 0 } = status as NodeConfigStatus
		told.set(metadata.name, `${state} ${generation}`)
		if (state !== 'Configured' || succeeded.has(keyOf({ uid: metadata.uid, generation }))) return
		broken.push(`${metadata.name} is called Configured in generation ${generation}, where no run succeeded`)
	}
	startReflector({ client: admin, kind: NodeConfig, namespace, log, signal, onChange })
	return { broken, told }
}

/** One controller at a time, and how its calls fared. */
function createOffice({ ca, token }: Omit<Access, 'port'>) {
	const calls = new Map<string, number>()
	const lines: string[] = []
	const hear = (line: string) => void lines.push(line)
	let end = async () => {}
	const start = (port: number, now?: () => number) => {
		void end()
		const stop = new AbortController()
		const onCall: KubeClientOptions['onCall'] = ({ code }) => calls.set(code, (calls.get(code) ?? 0) + 1)
		const client = connect({ port, ca, token }, { fieldManager: 'multinic-controller', onCall })
		const options = {
			client,
			config,
			log: createLog('controller', { level: 'debug', to: { write: hear } }),
			signal: stop.signal,
			...(now && { now }),
		}
		const controller = createController(options)
		const done = controller.run(stop.signal)
		end = async () => {
			stop.abort()
			await client.close()
			await done
		}
		return controller
	}
	return {
		...{ start, hear },
		end: () => end(),
		log: () => lines.map(line => line.trimEnd()).join('\n'),
		/** How many of its calls came to that: an HTTP status, or `<error>`. */
		calls: (code: string) => calls.get(code) ?? 0,
		/** How many lines of its log say that. */
		heard: (words: RegExp) => lines.filter(line => words.test(line)).length,
	}
}

const config = {
	namespace,
	agent,
	runs: { keepRunMs: 3_600_000, maxConcurrentRuns: 100_000, checkInstanceId: true },
	workers: 8,
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

function keyOf({ uid, generation }: { uid: string; generation: number }): string {
	return `${uid} ${generation}`
}

function nodeOf(job: Stored<Job> | undefined): string | undefined {
	return job?.spec?.template.spec?.nodeName
}

function isGone(job: Job | undefined): boolean {
	return !job || isOver(job)
}
