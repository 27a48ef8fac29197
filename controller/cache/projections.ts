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
import { NodeConfigStatus } from '../../contract/node-config.ts'
import { CONTROL_PLANE_LABELS } from '../../contract/rollout.ts'
import { condition } from '../../contract/status.ts'
import { endOf, type ObjectMeta, type Stored } from '../../runtime/kube/index.ts'
import { askedIn } from '../model/requests.ts'
import { interned } from './intern.ts'
import type { NodeConfigObject } from '../model/node-config-kind.ts'
import type { ConfigMapPart, JobPart, NodePart, PodPart } from './protobuf-fields.ts'
import { readSpec } from '../model/read-spec.ts'
import type { ConfigView, JobView, Mode, NodeView, PodView, Run } from '../model/snapshot.ts'

/** Objects → what decisions use of them; the caches keep nothing else. Pure. */

/** A node config, with its status checked against the schema. */
export function configView({ metadata, spec, status: found = {} }: Stored<NodeConfigObject>): ConfigView {
	const status = isOurs(metadata) ? found : {}
	return {
		name: metadata.name,
		namespace: interned(metadata.namespace ?? ''),
		uid: metadata.uid,
		resourceVersion: metadata.resourceVersion,
		generation: metadata.generation ?? 0,
		created: Date.parse(metadata.creationTimestamp),
		deleting: metadata.deletionTimestamp !== undefined,
		finalizers: interned(metadata.finalizers ?? []),
		asked: askedIn(metadata.annotations),
		read: readSpec(interned(spec)),
		rawStatus: interned(found),
		// a status of another shape is from an older version: it cannot be relied on, and is overwritten; not copied, to save memory
		status: NodeConfigStatus.safeParse(status).success ? (status as NodeConfigStatus) : {},
	}
}

/** The field manager of the controller. */
export const MANAGER = 'multinic-controller'

/**
 * Whether the controller wrote the status, and for this object. A status of another writer, or from before the object was created, is from
 * another object: a backup was restored, and Velero restores the managed fields too. If the API server does not record the writer, it is
 * the controller, because the policies allow no other.
 */
function isOurs({ managedFields = [], creationTimestamp = '' }: ObjectMeta): boolean {
	const writers = managedFields.filter(({ subresource }) => subresource === 'status')
	const isOfThis = (time: string | undefined) => !(Date.parse(time ?? '') < Date.parse(creationTimestamp))
	return writers.length === 0 || writers.some(({ manager, time }) => manager === MANAGER && isOfThis(time))
}

/** A node; without the condition Ready its kubelet counts as not reporting. */
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

export type RolloutView = { uid: string; data: Readonly<Record<string, string>> }

/** The settings of the rollout, as written. */
export function rolloutView({ metadata, data = {} }: Stored<ConfigMapPart>): RolloutView {
	return { uid: metadata.uid, data }
}

/** The identity that a ConfigMap, a Job and a pod of one run share. */
export type Mark = { name: string; node: string; uid: string; generation: number; attempt: number; mode: Mode }

export type ConfigMapView = Mark &
	Pick<Run, 'cause' | 'asked' | 'bootID' | 'podNetworks' | 'failures' | 'created'> & { report: string | undefined }

/** The ConfigMap of a run, with the report as text. */
export function configMapView({ metadata, data }: Stored<ConfigMapPart>): ConfigMapView {
	const notes = metadata.annotations ?? {}
	return {
		...markOf(metadata, metadata.name),
		created: Date.parse(metadata.creationTimestamp),
		cause: notes[ANNOTATION_CAUSE] ?? '',
		asked: askedIn(notes),
		bootID: notes[ANNOTATION_BOOT_ID],
		podNetworks: notes[ANNOTATION_POD_NETWORKS],
		failures: Number(notes[ANNOTATION_FAILURES]) || 0,
		report: data?.[REPORT_KEY],
	}
}

export type RunJobView = Mark & JobView & { created: number }

/** The Job of a run. Its end is the time of the condition, from the API server. */
export function jobView({ metadata, spec, status }: Stored<JobPart>): RunJobView {
	const end = endOf({ status })
	return {
		...markOf(metadata, metadata.name),
		jobUid: metadata.uid,
		created: Date.parse(metadata.creationTimestamp),
		finished: end && Date.parse(end.lastTransitionTime ?? metadata.creationTimestamp),
		failure: end?.type === 'Failed' ? [end.reason, end.message].filter(Boolean).join(': ') : undefined,
		hasPods: [status?.active, status?.succeeded, status?.failed, status?.terminating].some(count => (count ?? 0) > 0),
		suspended: spec?.suspend === true,
	}
}

export type RunPodView = Mark &
	PodView & {
		pod: string
		/** uid of the Job that created it, from the owner reference. */
		madeBy: string | undefined
		/** The node that it is bound to, whatever its labels say. */
		boundTo: string | undefined
	}

/** The pod of a Job, by the name of the Job, which is the name of the run. */
export function podView({ metadata, spec, status }: Stored<PodPart>): RunPodView {
	const agent = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER)?.state
	const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
	const began = agent?.running !== undefined || (agent?.terminated !== undefined && !isUnstarted(agent.terminated))
	return {
		...markOf(metadata, metadata.labels?.['batch.kubernetes.io/job-name'] ?? metadata.labels?.['job-name'] ?? ''),
		pod: metadata.name,
		madeBy: metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Job' && controller === true)?.uid,
		boundTo: spec?.nodeName,
		began,
		// a container beside the agent's may continue; it is not MultiNIC's, and the agent's is not started again
		ended: isOver || agent?.terminated !== undefined,
		refused: began ? undefined : refusalOf(status, agent, isOver),
		lastWords: began ? agent?.terminated?.message?.slice(0, TERMINATION_MAX_BYTES) : undefined,
	}
}

type Said = { reason?: string; message?: string }
type State = NonNullable<NonNullable<NonNullable<PodPart['status']>['containerStatuses']>[number]['state']>

/** How much of a kubelet's message is kept (characters). */
const REFUSAL_MAX = 500

/** Waiting reasons that are not a refusal. */
const onItsWay = ['ContainerCreating', 'PodInitializing']

/** What containerd, CRI-O and the kubelet call a container whose program never ran. */
const unstarted = ['StartError', 'ContainerCannotRun', 'CreateContainerError', 'CreateContainerConfigError', 'RunContainerError']

/** In JSON, the API server sends null if there is no time. */
function isUnstarted({ reason, startedAt }: NonNullable<State['terminated']>): boolean {
	return unstarted.includes(reason ?? '') || (startedAt ?? '').startsWith('1970-')
}

/** Says what keeps the agent from starting: its own container, an init container, or the whole pod, which was evicted or not admitted. */
function refusalOf(status: PodPart['status'], agent: State | undefined, isOver: boolean): string | undefined {
	const before = (status?.initContainerStatuses ?? []).flatMap(({ name, state }) => {
		const found = state && (waitingIn(state) ?? (state.terminated?.exitCode ? state.terminated : undefined))
		return found ? [{ ...found, reason: `container ${name}: ${found.reason ?? 'it failed'}` }] : []
	})
	const why = (agent && (waitingIn(agent) ?? agent.terminated)) ?? before[0] ?? (isOver ? (status ?? {}) : undefined)
	return why && (wordsOf(why) || 'the kubelet gave no reason')
}

function waitingIn({ waiting }: State): Said | undefined {
	return waiting?.reason && !onItsWay.includes(waiting.reason) ? waiting : undefined
}

function wordsOf({ reason, message }: Said): string {
	return clean([reason, message].filter(Boolean).join(': ').slice(0, REFUSAL_MAX))
}

function markOf({ labels = {} }: ObjectMeta, name: string): Mark {
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
