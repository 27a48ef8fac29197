import type { InterfaceStatus, NodeConfigStatus, State } from './node-config.ts'
import { heals, stopsRollout } from './reasons.ts'

/** Interprets the status of a node config in the same way for every reader. Pure. */

/** The part of a node config that contains the status. */
type Told = { status?: NodeConfigStatus | undefined }

/** @returns the condition of this type, or undefined if the status has none. Also works for the status of a Node or a Job. */
export function condition<C extends { type?: string | undefined }>(
	status: { conditions?: readonly C[] | undefined } | undefined,
	type: string,
): C | undefined {
	return status?.conditions?.find(one => one.type === type)
}

/** @returns the state; Pending if no controller has observed the node config yet */
export function stateOf({ status }: Told): State {
	return status?.state ?? 'Pending'
}

/** @returns the reason of condition Ready; empty if the condition is missing */
export function reasonOf({ status }: Told): string {
	return condition(status, 'Ready')?.reason ?? ''
}

/** Whether the status describes the current generation. */
export function isCurrent({ status, generation }: Told & { generation: number }): boolean {
	return status?.observedGeneration === generation
}

/** Whether the status has a result, so that only a retry or a repair starts automatically. */
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

/** @returns the reason why a failed node stops the rollout: its own reason, or that of an interface; undefined if it does not stop it */
export function stoppingReason({ reason, interfaceStatuses }: Complaint): string | undefined {
	return [reason, ...failedReasons(interfaceStatuses)].find(stopsRollout)
}

function failedReasons(nics: readonly InterfaceStatus[] = []): string[] {
	return nics.flatMap(({ status, reason }) => (status === 'Failed' ? [reason] : []))
}
