import { cut } from '../../contract/conditions.ts'
import type { HistoryEntry } from '../../contract/node-config.ts'
import { attemptOf } from '../../contract/run-name.ts'
import { HISTORY_MAX, succeeded } from '../model/runs.ts'
import type { Run, Snapshot } from '../model/snapshot.ts'
import { timestamp, validTime } from '../model/format.ts'

/** Returns the history including these runs: the five newest, newest first, each run once. Pure. */
export function historyWith({ config, now }: Snapshot, runs: readonly Run[], lostReason?: string): { history: HistoryEntry[] } {
	const isReplaced = ({ job, failureReason }: HistoryEntry) => isLost(failureReason) && runs.some(run => run.name === job && run.report)
	const before = (config.status.history ?? []).filter(entry => !isReplaced(entry))
	const fresh = runs.filter(run => !before.some(entry => entry.job === run.name)).map(run => entryOf(run, now, lostReason))
	return { history: [...fresh, ...before].sort(newestFirst).slice(0, HISTORY_MAX) }
}

/** Whether a run that failed for this reason ended, or was given up, without a report; the report may still arrive. */
export function isLost(failureReason: string | undefined): boolean {
	return failureReason === 'RunLost' || failureReason === 'PodRefused'
}

/** Sorts by generation and attempt, not by time: the clocks of nodes differ, and an old run that still exists must not appear as new. */
function newestFirst(a: HistoryEntry, b: HistoryEntry): number {
	return b.generation - a.generation || attemptOf(b.job) - attemptOf(a.job)
}

/** Maximum duration that is recorded (seconds). No run takes longer, regardless of the clock of its node. */
const SECONDS_MAX = 86_400

/** @param lostReason why the run failed, if it left no report */
function entryOf(run: Run, now: number, lostReason = 'RunFailed'): HistoryEntry {
	const started = (run.report && validTime(run.report.started)) ?? timestamp(run.created)
	const ended = (run.report && validTime(run.report.finished)) ?? timestamp(now)
	const seconds = Math.min(SECONDS_MAX, Math.max(0, Math.round((Date.parse(ended) - Date.parse(started)) / 100) / 10))
	return {
		generation: run.generation,
		job: run.name,
		started,
		seconds,
		changes: run.report?.changes ?? 0,
		result: resultOf(run),
		...(run.cause && { cause: cut(run.cause, 64) }),
		...(!succeeded(run) && { failureReason: cut(run.report?.reason ?? lostReason, 64) }),
	}
}

function resultOf(run: Run): HistoryEntry['result'] {
	if (!succeeded(run)) return 'Failed'
	return run.mode === 'Plan' ? 'Pending' : 'Configured'
}
