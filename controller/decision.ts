import type { NodeConfigStatus } from '../contract/node-config.ts'
import type { Ask } from './asked.ts'
import type { NewRun } from './job.ts'
import { condition } from './runs.ts'
import type { HoldRule, Snapshot } from './snapshot.ts'

/** What to do about a node config, and why. */
export type Decision =
	| { act: 'nothing'; why: string }
	/** Decide again after that time, or when something changes. */
	| { act: 'wait'; why: string; afterMs: number }
	/** Change the finalizer and annotations that the controller owns. */
	| { act: 'adopt'; why: string; finalizer: boolean; withdraw: readonly Ask[] }
	/** `quiet`: the status continues to report the failure that is being retried. */
	| { act: 'start'; why: string; run: NewRun; quiet: boolean }
	/** `result`: the status has the result of a run. `moment`: record an Event with this name. `holds`: the rule that holds the run. */
	| { act: 'settle'; why: string; status: NodeConfigStatus; result: boolean; moment?: string | undefined; holds?: HoldRule }
	/** The run is queued; `afterMs` 0: it is woken when something changes. */
	| { act: 'hold'; why: HoldRule; afterMs: number }
	| { act: 'clear'; why: string; runs: readonly string[] }
	| { act: 'release'; why: string }

/** Returns a decision about the snapshot, or undefined if the rule does not apply. */
export type Rule = (snapshot: Snapshot) => Decision | undefined

/** Writes the status of a wait that only another change can end, once. */
export function say(
	snapshot: Snapshot,
	why: string,
	status: NodeConfigStatus,
	moment?: string,
): Extract<Decision, { act: 'nothing' | 'settle' }> {
	const { config, specHash } = snapshot
	const said = condition(config.status, 'Ready')
	const same =
		said?.reason === why &&
		said.message === condition(status, 'Ready')?.message &&
		config.status.observedGeneration === config.generation &&
		config.status.observedSpecHash === specHash &&
		config.status.state === status.state
	return same ? { act: 'nothing', why } : { act: 'settle', why, status, result: false, moment }
}
