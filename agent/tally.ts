import type { RunConfig } from '../contract/agent-run.ts'
import type { Warning } from './probe/own-gateway.ts'

/** What a run adds up while it goes on. */
export type Tally = {
	config: RunConfig
	started: Date
	milliseconds: Record<string, number>
	/** id → changes that were committed. */
	changes: Map<number, number>
	/** The same, a few words each. */
	done: Map<number, string[]>
	total: number
	/** id → what its own probes found last. */
	warnings: Map<number, Warning>
	/** What could not be found out, and why. */
	notes: Set<string>
	/** The tag of a dead run that this one, which only looks, has found and left. */
	unfinished: string | undefined
	/** What of a dead run could not be undone. */
	unrestored: readonly string[]
}

/** Whether a run only looks. */
export function isDry({ mode }: RunConfig): boolean {
	return mode === 'Plan' || mode === 'Verify'
}

/** Does work that counts as that phase. */
export async function timed<T>({ milliseconds }: Tally, phase: string, work: () => Promise<T>): Promise<T> {
	const started = performance.now()
	try {
		return await work()
	} finally {
		milliseconds[phase] = Math.round((milliseconds[phase] ?? 0) + performance.now() - started)
	}
}
