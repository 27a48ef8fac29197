import { LABEL_GENERATION, LABEL_NODE_NAME, REPORT_KEY } from '../../contract/names.ts'
import { ConfigMap, Job, type KubeClient, Pod, startReflector, type Stored } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import type { NodeConfigObject } from '../../viola/model/node-config-kind.ts'

/** The milestones from a port to a NIC, in order. */
export const milestones = ['port seen', 'node config written', 'Job created', 'pod started', 'agent reported', 'Configured'] as const
export type Milestone = (typeof milestones)[number]

/** When each milestone was reached, in milliseconds since the port was attached or detached. */
export type MilestoneTimes = Partial<Record<Milestone, number>>

export interface Follow {
	client: KubeClient
	namespace: string
	node: string
	/** In lower case. */
	mac: string
	change: 'attached' | 'detached'
	/** Resolves when OpenStack has returned the changed port to a client. */
	seen?: Promise<void>
	log: Log
	/** Called for each milestone when it is reached. */
	onMilestone: (milestone: Milestone, afterMs: number) => void
	withinMs: number
}

/**
 * Watches the biz cluster until the node config of the node is `Configured` and contains the MAC of the attached port, or no longer
 * contains the MAC of the detached port. After `withinMs`, throws an error with the reason and message of the Ready condition.
 */
export async function followPort(follow: Follow): Promise<MilestoneTimes> {
	const { onMilestone, withinMs, seen } = follow
	const since = Date.now()
	const times: MilestoneTimes = {}
	const end = new AbortController()
	const done = Promise.withResolvers<void>()
	let last: NodeConfigObject | undefined
	const reached = (milestone: Milestone) => {
		if (times[milestone] !== undefined) return
		times[milestone] = Date.now() - since
		onMilestone(milestone, times[milestone])
		if (milestone === 'Configured') done.resolve()
	}
	const watching = { ...follow, signal: end.signal }
	const config = startReflector<NodeConfigObject, Stored<NodeConfigObject>>({
		...watching,
		kind: NodeConfigKind,
		fieldSelector: `metadata.name=${follow.node}`,
		onChange: (_, now) => {
			last = now
			if (now && isWritten(now, follow)) reached('node config written')
			if (now && isWritten(now, follow) && isConfigured(now, follow)) reached('Configured')
		},
	})
	void seen?.then(() => reached('port seen'))
	const isOurs = (labels: Labels) => times['node config written'] !== undefined && generationOf(labels) === last?.metadata.generation
	const reflectors = [config, ...watchRuns(watching, isOurs, reached)]
	const late = setTimeout(() => done.reject(new Error(tooLate(follow, last, withinMs))), withinMs)
	try {
		await done.promise
		return times
	} finally {
		clearTimeout(late)
		end.abort()
		await Promise.all(reflectors.map(reflector => reflector.done))
	}
}

type Labels = Readonly<Record<string, string>> | undefined

/** Watches the three objects that belong to a run; each shows one milestone. */
function watchRuns(follow: Follow & { signal: AbortSignal }, isOurs: (labels: Labels) => boolean, reached: (milestone: Milestone) => void) {
	const runs = { ...follow, labelSelector: `${LABEL_NODE_NAME}=${follow.node}` }
	const on = <T extends { metadata: { labels?: Labels } }>(milestone: Milestone, is: (object: T) => boolean) => ({
		onChange: (_: string, now: T | undefined) => {
			if (now && isOurs(now.metadata.labels) && is(now)) reached(milestone)
		},
	})
	return [
		startReflector<Job, Stored<Job>>({ ...runs, kind: Job, ...on('Job created', () => true) }),
		startReflector<Pod, Stored<Pod>>({ ...runs, kind: Pod, ...on('pod started', hasStarted) }),
		startReflector<ConfigMap, Stored<ConfigMap>>({
			...runs,
			kind: ConfigMap,
			...on<ConfigMap>('agent reported', ({ data }) => data?.[REPORT_KEY] !== undefined),
		}),
	]
}

function generationOf(labels: Labels): number {
	return Number(labels?.[LABEL_GENERATION])
}

type Change = Pick<Follow, 'mac' | 'change'>

function isWritten({ spec }: NodeConfigObject, { mac, change }: Change): boolean {
	return spec.interfaces.some(nic => nic.macAddress === mac) === (change === 'attached')
}

function isConfigured({ metadata, status }: NodeConfigObject, { mac, change }: Change): boolean {
	const nic = status?.interfaceStatuses?.find(one => one.macAddress === mac)
	const said = change === 'attached' ? nic?.status === 'Configured' : nic === undefined
	return status?.observedGeneration === metadata.generation && status?.state === 'Configured' && said
}

function hasStarted(pod: Pod): boolean {
	const state = pod.status?.containerStatuses?.[0]?.state
	return state?.running !== undefined || state?.terminated !== undefined
}

function tooLate({ node, mac, change }: Follow, config: NodeConfigObject | undefined, withinMs: number): string {
	const ready = config?.status?.conditions?.find(({ type }) => type === 'Ready')
	const said = ready
		? `its node config reports ${ready.reason}: ${ready.message}`
		: `${config ? 'its node config has no status' : 'it has no node config'}`
	return `${mac}, ${change}: ${node} was not Configured within ${withinMs / 1000} s; ${said}`
}
