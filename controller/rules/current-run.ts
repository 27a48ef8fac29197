import { condition, isCurrent } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import { say } from './set-status-once.ts'
import { isLoss } from '../status/history.ts'
import { currentRun, hasBegun, hasEnded, isActive, isPodless, isTold, isUpToDate, leftToEnd, NO_POD_MS } from '../model/runs.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'
import { lostStatus, pendingStatus, refusedPodStatus, reportedStatus, startedStatus, unseenStatus } from '../status/status.ts'

/** Rules for a run that is in progress, or has just ended. Pure. */

/** The report is enough: a Job reports its completion about 5 s later. */
export function hasUnreadReport(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run?.report || (isTold(snapshot, run) && !cameAfterAll(snapshot, run))) return undefined
	if ('fault' in snapshot.spec && !snapshot.config.deleting) return undefined
	return { act: 'settle', why: run.report.reason, status: reportedStatus(snapshot, run), result: true }
}

/** Whether the run was given up before it reported. A report that itself says so would count as new again and again. */
function cameAfterAll({ config }: Snapshot, { name, report }: Run): boolean {
	const wasLost = config.status.history?.some(({ job, cause }) => job === name && isLoss(cause)) === true
	return wasLost && !isLoss(report?.reason)
}

export function runWasLost(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run || run.report || !hasEnded(run) || isTold(snapshot, run)) return undefined
	const { reason: said, message = '' } = condition(snapshot.config.status, 'Ready') ?? {}
	if (run.reportFault) return lost('RunFailed', `The report of Job ${run.name} cannot be read: ${run.reportFault}`)
	if (said === 'PodRefused' && snapshot.config.status.lastJobName === run.name) return lost('PodRefused', message)
	const words = [run.job?.failure, snapshot.noPod, run.pod?.refused, run.pod?.lastWords].filter(Boolean).join('; ')
	// a run that never started changed nothing: a node that was switched off must not stop the rollout
	const began = hasBegun(run)
	return lost(
		began ? 'RunLost' : 'PodRefused',
		`Job ${run.name} ended ${began ? 'without a report' : 'before its agent started'}: ${words || 'cause unknown'}`,
	)

	function lost(reason: 'RunFailed' | 'RunLost' | 'PodRefused', words: string): Decision | undefined {
		return run && { act: 'settle', why: reason, status: lostStatus(snapshot, run, reason, words), result: true }
	}
}

/**
 * A kubelet that stopped reporting ends no pod: the last status would stay until the node is back, although it is outdated. A failure stays
 * valid.
 */
export function runIsOutOfSight(snapshot: Snapshot): Decision | undefined {
	const { config } = snapshot
	if (snapshot.node?.ready !== 'Unknown' || !mayAct(snapshot) || isUpToDate(snapshot)) return undefined
	if (config.status.state === 'Failed' && isCurrent(config)) return undefined
	const run = currentRun(snapshot)
	if (!run || run.report || !isActive(run)) return nodeIsSilent(snapshot)
	return say(snapshot, 'NodeNotReady', unseenStatus(snapshot, run))
}

/** Waits for a run on the node, whatever its purpose, and never kills it: a node never has two runs. */
export function runIsActive(snapshot: Snapshot): Decision | undefined {
	if (!mayAct(snapshot)) return undefined
	const run = currentRun(snapshot)
	const { config } = snapshot
	const { status } = config
	const waiting: Decision = { act: 'wait', why: 'RunIsActive', afterMs: untilItMatters(snapshot) }
	if (!run || !isActive(run) || run.report) return whileAnotherStays(snapshot) ?? waiting
	const said = condition(status, 'Ready')?.reason
	const known = isCurrent(config) && status.lastJobName === run.name && said !== 'NodeNotReady'
	const refused = run.pod ? run.pod.refused : snapshot.noPod
	if (refused && !(known && said === 'PodRefused'))
		return { act: 'settle', why: 'PodRefused', status: refusedPodStatus(snapshot, run, refused), result: false }
	if (known || (isCurrent(config) && status.state === 'Failed')) return waiting
	return { act: 'settle', why: 'RunStarted', status: startedStatus(snapshot, run), result: false }
}

/** Reports that an earlier run that does not end keeps the next one from the node; otherwise the status would not say why. */
function whileAnotherStays(snapshot: Snapshot): Decision | undefined {
	const { config } = snapshot
	const isSaid = isUpToDate(snapshot) || (config.status.state === 'Failed' && isCurrent(config))
	if (isSaid || snapshot.node?.ready === 'Unknown') return undefined
	const stuck = snapshot.runs.find(run => isActive(run) && leftToEnd(run, snapshot) <= 0)
	if (!stuck) return undefined
	const end = isPodless(stuck) ? 'that Job is gone' : 'its pod has finished or the node has rebooted'
	const message = `Job ${stuck.name} of an earlier run has not finished in time. The run starts when ${end}.`
	return say(snapshot, 'PreviousRunActive', pendingStatus(snapshot, 'PreviousRunActive', message))
}

/** Whether a process of any run may still act on the node. A run that is given up no longer does after its node has rebooted. */
function mayAct(snapshot: Snapshot): boolean {
	const now = snapshot.node?.bootID
	const isOfBoot = ({ bootID }: Run) => bootID === undefined || now === undefined || bootID === now
	return snapshot.runs.some(run => isActive(run) && (isOfBoot(run) || leftToEnd(run, snapshot) > 0))
}

/** Time until a run is given up, or until the reason for a missing pod is looked up. */
function untilItMatters(snapshot: Snapshot): number {
	const left = snapshot.runs.filter(isActive).map(run => leftToEnd(run, snapshot))
	const soonest = Math.min(30_000, ...left.filter(ms => ms > 0))
	return snapshot.runs.some(isPodless) ? Math.min(soonest, NO_POD_MS) : soonest
}

/** The pod finished without a known report. The Job will say how, and a report may still arrive. */
export function runIsEnding(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	if (!run || run.report || hasEnded(run) || isTold(snapshot, run) || !(run.job || run.pod)) return undefined
	return { act: 'wait', why: 'RunIsEnding', afterMs: 30_000 }
}

/** A NotReady kubelet still reports: if its CNI waits for a NIC of MultiNIC, it still starts pods in the host's network. */
export function nodeIsSilent(snapshot: Snapshot): Decision | undefined {
	if (snapshot.node?.ready !== 'Unknown') return undefined
	const message = `The kubelet of node ${snapshot.config.name} does not report. The run starts when it does.`
	return say(snapshot, 'NodeNotReady', pendingStatus(snapshot, 'NodeNotReady', message))
}
