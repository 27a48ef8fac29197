import type { Ask } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { Asked } from './requests.ts'
import type { HoldRule, Mode } from './snapshot.ts'

/** Which run to create; `cause`, `asked` and `failures` are only recorded. */
export type NewRun = { attempt: number; mode: Mode; cause: string; asked: Asked; failures: number }

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
