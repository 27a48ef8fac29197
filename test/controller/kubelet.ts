import { OF_ACCOUNTS } from '../../cli/read/run-pods.ts'
import { RunConfig } from '../../contract/agent-run.ts'
import { CONFIG_KEY, REPORT_KEY } from '../../contract/names.ts'
import { reportFor } from '../../lab/cluster/fake-kubelet.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { isKubeFailure } from '../../runtime/kube/failures.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { ConfigMap, Lease, Node, Pod } from '../../runtime/kube/kinds.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import type { Log } from '../../runtime/log.ts'

/**
 * The outcome of a pod: a container that cannot start (`refused`), a report, a termination message, or nothing; and the phase in which the
 * pod ends, if it does.
 */
export type Fate = {
	report?: unknown
	lastWords?: string
	refused?: { reason: string; message: string }
	end?: 'Succeeded' | 'Failed'
}

/** Simulates kubelet and agent on a real API server, as far as they affect the controller: pods get a status, and runs report. */
export type Kubelet = {
	/** Sets the outcome of later runs on this node. By default, a run configures every desired interface. */
	fate(node: string, how: (input: RunConfig) => Fate | Promise<Fate>): void
	/** Registers a node and marks it Ready. */
	addNode(name: string): Promise<void>
	/** The inputs of all started runs, in order. */
	inputs: readonly RunConfig[]
	stop(): void
}

type Options = {
	admin: KubeClient
	namespace: string
	/** Returns a client that is authenticated as the agent in this pod. */
	asAgent: (pod: { name: string; uid: string }) => Promise<KubeClient>
	log: Log
}

export function startKubelet({ admin, namespace, asAgent, log }: Options): Kubelet {
	const stop = new AbortController()
	const fates = new Map<string, (input: RunConfig) => Fate | Promise<Fate>>()
	const inputs: RunConfig[] = []
	const nodes: string[] = []
	const started = new Set<string>()
	const onPod = (pod: Stored<Pod>) => {
		if (pod.metadata.deletionTimestamp) return admin.delete(Pod, at(pod), { graceSeconds: 0 })
		if (started.has(pod.metadata.uid)) return undefined
		started.add(pod.metadata.uid)
		return play(pod)
	}
	async function play(pod: Stored<Pod>): Promise<void> {
		const configMap = { namespace, name: pod.spec?.volumes?.find(one => one.configMap)?.configMap?.name ?? '' }
		const input = RunConfig.parse(JSON.parse((await admin.get(ConfigMap, configMap)).data?.[CONFIG_KEY] ?? ''))
		inputs.push(input)
		const fate = await (fates.get(input.nodeName) ?? configures)(input)
		if (fate.refused) await admin.patchStatus(Pod, at(pod), { phase: 'Pending', ...container({ waiting: fate.refused }) })
		if (fate.report !== undefined) {
			const agent = await asAgent(pod.metadata)
			await agent.patch(ConfigMap, configMap, { data: { [REPORT_KEY]: JSON.stringify(fate.report) } })
		}
		if (!fate.end) return
		const ended = new Date().toISOString()
		const terminated = {
			exitCode: fate.end === 'Succeeded' ? 0 : 1,
			startedAt: ended,
			finishedAt: ended,
			...(fate.lastWords && { message: fate.lastWords }),
		}
		await admin.patchStatus(Pod, at(pod), { phase: fate.end, ...container({ terminated }) })
	}
	startReflector({
		...{ client: admin, kind: Pod, namespace, fieldSelector: OF_ACCOUNTS, log, signal: stop.signal },
		onChange: (_, pod) => {
			if (!pod || stop.signal.aborted) return
			Promise.resolve(onPod(pod)).catch(error => !isKubeFailure(error, 'NOT_FOUND') && log.error({ err: error }, 'kubelet'))
		},
	})
	const beat = setInterval(() => void Promise.all(nodes.map(name => heartbeat(admin, name).catch(() => {}))), 10_000)
	return {
		fate: (node, how) => void fates.set(node, how),
		addNode: async name => {
			nodes.push(name)
			await admin.create(Node, { metadata: { name } })
			await heartbeat(admin, name)
			const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastTransitionTime: new Date().toISOString() }
			await admin.patchStatus(Node, { name }, { conditions: [ready], addresses: [{ type: 'InternalIP', address: '192.168.0.11' }] })
		},
		inputs,
		stop: () => {
			clearInterval(beat)
			stop.abort()
		},
	}
}

/** Returns the outcome of a run that configures everything. */
export function configures(input: RunConfig): Fate {
	return { report: reportFor(input), end: 'Succeeded' }
}

function at({ metadata: { name, namespace = '' } }: Stored<Pod>) {
	return { name, namespace }
}

function container(state: object): object {
	return { containerStatuses: [{ name: 'agent', image: 'agent', imageID: '', ready: false, restartCount: 0, state }] }
}

/** Renews the node's Lease. Otherwise the node controller would mark the node as unreachable after 50 s. */
async function heartbeat(admin: KubeClient, name: string): Promise<void> {
	const renewTime = new Date().toISOString().replace('Z', '000Z')
	const lease = { metadata: { name, namespace: 'kube-node-lease' }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime } }
	await admin.apply(Lease, lease)
}
