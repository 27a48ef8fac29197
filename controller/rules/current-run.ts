import { condition, isCurrent } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import { setStatusOnce } from './set-status-once.ts'
import { isLost } from '../status/history.ts'
import {
	currentRun,
	mayHaveRun,
	isFinished,
	isActive,
	isPodless,
	isReported,
	isUpToDate,
	msUntilGivenUp,
	NO_POD_MS,
} from '../model/runs.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'
import { lostStatus, pendingStatus, podRefusedStatus, reportedStatus, startedStatus, kubeletSilentStatus } from '../status/build-status.ts'

/** Rules for a run that is in progress, or has just ended. Pure. */

/** Reports the result as soon as there is a report, without waiting for the Job, which reports its completion about 5 s later. */
export function whenReported(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run?.report || (isReported(snapshot, run) && !isLateReport(snapshot, run))) return undefined
	if ('fault' in snapshot.spec && !snapshot.config.deleting) return undefined
	return { act: 'setStatus', why: run.report.reason, status: reportedStatus(snapshot, run), result: true }
}

/**
 * Whether the controller gave up on the run before it reported. If the report itself has such a reason, it is not treated as late;
 * otherwise it would be reported again and again.
 */
function isLateReport({ config }: Snapshot, { name, report }: Run): boolean {
	const wasLost = config.status.history?.some(({ job, failureReason }) => job === name && isLost(failureReason)) === true
	return wasLost && !isLost(report?.reason)
}

export function whenRunLost(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run || run.report || !isFinished(run) || isReported(snapshot, run)) return undefined
	const { reason: reported, message = '' } = condition(snapshot.config.status, 'Ready') ?? {}
	if (run.reportFault) return lost('RunFailed', `The report of Job ${run.name} cannot be read: ${run.reportFault}`)
	if (reported === 'PodRefused' && snapshot.config.status.lastJobName === run.name) return lost('PodRefused', message)
	const text = [run.job?.failure, snapshot.noPod, run.pod?.refused, run.pod?.terminationMessage].filter(Boolean).join('; ')
	// a run that never started changed nothing, so a node that was switched off must not stop the rollout
	const mayHaveStarted = mayHaveRun(run)
	return lost(
		mayHaveStarted ? 'RunLost' : 'PodRefused',
		`Job ${run.name} ended ${mayHaveStarted ? 'without a report' : 'before its agent started'}: ${text || 'cause unknown'}`,
	)

	function lost(reason: 'RunFailed' | 'RunLost' | 'PodRefused', words: string): Decision | undefined {
		return run && { act: 'setStatus', why: reason, status: lostStatus(snapshot, run, reason, words), result: true }
	}
}

/**
 * If the kubelet stops reporting, its pods never terminate. The status would then remain, although it is outdated, until the node returns.
 * A failure remains valid.
 */
export function whenRunOutOfSight(snapshot: Snapshot): Decision | undefined {
	const { config } = snapshot
	if (snapshot.node?.ready !== 'Unknown' || !mayRunOnNode(snapshot) || isUpToDate(snapshot)) return undefined
	if (config.status.state === 'Failed' && isCurrent(config)) return undefined
	const run = currentRun(snapshot)
	if (!run || run.report || !isActive(run)) return whenKubeletSilent(snapshot)
	return setStatusOnce(snapshot, 'NodeNotReady', kubeletSilentStatus(snapshot, run))
}

/** Waits while any run is active on the node, for any purpose, and never kills it, so that a node never has two runs. */
export function whenRunActive(snapshot: Snapshot): Decision | undefined {
	if (!mayRunOnNode(snapshot)) return undefined
	const run = currentRun(snapshot)
	const { config } = snapshot
	const { status } = config
	const wait: Decision = { act: 'wait', why: 'RunIsActive', afterMs: msUntilNextDecision(snapshot) }
	if (!run || !isActive(run) || run.report) return whenPreviousRunActive(snapshot) ?? wait
	const reported = condition(status, 'Ready')?.reason
	const isReportedRunning = isCurrent(config) && status.lastJobName === run.name && reported !== 'NodeNotReady'
	const refused = run.pod ? run.pod.refused : snapshot.noPod
	if (refused && !(isReportedRunning && reported === 'PodRefused'))
		return { act: 'setStatus', why: 'PodRefused', status: podRefusedStatus(snapshot, run, refused), result: false }
	if (isReportedRunning || (isCurrent(config) && status.state === 'Failed')) return wait
	return { act: 'setStatus', why: 'RunStarted', status: startedStatus(snapshot, run), result: false }
}

/** Reports that an unfinished earlier run is blocking the next run on the node; otherwise the status would not show why the run waits. */
function whenPreviousRunActive(snapshot: Snapshot): Decision | undefined {
	const { config } = snapshot
	const isInStatus = isUpToDate(snapshot) || (config.status.state === 'Failed' && isCurrent(config))
	if (isInStatus || snapshot.node?.ready === 'Unknown') return undefined
	const stuck = snapshot.runs.find(run => isActive(run) && msUntilGivenUp(run, snapshot) <= 0)
	if (!stuck) return undefined
	const end = isPodless(stuck) ? 'that Job is deleted' : 'its pod has finished or the node has rebooted'
	const message = `Job ${stuck.name} of an earlier run has not finished in time. The run starts when ${end}.`
	return setStatusOnce(snapshot, 'PreviousRunActive', pendingStatus(snapshot, 'PreviousRunActive', message))
}

/**
 * Whether a process of any run may still act on the node. If the controller has given up on a run and the node has rebooted since, the run
 * no longer acts.
 */
function mayRunOnNode(snapshot: Snapshot): boolean {
	const now = snapshot.node?.bootID
	const isOfBoot = ({ bootID }: Run) => bootID === undefined || now === undefined || bootID === now
	return snapshot.runs.some(run => isActive(run) && (isOfBoot(run) || msUntilGivenUp(run, snapshot) > 0))
}

/** Time until the controller gives up on a run, or looks up why a pod is missing; at most 30 s. */
function msUntilNextDecision(snapshot: Snapshot): number {
	const left = snapshot.runs.filter(isActive).map(run => msUntilGivenUp(run, snapshot))
	const soonest = Math.min(30_000, ...left.filter(ms => ms > 0))
	return snapshot.runs.some(isPodless) ? Math.min(soonest, NO_POD_MS) : soonest
}

/** Waits if the pod finished without a known report: the Job will report how it ended, and a report may still arrive. */
export function whenRunEnding(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run || run.report || isFinished(run) || isReported(snapshot, run) || !(run.job || run.pod)) return undefined
	return { act: 'wait', why: 'RunIsEnding', afterMs: 30_000 }
}

/**
 * Waits while the kubelet does not report. A NotReady kubelet does report: even while its CNI plugin waits for a NIC of MultiNIC, it can
 * start pods that use the host network.
 */
export function whenKubeletSilent(snapshot: Snapshot): Decision | undefined {
	if (snapshot.node?.ready !== 'Unknown') return undefined
	const message = `The kubelet of node ${snapshot.config.name} does not report. The run starts when it does.`
	return setStatusOnce(snapshot, 'NodeNotReady', pendingStatus(snapshot, 'NodeNotReady', message))
}
