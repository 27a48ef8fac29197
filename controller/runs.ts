import type { Condition } from '../contract/conditions.ts'
import { type Reason, reasons } from '../contract/reasons.ts'
import type { Mode, Run, Snapshot } from './snapshot.ts'

/** Facts about runs. All pure. */

const firstBackoffMs = 5_000
const maxBackoffMs = 300_000

/** @returns how long after attempt `attempt` (from 1) failed the next may start: 5, 10, 20 … 300 s */
export function backoffMs(attempt: number): number {
	return Math.min(firstBackoffMs * 2 ** Math.min(attempt - 1, 30), maxBackoffMs)
}

/** @returns what a run for this node config is to do now */
export function wantedMode({ config, spec }: Snapshot): Mode {
	if (config.deleting) return 'Cleanup'
	return 'value' in spec && spec.value.mode === 'Plan' ? 'Plan' : 'Apply'
}

/** @returns the last attempt at what is wanted now, or undefined where there was none */
export function currentRun(snapshot: Snapshot): Run | undefined {
	const mode = wantedMode(snapshot)
	const own = attemptsOf(snapshot).filter(run => run.mode === mode)
	return own.reduce<Run | undefined>((last, run) => (last && last.attempt > run.attempt ? last : run), undefined)
}

/** @returns all runs of this node config in its present generation */
export function attemptsOf({ config, runs }: Snapshot): Run[] {
	return runs.filter(run => run.uid === config.uid && run.generation === config.generation)
}

/** Whether a process of this run may still touch the node. A pod's end counts; the Job says so only 5 s later. */
export function isActive({ job, pod }: Run): boolean {
	if (pod) return !pod.ended && job?.finished === undefined
	return job !== undefined && job.finished === undefined
}

/** Whether nothing more can come of this run, whether or not it reported. */
export function hasEnded({ job, pod }: Run): boolean {
	return job ? job.finished !== undefined : pod?.ended === true
}

/** Whether it did what it was started for. */
export function succeeded({ report }: Run): boolean {
	return report?.outcome === 'Succeeded'
}

/** Whether the status already gives the result of this run. */
export function isTold({ config: { status, generation } }: Snapshot, run: Run): boolean {
	return status.observedGeneration === generation && status.lastJobName === run.name && condition(status, 'Progressing')?.status === 'False'
}

/** @returns what a status says of `type`, or undefined where it says nothing */
export function condition(status: { conditions?: Condition[] | undefined }, type: string): Condition | undefined {
	return status.conditions?.find(one => one.type === type)
}

/** Whether time alone may cure what the status complains of. */
export function mayHeal({ config: { status } }: Snapshot): boolean {
	const reason = condition(status, 'Ready')?.reason ?? ''
	if (reason !== 'PartlyFailed') return heals(reason)
	return (status.interfaceStatuses ?? []).some(nic => nic.status === 'Failed' && heals(nic.reason))
}

/** Unknown reasons come from a later version of ours; trying again does no harm. */
export function heals(reason: string): boolean {
	return reason in reasons ? reasons[reason as Reason].heals : true
}
