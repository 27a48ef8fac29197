import type { RunConfig } from '../contract/agent-run.ts'
import type { Rollout } from '../contract/rollout.ts'
import type { NodeConfigStatus } from '../contract/node-config.ts'
import type { Asked } from './asked.ts'
import type { Report } from './read-report.ts'
import type { ReadSpec } from './spec.ts'

/** Everything one decision may look at, read at one moment. Times are milliseconds since 1970. */
export type Snapshot = ReadSpec & {
	now: number
	/** On a clock that nobody sets, from any moment on (milliseconds). */
	uptime: number
	settings: RunSettings
	config: ConfigView
	node: NodeView | undefined
	/** Who claims the same MAC or address with the better right. */
	rival: Rival | undefined
	/** Every run on that node, whichever node config it was for. */
	runs: readonly Run[]
	/** Why the run under way has no pod, in Kubernetes' words; asked for only once it should have one. */
	noPod?: string | undefined
	rollout: Standing
}

/** What a chart's values say of runs. */
export type RunSettings = {
	keepRunMs: number
	maxConcurrentRuns: number
	/** When Kubernetes ends a run (`activeDeadlineSeconds`). */
	deadlineMs: number
	/** Whether a node counts as replaced when its systemUUID is not the node config's instanceId. */
	checkInstanceId: boolean
}

/** Where a node stands in the rollout. */
export type Standing = {
	/** As people wrote them, or which key of them is wrong. */
	settings: Rollout
	/** How many more nodes may be changed now. */
	free: number
	/** How many more runs may be made now, whatever they do. */
	freeRuns: number
	/** How many come before this one. */
	ahead: number
	/** This node and another one that is being changed belong to the control plane. */
	controlPlaneBusy: boolean
	/** Another node, whose run did harm. */
	stoppedBy: { name: string; reason: string } | undefined
	/** It stops the others itself, or a person asks for it. */
	jumps: boolean
	held: { rule: HoldRule; since: number } | undefined
	/** Runs under way that only look. */
	looking: number
	/** When the last run we know of was made; the start of this process where we know of none. */
	lookedAt: number
}

/** What holds a run back that would change its node. */
export type HoldRule = 'SettingsUnreadable' | 'RolloutPaused' | 'RolloutStopped' | 'WaveIsFull'

/** Another node config, and what of ours it claims: `MAC fa:16:3e:37:c3:f1`. */
export type Rival = { name: string; what: string }

export type ConfigView = {
	name: string
	namespace: string
	uid: string
	resourceVersion: string
	generation: number
	created: number
	deleting: boolean
	finalizers: readonly string[]
	asked: Asked
	read: ReadSpec
	/** As stored, for comparing before a write. */
	rawStatus: Readonly<Record<string, unknown>>
	status: NodeConfigStatus
}

export type NodeView = {
	name: string
	uid: string
	/** Of the condition Ready; `Unknown` also when there is none: the kubelet is silent. */
	ready: 'True' | 'False' | 'Unknown'
	internalIps: readonly string[]
	/** `spec.podCIDRs`, one a family, as far as the cluster gives its nodes any. */
	podNetworks: readonly string[]
	controlPlane: boolean
	/** UUID of its firmware; undefined where the kubelet found none. */
	systemUUID: string | undefined
	/** Another one after every boot. */
	bootID: string | undefined
}

export type Mode = RunConfig['mode']

/** One execution of the agent: a ConfigMap, a Job and a pod of one name, as far as they exist. */
export type Run = {
	name: string
	/** uid of the node config it was started for. */
	uid: string
	generation: number
	attempt: number
	mode: Mode
	/** Why it was started. */
	cause: string
	/** What it answers. */
	asked: Asked
	/** The node's when it was made; undefined where it was not known. */
	bootID: string | undefined
	/** Failed runs in a row before it. */
	failures: number
	created: number
	/** When we first heard of it, as `uptime`. */
	heard: number
	report: Report | undefined
	/** Why the report that is there cannot be used. */
	reportFault: string | undefined
	hasConfigMap: boolean
	job: JobView | undefined
	pod: PodView | undefined
}

export type JobView = {
	jobUid: string
	/** Time of the condition Complete or Failed. */
	finished: number | undefined
	/** Reason and message of the condition Failed. */
	failure: string | undefined
	/** It has made a pod, whatever became of that. */
	hasPods: boolean
	/** Somebody keeps it from making one (`spec.suspend`). */
	suspended: boolean
}

export type PodView = {
	/** The kubelet has told of a container that runs or ran. */
	began: boolean
	ended: boolean
	/** Why the kubelet does not start it: `ImagePullBackOff: Back-off pulling image …`. */
	refused: string | undefined
	/** What the container left in its termination message. */
	lastWords: string | undefined
}
