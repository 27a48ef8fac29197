import { clean, cleanAll } from '../../contract/clean.ts'
import type { Condition } from '../../contract/conditions.ts'
import { ANNOTATION_PLAN, ANNOTATION_RETRY, ANNOTATION_VERIFY } from '../../contract/names.ts'
import { NodeConfigStatus, type State } from '../../contract/node-config.ts'
import { heals } from '../../contract/reasons.ts'
import type { KubeObject, Stored } from '../../runtime/kube/index.ts'

/** A node config as the API server returns it. Its spec is validated against the CRD; only the fields that are shown are declared here. */
export type NodeConfigObject = KubeObject & {
	spec?: { paused?: boolean; mode?: string; providerId?: string; interfaces?: unknown[] }
	status?: Readonly<Record<string, unknown>>
}

/** What users are shown of a node config. Times are milliseconds since 1970. */
export type ConfigView = {
	name: string
	uid: string
	generation: number
	created: number
	deleting: boolean
	paused: boolean
	mode: string
	wanted: number
	/** Values of the annotations with which a user requested a run, as long as they are not answered. */
	asked: Readonly<Record<Ask, string | undefined>>
	status: NodeConfigStatus
}

export const asks = { retry: ANNOTATION_RETRY, plan: ANNOTATION_PLAN, verify: ANNOTATION_VERIFY } as const
export type Ask = keyof typeof asks

/** Converts an object to its view. A status of another shape is from an older program: nothing in it can be relied on. */
export function configView({ metadata, spec = {}, status = {} }: Stored<NodeConfigObject>): ConfigView {
	const notes = metadata.annotations ?? {}
	return {
		name: metadata.name,
		uid: metadata.uid,
		generation: metadata.generation ?? 0,
		created: Date.parse(metadata.creationTimestamp),
		deleting: metadata.deletionTimestamp !== undefined,
		paused: spec.paused === true,
		mode: clean(spec.mode ?? 'Apply'),
		wanted: spec.interfaces?.length ?? 0,
		asked: { retry: notes[asks.retry], plan: notes[asks.plan], verify: notes[asks.verify] },
		status: cleanAll(NodeConfigStatus.safeParse(status).data ?? {}),
	}
}

/** @returns the condition of `type`, or undefined if the status has none */
export function condition({ status }: Pick<ConfigView, 'status'>, type: string): Condition | undefined {
	return status.conditions?.find(one => one.type === type)
}

/** @returns the state; a node config that no controller has observed yet is Pending */
export function stateOf({ status }: Pick<ConfigView, 'status'>): State {
	return status.state ?? 'Pending'
}

/** @returns the reason of the condition Ready */
export function reasonOf(config: Pick<ConfigView, 'status'>): string {
	return condition(config, 'Ready')?.reason ?? ''
}

/** Reports whether the status is about the current generation. */
export function isCurrent({ status, generation }: Pick<ConfigView, 'status' | 'generation'>): boolean {
	return status.observedGeneration === generation
}

/** Reports whether the node matches its node config, and the controller has confirmed that for the current generation. */
export function isAsWanted(config: ConfigView): boolean {
	return !config.deleting && isCurrent(config) && stateOf(config) === 'Configured'
}

/** Reports whether the failure in the status may heal with time alone. */
export function mayHeal(config: ConfigView): boolean {
	const reason = reasonOf(config)
	if (reason !== 'PartlyFailed') return heals(reason)
	return (config.status.interfaceStatuses ?? []).some(nic => nic.status === 'Failed' && heals(nic.reason))
}
