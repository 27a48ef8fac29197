import { countsUntil } from '../rollout/repair-budget.ts'
import { isFinished, HISTORY_MAX, isActive, isVerification, msUntilGivenUp, succeeded } from '../model/runs.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'

/**
 * Selects the runs to delete. Pure.
 *
 * A run is kept for `keepRunMs` after its result is in the status, a failed run until a later one succeeds. A node that fails for weeks
 * must not fill the cluster, so no more failed runs are kept than the history has entries. A repair is kept as long as it counts, and a
 * ConfigMap without a Job as long as its Job may still be created or reported. The run that the status names is deleted last. The garbage
 * collector deletes the runs of a deleted node config; one that still exists after `keepRunMs` has lost its owner reference.
 *
 * @returns the names that are due, and when the next one is due (milliseconds since 1970)
 */
export function obsoleteRuns(snapshot: Snapshot): { due: string[]; nextAt: number | undefined } {
	const { config, now } = snapshot
	const over = snapshot.runs.filter(run => !isActive(run) && run.hasConfigMap)
	const ended = over.filter(run => run.uid === config.uid)
	const leftBehind = over.filter(run => run.uid !== config.uid && !ended.some(({ name }) => name === run.name))
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

/** How many read-only runs of a node are kept. */
const VERIFICATIONS_MAX = 3

function excess(runs: readonly Run[], most: number): Run[] {
	return runs.toSorted((a, b) => b.created - a.created || b.attempt - a.attempt).slice(most)
}

/** Uses the time of the last result, by the controller's clock, if it is of this run; for earlier runs the time of the API server. */
function dueAt({ config: { status }, settings: { keepRunMs } }: Snapshot, run: Run): number {
	if (!isVerification(run) && !succeeded(run) && status.state !== 'Configured') return Number.POSITIVE_INFINITY
	const reportedAt = Date.parse(status.lastProcessed ?? '')
	if (run.name === status.lastJobName && !Number.isNaN(reportedAt)) return reportedAt + keepRunMs
	return (run.job?.finished ?? run.created) + keepRunMs
}
