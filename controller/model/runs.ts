import { type Complaint, condition, isCurrent, isJudged, reasonOf, stoppingReason } from '../../contract/status.ts'
import { waitAfter } from '../../runtime/backoff.ts'
import { attemptOf, runName } from '../../contract/run-name.ts'
import type { Mode, NodeView, Run, RunSettings, Snapshot } from './snapshot.ts'

/** Facts about runs. All pure. */

/** How many runs the history of a status has. */
export const HISTORY_MAX = 5

/** First and longest wait after a failure (milliseconds); longer after one that harmed the node, which is not repeated as soon. */
const waits = { plain: { firstMs: 5_000, maxMs: 300_000 }, harmful: { firstMs: 60_000, maxMs: 3_600_000 } }

/** Delay before a run that the API server rejected is created again (milliseconds). */
export const REFUSED_MS = 30_000

/** How long a Job may take to create its pod before the reason is looked up (milliseconds). */
export const NO_POD_MS = 10_000

/** @returns how long after failure number `failures` (from 1) in a row the next run may start: 5, 10, 20 … 300 s, or 1, 2, 4 … 60 min */
export function backoffMs(failures: number, complaint: Complaint): number {
	return waitAfter(failures, stoppingReason(complaint) === undefined ? waits.plain : waits.harmful)
}

/** @returns the mode of a run for this node config now */
export function wantedMode({ config, spec }: Pick<Snapshot, 'config' | 'spec'>): Mode {
	if (config.deleting) return 'Cleanup'
	return 'value' in spec && spec.value.mode === 'Plan' ? 'Plan' : 'Apply'
}

/** @returns the last attempt of the current generation and mode, or undefined if there was none */
export function currentRun(snapshot: Pick<Snapshot, 'config' | 'spec' | 'runs'>): Run | undefined {
	const mode = wantedMode(snapshot)
	const own = attemptsOf(snapshot).filter(run => run.mode === mode)
	return own.reduce<Run | undefined>((last, run) => (last && last.attempt > run.attempt ? last : run), undefined)
}

/** @returns all runs of this node config in its current generation */
export function attemptsOf({ config, runs }: Pick<Snapshot, 'config' | 'runs'>): Run[] {
	return runs.filter(run => run.uid === config.uid && run.generation === config.generation)
}

/** The pod networks of a node as one word, to compare with those of a run. */
export function podNetworksOf({ podNetworks }: Pick<NodeView, 'podNetworks'>): string {
	return podNetworks.join(',')
}

/** Whether a process of this run may still act on the node. The end of the pod counts; the Job reports it only 5 s later. */
export function isActive({ job, pod }: Run): boolean {
	if (pod) return !pod.ended && job?.finished === undefined
	return job !== undefined && job.finished === undefined
}

/** Whether there is a Job that has not ended and never had a pod. */
export function isPodless({ job, pod }: Run): boolean {
	return job !== undefined && job.finished === undefined && !job.hasPods && pod === undefined
}

/** Whether the agent may have run; true if that is unknown. */
export function hasBegun({ job, pod }: Run): boolean {
	return pod ? pod.began : job?.hasPods !== false
}

/** How long after its Kubernetes deadline the controller gives up a run (milliseconds). */
const GRACE_MS = 15_000

type Clock = { uptime: number; settings: Pick<RunSettings, 'deadlineMs'> }

/** @returns how long until an unfinished run is given up, by a monotonic clock (milliseconds); 0 or less: it is given up */
export function leftToEnd({ heard }: Pick<Run, 'heard'>, { uptime, settings }: Clock): number {
	return heard + settings.deadlineMs + GRACE_MS - uptime
}

/** Whether the status, of any generation, reports the end of this run: it then has no slot in the wave, although its pod may still act. */
export function isEndTold({ config: { status, uid } }: Pick<Snapshot, 'config'>, run: Run): boolean {
	return run.uid === uid && status.lastJobName === run.name && condition(status, 'Progressing')?.status === 'False'
}

/** Whether the run is over, with or without a report. */
export function hasEnded({ job, pod }: Run): boolean {
	return job ? job.finished !== undefined : pod?.ended === true
}

/** Whether the run did what it was started for. */
export function succeeded({ report }: Run): boolean {
	return report?.outcome === 'Succeeded'
}

/** Whether the status already has the result of this run. */
export function isTold({ config }: Pick<Snapshot, 'config'>, run: Run): boolean {
	const { status } = config
	return isCurrent(config) && status.lastJobName === run.name && condition(status, 'Progressing')?.status === 'False'
}

/** Whether it is a read-only run in addition to what the node config requests. */
export function isLook({ mode, asked }: Run): boolean {
	return mode === 'Verify' || asked.plan !== undefined
}

/**
 * Whether read-only runs use all of their slots. A quarter is reserved for runs that change a node: a client that may write node configs
 * can request runs for every node, again and again, and nothing else limits such runs.
 */
export function looksAreMany({ rollout: { looking }, settings: { maxConcurrentRuns } }: Pick<Snapshot, 'rollout' | 'settings'>): boolean {
	return looking >= Math.max(1, Math.floor((maxConcurrentRuns * 3) / 4))
}

/** Whether the status has the result of this generation, and of exactly these interfaces. */
export function isUpToDate(snapshot: Snapshot): boolean {
	const { config, specHash } = snapshot
	const run = currentRun(snapshot)
	const speaksOfIt = isCurrent(config) && (config.deleting || config.status.observedSpecHash === specHash)
	return speaksOfIt && isJudged(config) && reasonOf(config) !== 'InvalidConfig' && (run === undefined || isTold(snapshot, run))
}

/** @returns the number of the next run of this generation */
export function nextAttempt(snapshot: Snapshot): number {
	return Math.max(lastNamed(snapshot), ...attemptsOf(snapshot).map(run => run.attempt)) + 1
}

/**
 * The status still names a deleted run: the result of another run with that name would count as reported. A run whose result is not
 * reported yet exists, even if the watch has not reported it: its name is used again, and the run is found.
 */
function lastNamed({ config }: Snapshot): number {
	const { lastJobName = '' } = config.status
	const attempt = attemptOf(lastJobName)
	if (lastJobName !== runName(config, attempt)) return 0
	return condition(config.status, 'Progressing')?.status === 'True' ? attempt - 1 : attempt
}
