import { createHeap, type Indexed } from '../../runtime/heap.ts'
import { msUntilGivenUp } from '../model/runs.ts'
import type { Mode, Run } from '../model/snapshot.ts'

/**
 * The runs in progress in the whole cluster. Every decision needs their number, so counting does not depend on how many there are. Runs
 * that the controller has given up on do not count, although their pods may remain forever.
 */
export type ActiveRuns = {
	/** Adds or replaces the run of this key; undefined if the run is no longer active. */
	set(key: string, run: Pick<Run, 'mode' | 'firstSeenAt'> | undefined): void
	/** Returns how many runs of these modes are in progress. */
	count(is: (mode: Mode) => boolean): number
}

/** A run is in the heap as long as it is counted. */
type Entry = Indexed & { mode: Mode; until: number }

/**
 * Creates an empty index.
 *
 * @param uptime a monotonic clock (milliseconds)
 * @param deadlineMs how long a run may take before Kubernetes ends it (milliseconds)
 */
export function createActiveRuns(uptime: () => number, deadlineMs: number): ActiveRuns {
	const entries = new Map<string, Entry>()
	const counted = createHeap<Entry>((a, b) => a.until < b.until)
	const counts: Record<Mode, number> = { Plan: 0, Apply: 0, Verify: 0, Cleanup: 0 }
	const modes = Object.keys(counts) as Mode[]
	const uncount = (entry: Entry | undefined) => {
		if (!entry || entry.index < 0) return
		counted.remove(entry)
		counts[entry.mode]--
	}
	return {
		set(key, run) {
			uncount(entries.get(key))
			if (!run) return void entries.delete(key)
			const entry = { mode: run.mode, until: msUntilGivenUp(run, { uptime: 0, settings: { deadlineMs } }), index: -1 }
			entries.set(key, entry)
			counted.add(entry)
			counts[entry.mode]++
		},
		count(is) {
			const now = uptime()
			while (counted.first && counted.first.until <= now) uncount(counted.first)
			return modes.filter(is).reduce((sum, mode) => sum + counts[mode], 0)
		},
	}
}
