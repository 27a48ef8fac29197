import type { Run, Snapshot, RolloutView } from '../model/snapshot.ts'

/** Limits how often a drifted node is repaired. Pure. */

const hourMs = 3_600_000

/** The parts of a snapshot that determine how often its node was repaired and may be repaired. */
type Part = Pick<Snapshot, 'config' | 'rollout' | 'runs'>

/**
 * @returns until when the run counts against the repair limit (milliseconds since 1970), regardless of its result; undefined if the run is
 *   not a repair
 */
export function countsUntil({ cause, created }: Run): number | undefined {
	return cause === 'Drifted' ? created + hourMs : undefined
}

/**
 * @param from milliseconds since 1970
 * @returns when the node may next be repaired, `from` at the earliest; Infinity if never
 */
export function nextRepairAt(part: Part, from: number): number {
	const { settings } = part.rollout
	// invalid settings already hold every run until they are fixed
	if ('fault' in settings) return from
	const allowed = settings.value.repairsPerHour
	if (allowed === 0) return Number.POSITIVE_INFINITY
	const counting = countingUntil(part).filter(until => until > from)
	return counting.sort((a, b) => b - a)[allowed - 1] ?? from
}

/**
 * Returns until when each repair counts. Repairs are known from the runs and from the history. The history is short; a repair that it no
 * longer shows still exists as a run, unless a person deleted it.
 */
function countingUntil({ config, runs }: Part): number[] {
	const there = runs.filter(({ uid }) => uid === config.uid)
	const gone = (config.status.history ?? []).filter(({ job, cause }) => cause === 'Drifted' && !there.some(({ name }) => name === job))
	return [...there.flatMap(run => countsUntil(run) ?? []), ...gone.map(({ started }) => Date.parse(started) + hourMs)]
}

/** Returns a message about when drift found at `found` is repaired. */
export function repairMessage(snapshot: Part, found: number): string {
	const at = nextRepairAt(snapshot, found)
	if (at === Number.POSITIVE_INFINITY) return 'Repairs are disabled (repairsPerHour 0).'
	const until = holdMessage(snapshot.rollout)
	if (at <= found) return `It is repaired ${until || 'in rollout order'}.`
	const time = `${new Date(at).toISOString().slice(11, 16)} UTC`
	return `Too many repairs within the hour; ${until ? `not before ${time}, and ${until}` : `next at ${time}`}.`
}

/** Returns the part of a message about when a hold on all nodes ends; empty if there is none. The queue is not a hold. */
function holdMessage({ settings, stoppedBy, skipsQueue }: RolloutView): string {
	if ('fault' in settings) return 'when ConfigMap multinic-rollout is valid'
	if (settings.value.paused) return 'when the rollout resumes (paused)'
	return stoppedBy && !skipsQueue ? `when the rollout resumes (stopped by ${stoppedBy.name})` : ''
}
