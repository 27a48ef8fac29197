import { clean } from '../contract/clean.ts'
import {
	AGENT_CONTAINER,
	ANNOTATION_CAUSE,
	ANNOTATION_MODE,
	ANNOTATION_FAILURES,
	LABEL_ATTEMPT,
	LABEL_CONFIG_UID,
	LABEL_GENERATION,
	LABEL_NODE_NAME,
	REPORT_KEY,
	TERMINATION_MAX_BYTES,
} from '../contract/names.ts'
import { NodeConfigStatus } from '../contract/node-config.ts'
import { CONTROL_PLANE_LABELS } from '../contract/rollout.ts'
import type { KubeObject, ObjectMeta, Stored } from '../runtime/kube/kind.ts'
import { askedIn } from './asked.ts'
import { interned } from './intern.ts'
import type { ConfigMapPart, JobPart, NodePart, PodPart } from './parts.ts'
import { readSpec } from './spec.ts'
import type { ConfigView, JobView, Mode, NodeView, PodView, Run } from './snapshot.ts'

/** Objects → what decisions need of them; the caches keep nothing else. Pure. */

/** A node config as the API server gives it. */
export type NodeConfigObject = KubeObject & { spec?: unknown; status?: Readonly<Record<string, unknown>> }

/** A node config, its status read by the schema. */
export function configView({ metadata, spec, status = {} }: Stored<NodeConfigObject>): ConfigView {
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
		rawStatus: interned(status),
		// a status of other shape is one of an older program's: nothing in it can be relied on, and it is overwritten; no copy, for memory's sake
		status: NodeConfigStatus.safeParse(status).success ? (status as NodeConfigStatus) : {},
	}
}

/** A node; one that says nothing of Ready counts as silent. */
export function nodeView({ metadata, status }: Stored<NodePart>): NodeView {
	const ready = status?.conditions?.find(one => one.type === 'Ready')?.status
	return {
		name: metadata.name,
		uid: metadata.uid,
		ready: ready === 'True' || ready === 'False' ? ready : 'Unknown',
		internalIps: (status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' && address ? [address] : [])),
		controlPlane: CONTROL_PLANE_LABELS.some(label => metadata.labels?.[label] !== undefined),
		systemUUID: status?.nodeInfo?.systemUUID || undefined,
		bootID: status?.nodeInfo?.bootID || undefined,
	}
}

export type RolloutView = { uid: string; data: Readonly<Record<string, string>> }

/** The settings of the rollout, as they are written. */
export function rolloutView({ metadata, data = {} }: Stored<ConfigMapPart>): RolloutView {
	return { uid: metadata.uid, data }
}

/** The identity that a ConfigMap, a Job and a pod of one run share. */
export type Mark = { name: string; node: string; uid: string; generation: number; attempt: number }

export type ConfigMapView = Mark & Pick<Run, 'mode' | 'cause' | 'asked' | 'failures' | 'created'> & { report: string | undefined }

/** The ConfigMap of a run, with the report as text. */
export function configMapView({ metadata, data }: Stored<ConfigMapPart>): ConfigMapView {
	const notes = metadata.annotations ?? {}
	return {
		...markOf(metadata, metadata.name),
		created: Date.parse(metadata.creationTimestamp),
		mode: modeOf(notes[ANNOTATION_MODE]),
		cause: notes[ANNOTATION_CAUSE] ?? '',
		asked: askedIn(notes),
		failures: Number(notes[ANNOTATION_FAILURES]) || 0,
		report: data?.[REPORT_KEY],
	}
}

export type RunJobView = Mark & JobView & { created: number; jobUid: string }

/** The Job of a run. Its end is the condition's time, as the API server tells it. */
export function jobView({ metadata, status }: Stored<JobPart>): RunJobView {
	const end = status?.conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))
	return {
		...markOf(metadata, metadata.name),
		jobUid: metadata.uid,
		created: Date.parse(metadata.creationTimestamp),
		finished: end && Date.parse(end.lastTransitionTime ?? metadata.creationTimestamp),
		failure: end?.type === 'Failed' ? [end.reason, end.message].filter(Boolean).join(': ') : undefined,
	}
}

export type RunPodView = Mark &
	PodView & {
		pod: string
		/** uid of the Job that made it, as the API server has it. */
		madeBy: string | undefined
		/** The node that it is bound to, whatever its labels say. */
		boundTo: string | undefined
	}

/** The pod of a Job, named by the Job: that is the name of the run. */
export function podView({ metadata, spec, status }: Stored<PodPart>): RunPodView {
	const container = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER)?.state
	const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed'
	return {
		...markOf(metadata, metadata.labels?.['batch.kubernetes.io/job-name'] ?? metadata.labels?.['job-name'] ?? ''),
		pod: metadata.name,
		madeBy: metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Job' && controller === true)?.uid,
		boundTo: spec?.nodeName,
		began: container?.running !== undefined || container?.terminated !== undefined,
		ended,
		refused: refusalOf(status, container?.waiting, ended && !container?.terminated),
		lastWords: container?.terminated?.message?.slice(0, TERMINATION_MAX_BYTES),
	}
}

type Waiting = { reason?: string; message?: string }

/** As much of a kubelet's words as is kept (characters). */
const REFUSAL_MAX = 500

/** Reasons of waiting that are no refusal. */
const onItsWay = ['ContainerCreating', 'PodInitializing']

/** A pod that ended without its container ever having ended was evicted, or never admitted. */
function refusalOf(status: Waiting | undefined, waiting: Waiting | undefined, neverRan: boolean): string | undefined {
	const why = waiting?.reason && !onItsWay.includes(waiting.reason) ? waiting : neverRan ? status : undefined
	return why && (clean([why.reason, why.message].filter(Boolean).join(': ').slice(0, REFUSAL_MAX)) || 'the kubelet gave no reason')
}

function markOf({ labels = {} }: ObjectMeta, name: string): Mark {
	return {
		name,
		node: labels[LABEL_NODE_NAME] ?? '',
		uid: labels[LABEL_CONFIG_UID] ?? '',
		generation: Number(labels[LABEL_GENERATION]),
		attempt: Number(labels[LABEL_ATTEMPT]),
	}
}

function modeOf(text: string | undefined): Mode {
	return text === 'Plan' || text === 'Verify' || text === 'Cleanup' ? text : 'Apply'
}
