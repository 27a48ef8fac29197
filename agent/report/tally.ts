import type { RunConfig } from '../../contract/agent-run.ts'
import type { Warning } from '../model/warning.ts'

/** Data that a run collects for its report. */
export type Tally = {
	config: RunConfig
	started: Date
	milliseconds: Record<string, number>
	/** ID → number of committed changes. */
	changes: Map<number, number>
	/** ID → descriptions of the committed changes, in a few words each. */
	done: Map<number, string[]>
	total: number
	/** ID → the last result of the interface's probes. */
	warnings: Map<number, Warning>
	/** What could not be determined, and why. */
	notes: Set<string>
	/** The tag of an unfinished run that this read-only run found and left untouched. */
	unfinished: string | undefined
	/** What could not be rolled back of an unfinished run. */
	unrestored: readonly string[]
}

/** Whether a run is read-only. */
export function isDry({ mode }: RunConfig): boolean {
	return mode === 'Plan' || mode === 'Verify'
}

/** Runs `work` and adds its duration to the given phase. */
export async function timed<T>({ milliseconds }: Tally, phase: string, work: () => Promise<T>): Promise<T> {
	const started = performance.now()
	try {
		return await work()
	} finally {
		milliseconds[phase] = Math.round((milliseconds[phase] ?? 0) + performance.now() - started)
	}
}
