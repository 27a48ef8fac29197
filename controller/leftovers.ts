import { countsUntil } from './repairs.ts'
import { hasEnded, HISTORY_MAX, isActive, isLook, leftToEnd, succeeded } from './runs.ts'
import type { Run, Snapshot } from './snapshot.ts'

/**
 * Which runs may go. Pure.
 *
 * A run stays `keepRunMs` after its result is in the status, a failed one until a later one succeeds; but a node that fails
 * for weeks must not fill the cluster, so only as many of those stay as the history tells of. A repair stays as long as it counts, and a
 * ConfigMap without a Job as long as one may still be made, or be heard of. The run the status
 * names goes last. The garbage collector takes those of a node config that is gone; one that it has left after that time had its owner taken away.
 *
 * @returns names that are due, and when the next one will be (milliseconds since 1970)
 */
export function obsoleteRuns(snapshot: Snapshot): { due: string[]; nextAt: number | undefined } {
	const { config, now } = snapshot
	const over = snapshot.runs.filter(run => !isActive(run) && run.hasConfigMap)
	const ended = over.filter(run => run.uid === config.uid)
	const leftBehind = over.filter(run => run.uid !== config.uid && !ended.some(({ name }) => name === run.name))
	const surplus = [
		...excess(
			ended.filter(run => !isLook(run) && !succeeded(run)),
			HISTORY_MAX,
		),
		...excess(ended.filter(isLook), LOOKS_MAX),
	]
	const own = ended.map(run => ({
		run,
		at: Math.max(
			surplus.includes(run) ? now : goesAt(snapshot, run),
			countsUntil(run) ?? 0,
			hasEnded(run) ? 0 : now + leftToEnd(run, snapshot),
		),
	}))
	const timed = [...own, ...leftBehind.map(run => ({ run, at: run.created + snapshot.settings.keepRunMs }))]
	const due = timed.filter(({ at }) => at <= now).map(({ run }) => run.name)
	const later = timed.map(({ at }) => at).filter(at => at > now && Number.isFinite(at))
	const last = config.status.lastJobName
	const named = due.length === timed.length ? due : due.filter(name => name !== last)
	return { due: named, nextAt: later.length > 0 ? Math.min(...later) : undefined }
}

/** How many runs that only looked are kept of a node. */
const LOOKS_MAX = 3

function excess(runs: readonly Run[], most: number): Run[] {
	return runs.toSorted((a, b) => b.created - a.created || b.attempt - a.attempt).slice(most)
}

/** The controller's own clock where it is known: that of the last result; the API server's for runs before it. */
function goesAt({ config: { status }, settings: { keepRunMs } }: Snapshot, run: Run): number {
	if (!isLook(run) && !succeeded(run) && status.state !== 'Configured') return Number.POSITIVE_INFINITY
	const told = Date.parse(status.lastProcessed ?? '')
	if (run.name === status.lastJobName && !Number.isNaN(told)) return told + keepRunMs
	return (run.job?.finished ?? run.created) + keepRunMs
}
