import { POD_NETWORKS_MAX } from '../../contract/chart-limits.ts'
import { clean } from '../../contract/clean.ts'
import { parseCidr } from '../../contract/ip.ts'
import {
	AGENT_CONTAINER,
	ANNOTATION_BOOT_ID,
	ANNOTATION_POD_NETWORKS,
	ANNOTATION_CAUSE,
	ANNOTATION_FAILURES,
	LABEL_ATTEMPT,
	LABEL_CONFIG_UID,
	LABEL_GENERATION,
	LABEL_MODE,
	LABEL_NODE_NAME,
	REPORT_KEY,
	TERMINATION_MAX_BYTES,
} from '../../contract/names.ts'
import { CONTROL_PLANE_LABELS } from '../../contract/rollout.ts'
import { condition } from '../../contract/status.ts'
import { endOf, type ObjectMeta, type Stored } from '../../runtime/kube/index.ts'
import { requestsIn } from '../model/requests.ts'
import type { ConfigMapPart, JobPart, NodePart, PodPart } from './protobuf-fields.ts'
import type { JobView, Mode, NodeView, PodView, Run } from '../model/snapshot.ts'

/** Reduces objects to the fields that decisions use; the caches keep nothing else. Pure. */

/** Reduces a Node to the fields that decisions use. If the condition Ready is missing, the kubelet is treated as not reporting. */
export function nodeView({ metadata, spec, status }: Stored<NodePart>): NodeView {
	const ready = condition(status, 'Ready')?.status
	return {
		name: metadata.name,
		uid: metadata.uid,
		ready: ready === 'True' || ready === 'False' ? ready : 'Unknown',
		internalIps: (status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' && address ? [address] : [])),
		podNetworks: (spec?.podCIDRs ?? []).filter(cidr => parseCidr(cidr) !== undefined).slice(0, POD_NETWORKS_MAX),
		controlPlane: CONTROL_PLANE_LABELS.some(label => metadata.labels?.[label] !== undefined),
		systemUUID: status?.nodeInfo?.systemUUID || undefined,
		bootID: status?.nodeInfo?.bootID || undefined,
	}
}

export type RolloutConfigMapView = { uid: string; data: Readonly<Record<string, string>> }

/** Reduces a ConfigMap of the rollout to its data. */
export function rolloutConfigMapView({ metadata, data = {} }: Stored<ConfigMapPart>): RolloutConfigMapView {
	return { uid: metadata.uid, data }
}

/** The identity that the ConfigMap, the Job and the pod of a run share. */
export type RunIdentity = { name: string; node: string; uid: string; generation: number; attempt: number; mode: Mode }

export type ConfigMapView = RunIdentity &
	Pick<Run, 'cause' | 'requests' | 'bootID' | 'podNetworks' | 'failures' | 'created'> & { report: string | undefined }

/** Reduces the ConfigMap of a run; its report is not parsed yet. */
export function configMapView({ metadata, data }: Stored<ConfigMapPart>): ConfigMapView {
	const notes = metadata.annotations ?? {}
	return {
		...identityOf(metadata, metadata.name),
		created: Date.parse(metadata.creationTimestamp),
		cause: notes[ANNOTATION_CAUSE] ?? '',
		requests: requestsIn(notes),
		bootID: notes[ANNOTATION_BOOT_ID],
		podNetworks: notes[ANNOTATION_POD_NETWORKS],
		failures: Number(notes[ANNOTATION_FAILURES]) || 0,
		report: data?.[REPORT_KEY],
	}
}

export type RunJobView = RunIdentity & JobView & { created: number }

/** Reduces the Job of a run. `finished` is the transition time of the condition Complete or Failed. */
export function jobView({ metadata, spec, status }: Stored<JobPart>): RunJobView {
	const end = endOf({ status })
	return {
		...identityOf(metadata, metadata.name),
		jobUid: metadata.uid,
		created: Date.parse(metadata.creationTimestamp),
		finished: end && Date.parse(end.lastTransitionTime ?? metadata.creationTimestamp),
		failure: end?.type === 'Failed' ? [end.reason, end.message].filter(Boolean).join(': ') : undefined,
		hasPods: [status?.active, status?.succeeded, status?.failed, status?.terminating].some(count => (count ?? 0) > 0),
		suspended: spec?.suspend === true,
	}
}

export type RunPodView = RunIdentity &
	PodView & {
		pod: string
		/** uid of the Job that created the pod, from the owner reference. */
		createdBy: string | undefined
		/** The node to which the pod is bound; its labels may name another. */
		boundTo: string | undefined
	}

/** Reduces the pod of a run. The name of the run is the name of its Job, which is in a label of the pod. */
export function podView({ metadata, spec, status }: Stored<PodPart>): RunPodView {
	const agent = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER)?.state
	const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
	const hasStarted = agent?.running !== undefined || (agent?.terminated !== undefined && !isUnstarted(agent.terminated))
	return {
		...identityOf(metadata, metadata.labels?.['batch.kubernetes.io/job-name'] ?? metadata.labels?.['job-name'] ?? ''),
		pod: metadata.name,
		createdBy: metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Job' && controller === true)?.uid,
		boundTo: spec?.nodeName,
		hasStarted,
		// a sidecar may still be running: it is not part of MultiNIC, and the agent's container is not restarted
		ended: isOver || agent?.terminated !== undefined,
		refused: hasStarted ? undefined : refusalOf(status, agent, isOver),
		terminationMessage: hasStarted ? agent?.terminated?.message?.slice(0, TERMINATION_MAX_BYTES) : undefined,
	}
}

type StateReason = { reason?: string; message?: string }
type State = NonNullable<NonNullable<NonNullable<PodPart['status']>['containerStatuses']>[number]['state']>

/** Maximum length of a kubelet message that is kept (characters). */
const REFUSAL_MAX = 500

/** Waiting reasons of a pod that is starting normally. */
const startingReasons = ['ContainerCreating', 'PodInitializing']

/** Termination reasons by which containerd, CRI-O and the kubelet report that the program of a container never ran. */
const unstarted = ['StartError', 'ContainerCannotRun', 'CreateContainerError', 'CreateContainerConfigError', 'RunContainerError']

/** Whether the program of the container never ran. In JSON, a missing time is null. */
function isUnstarted({ reason, startedAt }: NonNullable<State['terminated']>): boolean {
	return unstarted.includes(reason ?? '') || (startedAt ?? '').startsWith('1970-')
}

/** Returns why the agent does not start, from its own container, an init container, or the whole pod if it was evicted or not admitted. */
function refusalOf(status: PodPart['status'], agent: State | undefined, isOver: boolean): string | undefined {
	const before = (status?.initContainerStatuses ?? []).flatMap(({ name, state }) => {
		const found = state && (waitingIn(state) ?? (state.terminated?.exitCode ? state.terminated : undefined))
		return found ? [{ ...found, reason: `container ${name}: ${found.reason ?? 'it failed'}` }] : []
	})
	const why = (agent && (waitingIn(agent) ?? agent.terminated)) ?? before[0] ?? (isOver ? (status ?? {}) : undefined)
	return why && (reasonText(why) || 'the kubelet gave no reason')
}

function waitingIn({ waiting }: State): StateReason | undefined {
	return waiting?.reason && !startingReasons.includes(waiting.reason) ? waiting : undefined
}

function reasonText({ reason, message }: StateReason): string {
	return clean([reason, message].filter(Boolean).join(': ').slice(0, REFUSAL_MAX))
}

function identityOf({ labels = {} }: ObjectMeta, name: string): RunIdentity {
	return {
		name,
		node: labels[LABEL_NODE_NAME] ?? '',
		uid: labels[LABEL_CONFIG_UID] ?? '',
		generation: Number(labels[LABEL_GENERATION]),
		attempt: Number(labels[LABEL_ATTEMPT]),
		mode: modeOf(labels[LABEL_MODE]),
	}
}

function modeOf(text: string | undefined): Mode {
	return text === 'Plan' || text === 'Verify' || text === 'Cleanup' ? text : 'Apply'
}
