import { MESSAGE_MAX, cut } from '../../contract/conditions.ts'
import type { InterfaceStatus, NodeConfigStatus } from '../../contract/node-config.ts'
import type { Reason } from '../../contract/reasons.ts'
import { drift, persistence, type Summary, withReadyCondition } from './conditions.ts'
import { historyWith } from './history.ts'
import { endingWith, nextAttemptMessage, withNextAttempt } from './next-attempt.ts'
import type { Report } from '../model/report.ts'
import { allInterfaces, type Result, resultOf } from './run-result.ts'
import { backoffMs, isVerification, REJECTED_RETRY_MS } from '../model/runs.ts'
import { repairMessage } from '../rollout/repair-budget.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'
import { timestamp } from '../model/format.ts'

/** Builds the whole status of a node config from a snapshot. Pure; `status-patch.ts` decides whether it is worth a write. */

/**
 * Maximum size of the interfaces (bytes). With up to 3 KiB of conditions and history, a status has at most 8 KiB, which adds to the cost of
 * every write.
 */
const interfacesMaxBytes = 5_000

/** No run is in progress, and none starts until the cause that `reason` names is resolved. */
export function pendingStatus(snapshot: Snapshot, reason: Reason, message: string): NodeConfigStatus {
	const nics = knownInterfaces(snapshot, { status: 'Pending', reason, message: 'waiting for a run' })
	return assemble(snapshot, { state: 'Pending', reason, message }, nics)
}

/** The spec is invalid; `fault` names the field. The node is unchanged, so the interfaces of the last status are kept. */
export function invalidStatus(snapshot: Snapshot, fault: string): NodeConfigStatus {
	const stays = { status: 'Failed', reason: 'InvalidConfig', message: 'unchanged since the last run' } as const
	const nics = (snapshot.config.status.interfaceStatuses ?? []).map(nic => ({ ...nic, ...stays }))
	return assemble(snapshot, { state: 'Failed', reason: 'InvalidConfig', message: fault }, nics)
}

/** A run is starting. Earlier runs whose reports are not in the status yet are added to the history here, which saves a separate write. */
export function startedStatus(snapshot: Snapshot, run: Pick<Run, 'name' | 'mode'>): NodeConfigStatus {
	const nics = knownInterfaces(snapshot, { status: 'InProgress', reason: 'RunStarted', message: 'a run is in progress' })
	const message = `Job ${run.name} ${purpose[run.mode]}`
	const status = assemble(snapshot, { state: 'InProgress', reason: 'RunStarted', message, isRunning: true }, nics)
	const unread = snapshot.runs.filter(one => one.uid === snapshot.config.uid && one.report && one.name !== run.name && !isVerification(one))
	return { ...status, lastJobName: run.name, ...historyWith(snapshot, unread) }
}

/** Kubernetes has not started the pod of the current run, but continues to try. */
export function podRefusedStatus(snapshot: Snapshot, run: Run, text: string): NodeConfigStatus {
	const message = `The pod of Job ${run.name} has not started: ${text}`
	return withReadyCondition(startedStatus(snapshot, run), { state: 'InProgress', reason: 'PodRefused', message, isRunning: true }, snapshot)
}

/** The kubelet stopped reporting during the run. */
export function kubeletSilentStatus(snapshot: Snapshot, run: Run): NodeConfigStatus {
	const message = `The kubelet of node ${snapshot.config.name} stopped reporting while Job ${run.name} was running. The result is unknown until it returns.`
	return withReadyCondition(
		startedStatus(snapshot, run),
		{ state: 'InProgress', reason: 'NodeNotReady', message, isRunning: true },
		snapshot,
	)
}

/** The result that a run reported. */
export function reportedStatus(snapshot: Snapshot, run: Run): NodeConfigStatus {
	const { report } = run
	if (!report || !('value' in snapshot.spec) || run.mode === 'Cleanup') return cleanupFailedStatus(snapshot, run)
	const result = resultOf(report, snapshot.spec.value, snapshot.config.status)
	const summary = { ...result, message: withNextAttempt(result.message, result.state === 'Failed' && result, run.failures + 1) }
	const { conditions = [], bootID: _, ...status } = assemble(snapshot, summary, result.interfaceStatuses)
	const left = result.state === 'Configured' ? [drift(snapshot, asLeft)] : []
	return {
		...status,
		...hostFacts(report),
		lastJobName: run.name,
		conditions: [...conditions, persistence(snapshot, report), ...left],
		...historyWith(snapshot, [run]),
	}
}

/** The result of a verification. If the node is still configured, only condition Drifted and the host facts change. */
export function verifiedStatus(snapshot: Snapshot, run: Run): NodeConfigStatus {
	const { report } = run
	const { status } = snapshot.config
	if (!report || !('value' in snapshot.spec)) return status
	const result = resultOf(report, snapshot.spec.value, status)
	const found = drift(snapshot, foundBy(report))
	const others = (status.conditions ?? []).filter(({ type }) => type !== 'Drifted')
	if (result.state === 'Configured' && status.state === 'Configured')
		return { ...status, ...hostFacts(report), conditions: [...others, found] }
	const summary = { ...result, message: withNextStep(snapshot, run, result) }
	const next = assemble(snapshot, summary, result.interfaceStatuses)
	return { ...next, ...hostFacts(report), conditions: [...(next.conditions ?? []), persistence(snapshot, report), found] }
}

const asLeft = { status: 'False', reason: 'Configured', message: 'the node matches the last run' } as const

/** Returns the content of condition Drifted. If a verification failed without finding drift, it is unknown whether the node has drifted. */
function foundBy({ reason, interfaces, outcome, message }: Report): Parameters<typeof drift>[1] {
	if (outcome === 'Succeeded') return asLeft
	const isFound = reason === 'Drifted' || interfaces.some(nic => nic.reason === 'Drifted')
	return isFound ? { status: 'True', reason: 'Drifted', message } : { status: 'Unknown', reason, message }
}

function withNextStep(snapshot: Snapshot, { created }: Run, result: Result): string {
	if (result.reason === 'Drifted') return endingWith(repairMessage(snapshot, created), result.message)
	return withNextAttempt(result.message, result.state === 'Failed' && result, 1)
}

function hostFacts({ backend, machine }: Report): Pick<NodeConfigStatus, 'backend' | 'bootID'> {
	return { ...(backend && { backend: cut(backend, 32) }), ...(machine?.bootID && { bootID: machine.bootID }) }
}

/** The API server rejected the run. No run was created, so the status names no new Job, and the history gets no entry. */
export function rejectedRunStatus(snapshot: Snapshot, text: string): NodeConfigStatus {
	const nics = knownInterfaces(snapshot, { status: 'Failed', reason: 'PodRefused', message: 'no run could be created' })
	return assemble(
		snapshot,
		{ state: 'Failed', reason: 'PodRefused', message: endingWith(nextAttemptMessage(REJECTED_RETRY_MS), text) },
		nics,
	)
}

/**
 * The API server rejects the status. Nothing of it is kept, because it is unknown which part is rejected; the result of the run remains
 * unreported.
 */
export function rejectedStatus(snapshot: Snapshot, text: string): NodeConfigStatus {
	const { config, now } = snapshot
	const message = `The API server rejects the status of this node config: ${text}`
	const status = { observedGeneration: config.generation, lastProcessed: timestamp(now) }
	return withReadyCondition(status, { state: 'Failed', reason: 'StatusRefused', message }, snapshot)
}

/** A write fails repeatedly. The interfaces and the history are kept. */
export function failedWriteStatus(snapshot: Snapshot, message: string): NodeConfigStatus {
	const { config, now } = snapshot
	const status = { ...config.status, observedGeneration: config.generation, lastProcessed: timestamp(now) }
	return withReadyCondition(status, { state: 'Failed', reason: 'WriteFailed', message: cut(message) }, snapshot)
}

/** The run finished without a usable report. */
export function lostStatus(snapshot: Snapshot, run: Run, reason: LostReason, text: string): NodeConfigStatus {
	const nics = knownInterfaces(snapshot, { status: 'Failed', reason, message: 'the run left no result' })
	const status = assemble(snapshot, { state: 'Failed', reason, message: withNextAttempt(text, { reason }, run.failures + 1) }, nics)
	return { ...status, lastJobName: run.name, ...historyWith(snapshot, [run], reason) }
}

export type LostReason = 'RunLost' | 'RunFailed' | 'PodRefused'

function cleanupFailedStatus(snapshot: Snapshot, run: Run): NodeConfigStatus {
	const { reason = 'RunFailed', message = 'the clean-up left no result' } = run.report ?? {}
	const outcome = `The node is not restored yet: ${message}`
	const text = endingWith(nextAttemptMessage(backoffMs(run.failures + 1, { reason })), outcome)
	const status = assemble(snapshot, { state: 'Failed', reason, message: text }, snapshot.config.status.interfaceStatuses ?? [])
	return { ...status, lastJobName: run.name, ...historyWith(snapshot, [run]) }
}

const purpose = {
	Apply: 'configures the node',
	Plan: 'plans the changes',
	Verify: 'verifies the node',
	Cleanup: 'restores the node',
} as const

function assemble(snapshot: Snapshot, summary: Summary, nics: InterfaceStatus[]): NodeConfigStatus {
	const { config, now, specHash } = snapshot
	const status: NodeConfigStatus = {
		...config.status,
		observedGeneration: config.generation,
		observedSpecHash: specHash,
		lastProcessed: timestamp(now),
		interfaces: `${nics.filter(nic => nic.status === 'Configured').length}/${wanted(snapshot, nics)}`,
		interfaceStatuses: bounded(nics),
	}
	return withReadyCondition(status, summary, snapshot)
}

function wanted({ spec, config }: Snapshot, nics: InterfaceStatus[]): number {
	return 'value' in spec || config.deleting ? nics.length : Math.min(spec.listed, 99)
}

/** If a node is being cleaned up or the spec is invalid, the last known interfaces are kept. */
function knownInterfaces({ config, spec }: Snapshot, how: Pick<InterfaceStatus, 'status' | 'reason' | 'message'>): InterfaceStatus[] {
	if (config.deleting || !('value' in spec)) return config.status.interfaceStatuses ?? []
	return allInterfaces(spec.value, how, config.status)
}

/** Truncates the messages if the interfaces are too large: ten interfaces with long messages would exceed the limit. */
function bounded(nics: InterfaceStatus[]): InterfaceStatus[] {
	const sizes = [MESSAGE_MAX, 160, 96, 48, 16].map(max => nics.map(nic => ({ ...nic, message: cut(nic.message, max) })))
	return sizes.find(list => new TextEncoder().encode(JSON.stringify(list)).length <= interfacesMaxBytes) ?? sizes.at(-1) ?? []
}
