import type { InterfaceStatus, NodeConfigStatus, State } from './node-config.ts'
import { heals, stopsRollout } from './reasons.ts'

/** What the status of a node config says, judged alike by all who read it. Pure. */

/** A node config, as far as its status is concerned. */
type Told = { status?: NodeConfigStatus | undefined }

/** @returns the condition of this type, or undefined if the status has none; also of a Node or a Job */
export function condition<C extends { type?: string | undefined }>(
	status: { conditions?: readonly C[] | undefined } | undefined,
	type: string,
): C | undefined {
	return status?.conditions?.find(one => one.type === type)
}

/** @returns the state; a node config that no controller has observed yet is Pending */
export function stateOf({ status }: Told): State {
	return status?.state ?? 'Pending'
}

/** @returns the reason of the condition Ready; empty if there is none */
export function reasonOf({ status }: Told): string {
	return condition(status, 'Ready')?.reason ?? ''
}

/** Whether the status is about the current generation. */
export function isCurrent({ status, generation }: Told & { generation: number }): boolean {
	return status?.observedGeneration === generation
}

/** Whether the status has a result: nothing more happens automatically, except a retry or a repair. */
export function isJudged(told: Told): boolean {
	const state = stateOf(told)
	return state === 'Configured' || state === 'Failed' || (state === 'Pending' && reasonOf(told) === 'Planned')
}

/** Whether a verification found that the node differs from the last run. */
export function isDrifted(told: Told): boolean {
	return stateOf(told) === 'Failed' && reasonOf(told) === 'Drifted'
}

/** What failed, according to a status or a result. */
export type Complaint = { reason: string; interfaceStatuses?: readonly InterfaceStatus[] | undefined }

/** What failed, according to the status. */
export function complaintOf(told: Told): Complaint {
	return { reason: reasonOf(told), interfaceStatuses: told.status?.interfaceStatuses }
}

/** Whether the failure may resolve without a change. */
export function mayHeal({ reason, interfaceStatuses }: Complaint): boolean {
	return reason === 'PartlyFailed' ? failedReasons(interfaceStatuses).some(heals) : heals(reason)
}

/** @returns the reason for which a failed node keeps the others from being changed: its own, or that of an interface; undefined if none does */
export function stoppingReason({ reason, interfaceStatuses }: Complaint): string | undefined {
	return [reason, ...failedReasons(interfaceStatuses)].find(stopsRollout)
}

function failedReasons(nics: readonly InterfaceStatus[] = []): string[] {
	return nics.flatMap(({ status, reason }) => (status === 'Failed' ? [reason] : []))
}
