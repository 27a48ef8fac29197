import type { InterfaceStatus } from '../contract/node-config.ts'
import type { Condition } from '../contract/conditions.ts'
import { heals, stopsRollout } from '../contract/reasons.ts'
import { attemptOf, runName } from './job.ts'
import type { Mode, Run, RunSettings, Snapshot } from './snapshot.ts'

/** Facts about runs. All pure. */

/** How many runs a status tells of. */
export const HISTORY_MAX = 5

/** First and longest wait of a failure (milliseconds), and of one that did harm to the node: that is not done again so soon. */
const waits = { plain: [5_000, 300_000], harmful: [60_000, 3_600_000] } as const

/** How long after the API server refused a run it is asked again (milliseconds). */
export const REFUSED_MS = 30_000

/** How long a Job may take to make its pod before it is asked why (milliseconds). */
export const NO_POD_MS = 10_000

/** What a status or a result says went wrong. */
export type Complaint = { reason: string; interfaceStatuses?: readonly InterfaceStatus[] | undefined }

/** @returns how long after the failure that is number `failures` (from 1) in a row the next run may start: 5, 10, 20 … 300 s, or 1, 2, 4 … 60 min */
export function backoffMs(failures: number, { reason, interfaceStatuses = [] }: Complaint): number {
	const harmed = stopsRollout(reason) || interfaceStatuses.some(nic => nic.status === 'Failed' && stopsRollout(nic.reason))
	const [first, longest] = harmed ? waits.harmful : waits.plain
	return Math.min(first * 2 ** Math.min(failures - 1, 30), longest)
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

/** How long after Kubernetes should have ended a run the controller gives it up (milliseconds). */
const GRACE_MS = 15_000

type Clock = { uptime: number; settings: Pick<RunSettings, 'deadlineMs'> }

/** @returns how long until a run that has not ended is given up, by a clock of our own that nobody sets (milliseconds); 0 and less: it is */
export function leftToEnd({ heard }: Pick<Run, 'heard'>, { uptime, settings }: Clock): number {
	return heard + settings.deadlineMs + GRACE_MS - uptime
}

/** Whether the status, of whatever generation, tells how this run ended: it has its place in a wave no longer, though its pod may still act. */
export function isEndTold({ config: { status, uid } }: Pick<Snapshot, 'config'>, run: Run): boolean {
	return run.uid === uid && status.lastJobName === run.name && condition(status, 'Progressing')?.status === 'False'
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

/** What the status complains of. */
export function complaint({ config: { status } }: Pick<Snapshot, 'config'>): Complaint {
	return { reason: condition(status, 'Ready')?.reason ?? '', interfaceStatuses: status.interfaceStatuses }
}

/** Whether time alone may cure it. */
export function mayHeal({ reason, interfaceStatuses = [] }: Complaint): boolean {
	if (reason !== 'PartlyFailed') return heals(reason)
	return interfaceStatuses.some(nic => nic.status === 'Failed' && heals(nic.reason))
}

/** Whether it was only to look, beside what the node config wants. */
export function isLook({ mode, asked }: Run): boolean {
	return mode === 'Verify' || asked.plan !== undefined
}

/**
 * Whether runs that only look have all the places that are theirs. A quarter is left to those that change a node: whoever may write node configs may
 * ask of every node, again and again, and nothing else holds such runs back.
 */
export function looksAreMany({ rollout: { looking }, settings: { maxConcurrentRuns } }: Pick<Snapshot, 'rollout' | 'settings'>): boolean {
	return looking >= Math.max(1, Math.floor((maxConcurrentRuns * 3) / 4))
}

/** Whether a look found the node otherwise than it was left. */
export function isDrifted(snapshot: Pick<Snapshot, 'config'>): boolean {
	return snapshot.config.status.state === 'Failed' && complaint(snapshot).reason === 'Drifted'
}

/** Whether the result of this generation, and of just these interfaces, is in the status. */
export function isUpToDate(snapshot: Snapshot): boolean {
	const { config, specHash } = snapshot
	const { status, generation } = config
	const run = currentRun(snapshot)
	const speaksOfIt = status.observedGeneration === generation && (config.deleting || status.observedSpecHash === specHash)
	const ready = condition(status, 'Ready')?.reason
	const judged = status.state === 'Configured' || status.state === 'Failed' || (status.state === 'Pending' && ready === 'Planned')
	return speaksOfIt && judged && ready !== 'InvalidConfig' && (run === undefined || isTold(snapshot, run))
}

/** @returns the number of the next run of this generation */
export function nextAttempt(snapshot: Snapshot): number {
	return Math.max(lastNamed(snapshot), ...attemptsOf(snapshot).map(run => run.attempt)) + 1
}

/**
 * A cleared run lives on in the status: the result of another of that name would count as told. One whose result is not told yet is there,
 * though we may not have heard of it: its name is taken again, and finds it.
 */
function lastNamed({ config }: Snapshot): number {
	const { lastJobName = '' } = config.status
	const attempt = attemptOf(lastJobName)
	if (lastJobName !== runName(config, attempt)) return 0
	return condition(config.status, 'Progressing')?.status === 'True' ? attempt - 1 : attempt
}
