import type { RunConfig } from '../../contract/agent-run.ts'
import type { Rollout } from '../../contract/rollout.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { Requests } from './requests.ts'
import type { Report } from './report.ts'
import type { ReadSpec } from './read-spec.ts'

/** Everything that one decision may use, read at one time. Times are milliseconds since 1970. */
export type Snapshot = ReadSpec & {
	now: number
	/** Monotonic clock with any start (milliseconds). */
	uptime: number
	settings: RunSettings
	config: ConfigView
	node: NodeView | undefined
	/** The node config that claims the same MAC or address with the better right. */
	conflict: Conflict | undefined
	/** All runs on that node, whichever node config they were started for. */
	runs: readonly Run[]
	/** Why the current run has no pod, in Kubernetes' words; looked up only once it should have one. */
	noPod?: string | undefined
	rollout: RolloutView
}

/** Settings of runs from the chart. */
export type RunSettings = {
	keepRunMs: number
	maxConcurrentRuns: number
	/** When Kubernetes ends a run (`activeDeadlineSeconds`). */
	deadlineMs: number
	/** Whether a node counts as replaced when its systemUUID is not the instanceId of the node config. */
	checkInstanceId: boolean
}

/** The state of a node in the rollout. */
export type RolloutView = {
	/** The settings as written, or the key that is invalid. */
	settings: Rollout
	/** How many more nodes may be changed now. */
	slots: number
	/** How many more runs may be created now, of any mode. */
	runSlots: number
	/** How many nodes are queued before this one. */
	queuePosition: number
	/** This node and another one that is being changed belong to the control plane. */
	controlPlaneBusy: boolean
	/** Another node, which stops the rollout. */
	stoppedBy: { name: string; reason: string } | undefined
	/** It stops the rollout itself, or a person requested a retry. */
	skipsQueue: boolean
	hold: { reason: HoldReason; since: number } | undefined
	/** The number of read-only runs in progress. */
	activeVerifications: number
	/** When the last known run was created; the start of this process if none is known. */
	lastRunAt: number
}

/** Why a run that would change its node is queued. */
export type HoldReason = 'SettingsUnreadable' | 'RolloutPaused' | 'RolloutStopped' | 'WaveIsFull'

/** Another node config, and the claim it shares with this one: `MAC fa:16:3e:37:c3:f1`. */
export type Conflict = { name: string; what: string }

export type ConfigView = {
	name: string
	namespace: string
	uid: string
	resourceVersion: string
	generation: number
	created: number
	deleting: boolean
	finalizers: readonly string[]
	requests: Requests
	read: ReadSpec
	/** As stored, to compare before a write. */
	rawStatus: Readonly<Record<string, unknown>>
	status: NodeConfigStatus
}

export type NodeView = {
	name: string
	uid: string
	/** Status of the condition Ready; also `Unknown` without the condition: the kubelet does not report. */
	ready: 'True' | 'False' | 'Unknown'
	internalIps: readonly string[]
	/** `spec.podCIDRs`, one per IP family, if the cluster assigns them to its nodes. */
	podNetworks: readonly string[]
	controlPlane: boolean
	/** UUID of its firmware; undefined if the kubelet found none. */
	systemUUID: string | undefined
	/** Changes at every boot. */
	bootID: string | undefined
}

export type Mode = RunConfig['mode']

/** One execution of the agent: a ConfigMap, a Job and a pod with the same name, as far as they exist. */
export type Run = {
	name: string
	/** uid of the node config that it was started for. */
	uid: string
	generation: number
	attempt: number
	mode: Mode
	/** Why it was started. */
	cause: string
	/** The requests it answers. */
	requests: Requests
	/** Boot id of the node when the run was created; undefined if unknown. */
	bootID: string | undefined
	/** `spec.podCIDRs` of the node when the run was created, separated by commas; undefined if unknown. */
	podNetworks: string | undefined
	/** Failed runs in a row before it. */
	failures: number
	created: number
	/** When it was first observed, as `uptime`. */
	firstSeenAt: number
	report: Report | undefined
	/** Why the existing report cannot be used. */
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
	/** It has created a pod, which may no longer exist. */
	hasPods: boolean
	/** It is prevented from creating a pod (`spec.suspend`). */
	suspended: boolean
}

export type PodView = {
	/** The kubelet has reported a container that runs or ran. */
	hasStarted: boolean
	ended: boolean
	/** Why the kubelet does not start it: `ImagePullBackOff: Back-off pulling image …`. */
	refused: string | undefined
	/** The termination message of the container. */
	terminationMessage: string | undefined
}
