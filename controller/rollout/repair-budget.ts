import type { Run, Snapshot, RolloutView } from '../model/snapshot.ts'

/** How often a drifted node is repaired. Pure. */

const hourMs = 3_600_000

/** The part of a snapshot that says how often its node was repaired and may be repaired. */
type Part = Pick<Snapshot, 'config' | 'rollout' | 'runs'>

/** @returns until when a run counts as a repair (milliseconds since 1970), whatever its result; undefined: it is not a repair */
export function countsUntil({ cause, created }: Run): number | undefined {
	return cause === 'Drifted' ? created + hourMs : undefined
}

/**
 * @param from milliseconds since 1970
 * @returns when the node may be repaired next, `from` at the earliest; infinity: never
 */
export function nextRepairAt(part: Part, from: number): number {
	const { settings } = part.rollout
	// invalid settings hold every run, and release it when they are fixed
	if ('fault' in settings) return from
	const allowed = settings.value.repairsPerHour
	if (allowed === 0) return Number.POSITIVE_INFINITY
	const counting = countingUntil(part).filter(until => until > from)
	return counting.sort((a, b) => b - a)[allowed - 1] ?? from
}

/** The history is short. A repair that it no longer shows still exists as a run, unless a person deleted it. */
function countingUntil({ config, runs }: Part): number[] {
	const there = runs.filter(({ uid }) => uid === config.uid)
	const gone = (config.status.history ?? []).filter(({ job, cause }) => cause === 'Drifted' && !there.some(({ name }) => name === job))
	return [...there.flatMap(run => countsUntil(run) ?? []), ...gone.map(({ started }) => Date.parse(started) + hourMs)]
}

/** Says what happens to drift that was found at that time. */
export function repairMessage(snapshot: Part, found: number): string {
	const at = nextRepairAt(snapshot, found)
	if (at === Number.POSITIVE_INFINITY) return 'Repairs are disabled (repairsPerHour 0).'
	const until = holdMessage(snapshot.rollout)
	if (at <= found) return `It is repaired ${until || 'in rollout order'}.`
	const time = `${new Date(at).toISOString().slice(11, 16)} UTC`
	return `Too many repairs within the hour; ${until ? `not before ${time}, and ${until}` : `next at ${time}`}.`
}

/** Says what holds all nodes for longer than the queue does; empty if nothing does. */
function holdMessage({ settings, stoppedBy, skipsQueue }: RolloutView): string {
	if ('fault' in settings) return 'when ConfigMap multinic-rollout is valid'
	if (settings.value.paused) return 'when the rollout resumes (paused)'
	return stoppedBy && !skipsQueue ? `when the rollout resumes (stopped by ${stoppedBy.name})` : ''
}
