import type { RunConfig } from '../../contract/agent-run.ts'
import type { Warning } from '../model/warning.ts'

/** What a run collects in the course of its work. */
export type Tally = {
	config: RunConfig
	started: Date
	milliseconds: Record<string, number>
	/** id → number of committed changes. */
	changes: Map<number, number>
	/** The same changes, in a few words each. */
	done: Map<number, string[]>
	total: number
	/** id → the last result of the interface's probes. */
	warnings: Map<number, Warning>
	/** What could not be determined, and why. */
	notes: Set<string>
	/** The tag of a dead run that this read-only run has found and left. */
	unfinished: string | undefined
	/** What could not be rolled back of a dead run. */
	unrestored: readonly string[]
}

/** Whether a run is read-only. */
export function isDry({ mode }: RunConfig): boolean {
	return mode === 'Plan' || mode === 'Verify'
}

/** Runs work and adds its duration to that phase. */
export async function timed<T>({ milliseconds }: Tally, phase: string, work: () => Promise<T>): Promise<T> {
	const started = performance.now()
	try {
		return await work()
	} finally {
		milliseconds[phase] = Math.round((milliseconds[phase] ?? 0) + performance.now() - started)
	}
}
