import { type Complaint, condition, isCurrent, isJudged, reasonOf, stoppingReason } from '../../contract/status.ts'
import { waitAfter } from '../../runtime/backoff.ts'
import { attemptOf, runName } from '../../contract/run-name.ts'
import type { Mode, NodeView, Run, RunSettings, Snapshot } from './snapshot.ts'

/** Functions that derive facts about runs. All pure. */

/** Maximum number of runs in the history of a status. */
export const HISTORY_MAX = 5

/**
 * Initial and maximum back-off after a failure (milliseconds). A failure that harmed the node has a longer back-off, so that the harm is
 * not soon repeated.
 */
const backoffs = { plain: { firstMs: 5_000, maxMs: 300_000 }, harmful: { firstMs: 60_000, maxMs: 3_600_000 } }

/** Delay before the controller retries to create a run that the API server rejected (milliseconds). */
export const REJECTED_RETRY_MS = 30_000

/** How long a Job may take to create its pod before the controller looks up the reason (milliseconds). */
export const NO_POD_MS = 10_000

/**
 * @returns the back-off after this number of consecutive failures (from 1): 5, 10, 20 … 300 s, or 1, 2, 4 … 60 min if the failure harmed
 *   the node
 */
export function backoffMs(failures: number, complaint: Complaint): number {
	return waitAfter(failures, stoppingReason(complaint) === undefined ? backoffs.plain : backoffs.harmful)
}

/** @returns the mode of a run that starts now for this node config */
export function wantedMode({ config, spec }: Pick<Snapshot, 'config' | 'spec'>): Mode {
	if (config.deleting) return 'Cleanup'
	return 'value' in spec && spec.value.mode === 'Plan' ? 'Plan' : 'Apply'
}

/** @returns the last attempt of the current generation and mode, or undefined if there is none */
export function currentRun(snapshot: Pick<Snapshot, 'config' | 'spec' | 'runs'>): Run | undefined {
	const mode = wantedMode(snapshot)
	const own = attemptsOf(snapshot).filter(run => run.mode === mode)
	return own.reduce<Run | undefined>((last, run) => (last && last.attempt > run.attempt ? last : run), undefined)
}

/** @returns all runs of this node config in its current generation */
export function attemptsOf({ config, runs }: Pick<Snapshot, 'config' | 'runs'>): Run[] {
	return runs.filter(run => run.uid === config.uid && run.generation === config.generation)
}

/** The pod networks of a node as one string, for comparison with those recorded on a run. */
export function podNetworksOf({ podNetworks }: Pick<NodeView, 'podNetworks'>): string {
	return podNetworks.join(',')
}

/**
 * Whether a process of this run may still act on the node. The run is over when either its pod or its Job has finished; the Job finishes
 * about 5 s later.
 */
export function isActive({ job, pod }: Run): boolean {
	if (pod) return !pod.ended && job?.finished === undefined
	return job !== undefined && job.finished === undefined
}

/** Whether the run has an unfinished Job that has not created a pod. */
export function isPodless({ job, pod }: Run): boolean {
	return job !== undefined && job.finished === undefined && !job.hasPods && pod === undefined
}

/** Whether the agent may have started; true if this is unknown. */
export function mayHaveRun({ job, pod }: Run): boolean {
	return pod ? pod.hasStarted : job?.hasPods !== false
}

/** How long after the Kubernetes deadline of a run the controller gives up on it (milliseconds). */
const GRACE_MS = 15_000

type Clock = { uptime: number; settings: Pick<RunSettings, 'deadlineMs'> }

/**
 * @returns the time until the controller gives up on an unfinished run, by a monotonic clock (milliseconds); 0 or less if it has given up
 */
export function msUntilGivenUp({ firstSeenAt }: Pick<Run, 'firstSeenAt'>, { uptime, settings }: Clock): number {
	return firstSeenAt + settings.deadlineMs + GRACE_MS - uptime
}

/**
 * Whether the status, even of another generation, reports that this run ended. The run then no longer has a slot in the wave, even if its
 * pod is still active.
 */
export function isEndReported({ config: { status, uid } }: Pick<Snapshot, 'config'>, run: Run): boolean {
	return run.uid === uid && status.lastJobName === run.name && condition(status, 'Progressing')?.status === 'False'
}

/** Whether Kubernetes reports the run as finished, with or without a report. */
export function isFinished({ job, pod }: Run): boolean {
	return job ? job.finished !== undefined : pod?.ended === true
}

/** Whether the run succeeded according to its report. */
export function succeeded({ report }: Run): boolean {
	return report?.outcome === 'Succeeded'
}

/** Whether the status already has the result of this run. */
export function isReported({ config }: Pick<Snapshot, 'config'>, run: Run): boolean {
	const { status } = config
	return isCurrent(config) && status.lastJobName === run.name && condition(status, 'Progressing')?.status === 'False'
}

/** Whether the run is a read-only run in addition to the runs that the spec requires. */
export function isVerification({ mode, requests }: Run): boolean {
	return mode === 'Verify' || requests.plan !== undefined
}

/**
 * Whether read-only runs use all the slots available to them. A quarter of all slots is reserved for runs that change a node: any client
 * that can write node configs can repeatedly request read-only runs for every node, and nothing else limits such runs.
 */
export function isVerificationLimitReached({
	rollout: { activeVerifications },
	settings: { maxConcurrentRuns },
}: Pick<Snapshot, 'rollout' | 'settings'>): boolean {
	return activeVerifications >= Math.max(1, Math.floor((maxConcurrentRuns * 3) / 4))
}

/** Whether the status contains the result for the current generation and exactly these interfaces. */
export function isUpToDate(snapshot: Snapshot): boolean {
	const { config, specHash } = snapshot
	const run = currentRun(snapshot)
	const speaksOfIt = isCurrent(config) && (config.deleting || config.status.observedSpecHash === specHash)
	return speaksOfIt && isJudged(config) && reasonOf(config) !== 'InvalidConfig' && (run === undefined || isReported(snapshot, run))
}

/** @returns the attempt number of the next run of this generation */
export function nextAttempt(snapshot: Snapshot): number {
	return Math.max(lastNamedAttempt(snapshot), ...attemptsOf(snapshot).map(run => run.attempt)) + 1
}

/**
 * Returns the highest attempt number that must not be used again, according to the status. The status may name a run that was deleted: if
 * another run got the same name, its result would be treated as already reported. If the status shows that the named run is in progress,
 * the number may be used again: the run exists, even if the watch has not delivered it yet, and creating it finds the existing objects.
 */
function lastNamedAttempt({ config }: Snapshot): number {
	const { lastJobName = '' } = config.status
	const attempt = attemptOf(lastJobName)
	if (lastJobName !== runName(config, attempt)) return 0
	return condition(config.status, 'Progressing')?.status === 'True' ? attempt - 1 : attempt
}
