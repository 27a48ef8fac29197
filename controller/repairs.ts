import type { Run, Snapshot, Standing } from './snapshot.ts'

/** How often a node that drifted is put right. Pure. */

const hourMs = 3_600_000

/** What of a snapshot tells how often its node was put right, and may be. */
type Part = Pick<Snapshot, 'config' | 'rollout' | 'runs'>

/** @returns until when a run counts as a repair (milliseconds since 1970), whatever it came to; undefined: it is none */
export function countsUntil({ cause, created }: Run): number | undefined {
	return cause === 'Drifted' ? created + hourMs : undefined
}

/**
 * @param from milliseconds since 1970
 * @returns when, from then on, it may be put right the next time; infinity: never
 */
export function repairAt(part: Part, from: number): number {
	const { settings } = part.rollout
	// what cannot be read holds back every run, and lets go of them when it is mended
	if ('fault' in settings) return from
	const allowed = settings.value.repairsPerHour
	if (allowed === 0) return Number.POSITIVE_INFINITY
	const counting = countingUntil(part).filter(until => until > from)
	return counting.sort((a, b) => b - a)[allowed - 1] ?? from
}

/** The history is short and tells of a failure only its reason: what it no longer tells of is still there, unless somebody took it away. */
function countingUntil({ config, runs }: Part): number[] {
	const there = runs.filter(({ uid }) => uid === config.uid)
	const gone = (config.status.history ?? []).filter(({ job, cause }) => cause === 'Drifted' && !there.some(({ name }) => name === job))
	return [...there.flatMap(run => countsUntil(run) ?? []), ...gone.map(({ started }) => Date.parse(started) + hourMs)]
}

/** What becomes of a drift that was found at that time, in words. */
export function repairWords(snapshot: Part, found: number): string {
	const at = repairAt(snapshot, found)
	if (at === Number.POSITIVE_INFINITY) return 'Repairs are disabled (repairsPerHour 0).'
	const until = holdWords(snapshot.rollout)
	if (at <= found) return `It is repaired ${until || 'in rollout order'}.`
	const time = `${new Date(at).toISOString().slice(11, 16)} UTC`
	return `Too many repairs within the hour; ${until ? `not before ${time}, and ${until}` : `next at ${time}`}.`
}

/** What holds all of them back for longer than a turn takes; empty where nothing does. */
function holdWords({ settings, stoppedBy, jumps }: Standing): string {
	if ('fault' in settings) return 'when ConfigMap multinic-rollout is valid'
	if (settings.value.paused) return 'when the rollout resumes (paused)'
	return stoppedBy && !jumps ? `when the rollout resumes (stopped by ${stoppedBy.name})` : ''
}
