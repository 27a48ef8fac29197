import { stopsRollout } from '../../contract/reasons.ts'
import { complaintOf, isCurrent, isJudged, stoppingReason } from '../../contract/status.ts'
import { currentRun, isActive, isEndReported, isReported } from '../model/runs.ts'
import type { Mode, Snapshot } from '../model/snapshot.ts'

/** How a node participates in the rollout. Pure. */

/** The parts of a snapshot that determine how a node participates in the rollout. */
export type Part = Pick<Snapshot, 'config' | 'spec' | 'runs'>

/**
 * Whether a run that changes the node is in progress, or has ended but its result is not in the status yet: a wave is over only when its
 * last result is reported. A run with a report makes no further changes, so it is no longer included, even if its node was switched off and its
 * pod never terminates.
 */
export function isChanging(part: Part): boolean {
	if (part.runs.some(run => isActive(run) && !run.report && changesNode(run.mode) && !isEndReported(part, run))) return true
	const run = currentRun(part)
	return run !== undefined && changesNode(run.mode) && (run.job ?? run.pod) !== undefined && 'value' in part.spec && !isReported(part, run)
}

/** Whether a run of this mode changes its node. */
export function changesNode(mode: Mode): boolean {
	return mode === 'Apply' || mode === 'Cleanup'
}

/**
 * @returns why this node stops the rollout (network paths were lost, its run was rolled back, or the result of its run is unknown), or
 *   undefined if it does not
 */
export function stopReason(part: Part): string | undefined {
	const { status } = part.config
	if (status.state !== 'Failed' || ('value' in part.spec && part.spec.value.paused)) return undefined
	const complaint = complaintOf(part.config)
	const { reason } = complaint
	if (stopsRollout(reason)) return reason
	const run = part.runs.find(({ name, uid }) => name === status.lastJobName && uid === part.config.uid)
	if (run?.report?.outcome === 'RolledBack' || run?.reportFault !== undefined) return reason
	return stoppingReason(complaint)
}

/** Whether the result of this generation is still unknown. */
export function isUnfinished({ config }: Part): boolean {
	return !isCurrent(config) || !isJudged(config)
}
