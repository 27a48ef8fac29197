import { onTestFinished, vi } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import { LABEL_CONFIG_UID } from '../../contract/names.ts'
import { ROLLOUT_STOP } from '../../contract/rollout.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { createController } from '../../controller/controller.ts'
import { NodeConfig, type NodeConfigObject } from '../../controller/model/node-config-kind.ts'
import { type FakeKubeletOptions, reportFor, startFakeKubelet } from '../../lab/cluster/fake-kubelet.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import type { KubeObject } from '../../runtime/kube/kind.ts'
import { ConfigMap, Job, Namespace, Node } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import type { Fault } from '../runtime/fake-api-server/faults.ts'
import type { ApiRequest } from '../runtime/fake-api-server/request.ts'
import { startFakeApiServer } from '../runtime/fake-api-server/server.ts'
import { nicOf } from './nics.ts'
import { agent } from './world.ts'

/** Runs a controller on a fake API server that injects the faults of a test, and checks invariants that hold for every fault. */

export const namespace = 'multinic-system'
const user = 'multinic-controller'
const silent = createLog('test', { level: 'silent' })

/** The fields of a request body that are checked. */
type Written = {
	status?: NodeConfigStatus
	metadata?: KubeObject['metadata']
	spec?: { template?: { spec?: { nodeName?: string } } }
}

export type World = Awaited<ReturnType<typeof startWorld>>

/** @param settings settings of the rollout */
export async function startWorld(
	nodes: readonly string[],
	settings: Record<string, string> = {},
	kubelet: Partial<FakeKubeletOptions> = {},
) {
	const server = await startFakeApiServer({ kinds: [{ ...NodeConfig, status: true }] })
	const client = new KubeClient(server.credentials, { fieldManager: 'kubelet' })
	const { objects } = server
	objects.create<KubeObject>(Namespace, { metadata: { name: namespace } })
	objects.create(ConfigMap, { metadata: { namespace, name: 'multinic-rollout' }, data: { verifyIntervalSeconds: '0', ...settings } })
	for (const name of nodes) {
		objects.create<KubeObject>(Node, { metadata: { name } })
		objects.patchStatus(Node, { name }, { conditions: [{ type: 'Ready', status: 'True' }] })
	}
	const broken: string[] = []
	const ended = new Set<string>()
	const { report } = kubelet
	const nodesAtWork = startFakeKubelet({
		...{ client, namespace, log: silent },
		...kubelet,
		report: (input: RunConfig) => {
			ended.add(`${input.uid} ${input.generation}`)
			return report ? report(input) : reportFor(input)
		},
	})
	const configOf = (name: string) => objects.get<NodeConfigObject>(NodeConfig, { namespace, name })
	let mistreat: (request: ApiRequest, number: number) => Fault | undefined = () => undefined
	let asked = 0
	server.onRequest(request => {
		if (request.userAgent !== user) return undefined
		watchOver(request)
		return mistreat(request, ++asked)
	})
	/** Checks that the controller does not send a request that is never allowed. */
	function watchOver({ verb, plural, subresource, name = '', body }: ApiRequest): void {
		const { status, metadata, spec } = (body ?? {}) as Written
		if (plural === 'jobs' && verb === 'create') mustBeAlone(spec?.template?.spec?.nodeName, metadata?.name)
		if (plural === 'configmaps' && verb === 'create') mustBeWanted(metadata)
		if (plural === NodeConfig.plural && subresource === 'status' && status?.state === 'Configured') mustHaveRun(name, status)
	}
	function mustBeAlone(node: string | undefined, own: string | undefined): void {
		const onNode = objects.list<Job>(Job, namespace).filter(job => job.spec?.template.spec?.nodeName === node)
		if (onNode.some(job => !isOver(job) && job.metadata.name !== own)) broken.push(`two concurrent runs on ${node}`)
	}
	function mustBeWanted({ name, labels }: Partial<KubeObject['metadata']> = {}): void {
		if (name === ROLLOUT_STOP) return
		const uids = objects.list<NodeConfigObject>(NodeConfig, namespace).map(({ metadata }) => metadata.uid)
		if (!uids.includes(labels?.[LABEL_CONFIG_UID] ?? '')) broken.push(`${name} is created for a node config that no longer exists`)
	}
	function mustHaveRun(name: string, said: NodeConfigStatus): void {
		const { metadata, status } = configOf(name) ?? {}
		const generation = said.observedGeneration ?? (status as NodeConfigStatus | undefined)?.observedGeneration
		if (!ended.has(`${metadata?.uid} ${generation}`))
			broken.push(`${name} is reported as Configured in generation ${generation}, which never ran`)
	}
	let controller: ReturnType<typeof startController> | undefined
	const start = () => {
		controller = startController(server.credentials)
	}
	const end = async () => {
		await controller?.end()
		await nodesAtWork.stop()
		await client.close()
		await server.stop()
	}
	onTestFinished(end)
	return {
		...{ server, objects, configOf, broken, end, ran: nodesAtWork.ran },
		startController: start,
		/** Aborts the controller in the middle of its work, and starts another one that has only the state in the API server. */
		restartController: () => {
			void controller?.end()
			start()
		},
		isSynced: () => controller?.isSynced() ?? false,
		/** Sets a hook that is called before each request of the controller, with the number of the request, starting at 1. */
		mistreat: (how: typeof mistreat) => {
			asked = 0
			mistreat = how
		},
		asked: () => asked,
		add: (name: string, spec: object = specOf(name), metadata: object = {}) =>
			objects.create<NodeConfigObject>(NodeConfig, { metadata: { namespace, name, ...metadata }, spec: { nodeName: name, ...spec } }),
		status: (name: string) => configOf(name)?.status as NodeConfigStatus | undefined,
	}
}

export function specOf(name: string, mtu = 1_450) {
	return { interfaces: [{ ...nicOf(name), mtu }] }
}

function startController(credentials: ConstructorParameters<typeof KubeClient>[0]) {
	const stop = new AbortController()
	const client = new KubeClient(credentials, { fieldManager: user })
	const runs = { keepRunMs: 3_600_000, maxConcurrentRuns: 1_000, deadlineMs: 300_000, checkInstanceId: true }
	const controller = createController({ client, config: { namespace, agent, runs, workers: 4 }, log: silent, signal: stop.signal })
	const done = controller.run(stop.signal)
	return {
		isSynced: controller.isSynced,
		end: async () => {
			stop.abort()
			await client.close()
			await done
		},
	}
}

/** Returns whether a Job has finished, successfully or not. */
export function isOver({ status }: Job): boolean {
	return (status?.conditions ?? []).some(({ type }) => type === 'Complete' || type === 'Failed')
}

/** Polls until the check passes; throws its last failure on timeout. */
export function soon<T>(check: () => T | Promise<T>): Promise<T> {
	return vi.waitFor(check, { timeout: 120_000, interval: 5 })
}
