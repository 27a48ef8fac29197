import { countsUntil } from '../rollout/repair-budget.ts'
import { isFinished, HISTORY_MAX, isActive, isVerification, msUntilGivenUp, succeeded } from '../model/runs.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'

/**
 * Selects the runs to delete. Pure.
 *
 * A run is kept for `keepRunMs` after its result is in the status, and a failed run also until a later one succeeds. At most as many failed
 * runs are kept as the history has entries, so that a node that fails for weeks does not fill the cluster. A repair is kept while it counts
 * against the repair limit, and a ConfigMap without a Job until its run would be given up, because the Job may still be created or reported
 * by the watch. The run that the status names is deleted last. The garbage collector deletes the runs of a deleted node config; a run that
 * still exists `keepRunMs` after its creation has lost its owner reference.
 *
 * @returns the names of the runs that are due, and when the next one is due (milliseconds since 1970)
 */
export function obsoleteRuns(snapshot: Snapshot): { due: string[]; nextAt: number | undefined } {
	const { config, now } = snapshot
	const over = snapshot.runs.filter(run => !isActive(run) && run.hasConfigMap)
	const ended = over.filter(run => run.uid === config.uid)
	const leftBehind = over.filter(run => !ended.some(({ name }) => name === run.name))
	const surplus = [
		...excess(
			ended.filter(run => !isVerification(run) && !succeeded(run)),
			HISTORY_MAX,
		),
		...excess(ended.filter(isVerification), VERIFICATIONS_MAX),
	]
	const own = ended.map(run => ({
		run,
		at: Math.max(
			surplus.includes(run) ? now : dueAt(snapshot, run),
			countsUntil(run) ?? 0,
			isFinished(run) ? 0 : now + msUntilGivenUp(run, snapshot),
		),
	}))
	const timed = [...own, ...leftBehind.map(run => ({ run, at: run.created + snapshot.settings.keepRunMs }))]
	const due = timed.filter(({ at }) => at <= now).map(({ run }) => run.name)
	const later = timed.map(({ at }) => at).filter(at => at > now && Number.isFinite(at))
	const last = config.status.lastJobName
	const named = due.length === timed.length ? due : due.filter(name => name !== last)
	return { due: named, nextAt: later.length > 0 ? Math.min(...later) : undefined }
}

/** Maximum number of read-only runs that are kept per node. */
const VERIFICATIONS_MAX = 3

function excess(runs: readonly Run[], most: number): Run[] {
	return runs.toSorted((a, b) => b.created - a.created || b.attempt - a.attempt).slice(most)
}

/**
 * Returns when the retention of a run is over. For the run that the status names, it starts when the result was reported, by the
 * controller's clock; for all others, when the Job finished or, if that is unknown, when the run was created.
 */
function dueAt({ config: { status }, settings: { keepRunMs } }: Snapshot, run: Run): number {
	if (!isVerification(run) && !succeeded(run) && status.state !== 'Configured') return Number.POSITIVE_INFINITY
	const reportedAt = Date.parse(status.lastProcessed ?? '')
	if (run.name === status.lastJobName && !Number.isNaN(reportedAt)) return reportedAt + keepRunMs
	return (run.job?.finished ?? run.created) + keepRunMs
}
