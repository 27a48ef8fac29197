import type { NodeConfigStatus } from '../contract/node-config.ts'
import type { Ask } from './asked.ts'
import type { NewRun } from './job.ts'
import { condition } from './runs.ts'
import type { HoldRule, Snapshot } from './snapshot.ts'

/** What is to be done about a node config, and the word for why. */
export type Decision =
	| { act: 'nothing'; why: string }
	/** Look again after that time, or when something changes. */
	| { act: 'wait'; why: string; afterMs: number }
	/** Change what the controller owns of the metadata. */
	| { act: 'adopt'; why: string; finalizer: boolean; withdraw: readonly Ask[] }
	/** `quiet`: the status goes on telling of the failure that is being retried. */
	| { act: 'start'; why: string; run: NewRun; quiet: boolean }
	/** `result`: it tells what a run came to. `moment`: it is worth an Event, of this name. `holds`: it tells what holds the run back. */
	| { act: 'settle'; why: string; status: NodeConfigStatus; result: boolean; moment?: string | undefined; holds?: HoldRule }
	/** Its turn has not come; 0: it will be woken when something changes. */
	| { act: 'hold'; why: HoldRule; afterMs: number }
	| { act: 'clear'; why: string; runs: readonly string[] }
	| { act: 'release'; why: string }

/** A fact about a snapshot that decides, or nothing. */
export type Rule = (snapshot: Snapshot) => Decision | undefined

/** A wait that only something else can end is said once. */
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
