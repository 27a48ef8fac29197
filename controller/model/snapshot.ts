import type { RunConfig } from '../../contract/agent-run.ts'
import type { Rollout } from '../../contract/rollout.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { Requests } from './requests.ts'
import type { Report } from './report.ts'
import type { ReadSpec } from './read-spec.ts'

/** Everything that a decision may use, read at one point in time. Times are in milliseconds since 1970. */
export type Snapshot = Omit<ReadSpec, 'checksum'> & {
	now: number
	/** Monotonic clock with an arbitrary start (milliseconds). */
	uptime: number
	settings: RunSettings
	config: ConfigView
	node: NodeView | undefined
	/** Another node config that claims the same MAC or address and takes precedence. */
	conflict: Conflict | undefined
	/** All runs on the node, of any node config. */
	runs: readonly Run[]
	/** Why the current run has no pod, as Kubernetes reports it; looked up only if the pod is overdue. */
	noPod?: string | undefined
	rollout: RolloutView
}

/** Settings of runs from the chart. */
export type RunSettings = {
	keepRunMs: number
	maxConcurrentRuns: number
	/** How long a run may take before Kubernetes ends it (`activeDeadlineSeconds`). */
	deadlineMs: number
	/** Whether a node is treated as replaced if its systemUUID differs from the instanceId of the node config. */
	checkInstanceId: boolean
}

/** The state of a node in the rollout. */
export type RolloutView = {
	/** The effective settings, or which key is invalid. */
	settings: Rollout
	/** How many more nodes may be changed now. */
	slots: number
	/** How many more runs may be created now, of any mode. */
	runSlots: number
	/** How many nodes are queued before this one. */
	queuePosition: number
	/** Whether this is a control-plane node and another control-plane node is being changed. */
	controlPlaneBusy: boolean
	/** Another node that stops the rollout, and why. */
	stoppedBy: { name: string; reason: string } | undefined
	/** Whether the node skips the queue, because it stops the rollout itself or a person requested a retry. */
	skipsQueue: boolean
	hold: { reason: HoldReason; since: number } | undefined
	/** The number of read-only runs in progress. */
	activeVerifications: number
	/** When the last known run was created; when this process started if no run is known. */
	lastRunAt: number
}

/** Why a run that would change its node is queued. */
export type HoldReason = 'SettingsUnreadable' | 'RolloutPaused' | 'RolloutStopped' | 'WaveIsFull'

/** Another node config, and the claim that both share: `MAC fa:16:3e:37:c3:f1`. */
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
	/** The status as stored; a write is compared with it. */
	rawStatus: Readonly<Record<string, unknown>>
	status: NodeConfigStatus
}

export type NodeView = {
	name: string
	uid: string
	/** Status of the condition Ready. `Unknown` means that the kubelet does not report; it is also used if the condition is missing. */
	ready: 'True' | 'False' | 'Unknown'
	internalIps: readonly string[]
	/** `spec.podCIDRs`, one per IP family, if the cluster assigns them to its nodes. */
	podNetworks: readonly string[]
	controlPlane: boolean
	/** UUID from the firmware of the machine; undefined if the kubelet reports none. */
	systemUUID: string | undefined
	/** Changes at every boot. */
	bootID: string | undefined
}

export type Mode = RunConfig['mode']

/** One execution of the agent: a ConfigMap, a Job of the same name, and the Job's pod. Some of them may not exist. */
export type Run = {
	name: string
	/** uid of the node config for which the run was started. */
	uid: string
	generation: number
	attempt: number
	mode: Mode
	/** Why the run was started. */
	cause: string
	/** The requests that the run answers. */
	requests: Requests
	/** Boot id of the node when the run was created; undefined if unknown. */
	bootID: string | undefined
	/** `spec.podCIDRs` of the node when the run was created, separated by commas; undefined if unknown. */
	podNetworks: string | undefined
	/** Number of consecutive failed runs before this one. */
	failures: number
	created: number
	/** When the controller first observed the run, by the clock of `uptime`. */
	firstSeenAt: number
	report: Report | undefined
	/** Why the report cannot be used; undefined if it can be used or does not exist. */
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
	/** Whether the Job has created a pod, even if the pod no longer exists. */
	hasPods: boolean
	/** Whether the Job is suspended (`spec.suspend`), so that it creates no pod. */
	suspended: boolean
}

export type PodView = {
	/** Whether the kubelet has reported that the agent's container is running or has run. */
	hasStarted: boolean
	ended: boolean
	/** Why the kubelet does not start the pod: `ImagePullBackOff: Back-off pulling image …`. */
	refused: string | undefined
	/** The termination message of the agent's container. */
	terminationMessage: string | undefined
}
