import type { Condition } from '../contract/conditions.ts'
import { heals } from '../contract/reasons.ts'
import { attemptOf } from './job.ts'
import type { Mode, Run, Snapshot } from './snapshot.ts'

/** Facts about runs. All pure. */

/** How many runs a status tells of. */
export const HISTORY_MAX = 5

const firstBackoffMs = 5_000
const maxBackoffMs = 300_000

/** How long after the API server refused a run it is asked again (milliseconds). */
export const REFUSED_MS = 30_000

/** @returns how long after the failure that is number `failures` (from 1) in a row the next run may start: 5, 10, 20 … 300 s */
export function backoffMs(failures: number): number {
	return Math.min(firstBackoffMs * 2 ** Math.min(failures - 1, 30), maxBackoffMs)
}

/** @returns how many attempts in a row have failed with this one: those since the last success, or all where the history tells of none */
export function failuresUpTo({ config }: Snapshot, { name, generation, attempt }: Run): number {
	const before = (config.status.history ?? []).filter(entry => entry.job !== name).slice(0, HISTORY_MAX - 1)
	const success = before.find(entry => entry.generation === generation && entry.result !== 'Failed')
	return success ? Math.max(1, attempt - attemptOf(success.job)) : attempt
}

/** @returns what a run for this node config is to do now */
export function wantedMode({ config, spec }: Pick<Snapshot, 'config' | 'spec'>): Mode {
	if (config.deleting) return 'Cleanup'
	return 'value' in spec && spec.value.mode === 'Plan' ? 'Plan' : 'Apply'
}

/** @returns the last attempt at what is wanted now, or undefined where there was none */
export function currentRun(snapshot: Pick<Snapshot, 'config' | 'spec' | 'runs'>): Run | undefined {
	const mode = wantedMode(snapshot)
	const own = attemptsOf(snapshot).filter(run => run.mode === mode)
	return own.reduce<Run | undefined>((last, run) => (last && last.attempt > run.attempt ? last : run), undefined)
}

/** @returns all runs of this node config in its present generation */
export function attemptsOf({ config, runs }: Pick<Snapshot, 'config' | 'runs'>): Run[] {
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
export function isTold({ config: { status, generation } }: Pick<Snapshot, 'config'>, run: Run): boolean {
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
