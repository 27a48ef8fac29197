import type { AgentReport, RunConfig } from '../contract/agent-run.ts'
import type { NodeConfigSpec, NodeConfigStatus } from '../contract/node-config.ts'

/** Everything one decision may look at, read at one moment. Times are milliseconds since 1970. */
export type Snapshot = {
	now: number
	settings: RunSettings
	config: ConfigView
	/** The spec, or the sentence that says which field of it is wrong. */
	spec: { value: NodeConfigSpec } | { fault: string }
	/** Ours, of the settled interfaces: the sender's is only informative. */
	specHash: string
	node: NodeView | undefined
	/** Every run on that node, whichever node config it was for. */
	runs: readonly Run[]
	/** Runs under way in the whole cluster. */
	running: number
}

/** What a chart's values say of runs. */
export type RunSettings = {
	keepRunMs: number
	maxConcurrentRuns: number
}

export type ConfigView = {
	name: string
	namespace: string
	uid: string
	resourceVersion: string
	generation: number
	deleting: boolean
	finalizers: readonly string[]
	/** Value of the annotation by which a person asks for a run now. */
	retry: string | undefined
	rawSpec: unknown
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
	/** Value of the retry annotation it answers. */
	retry: string | undefined
	created: number
	report: AgentReport | undefined
	/** Why the report that is there cannot be used. */
	reportFault: string | undefined
	hasConfigMap: boolean
	job: JobView | undefined
	pod: PodView | undefined
}

export type JobView = {
	/** Time of the condition Complete or Failed. */
	finished: number | undefined
	/** Reason and message of the condition Failed. */
	failure: string | undefined
}

export type PodView = {
	ended: boolean
	/** Why the kubelet does not start it: `ImagePullBackOff: Back-off pulling image …`. */
	refused: string | undefined
	/** What the container left in its termination message. */
	lastWords: string | undefined
}
