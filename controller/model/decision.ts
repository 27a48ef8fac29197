import type { Ask } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { Requests } from './requests.ts'
import type { HoldReason, Mode } from './snapshot.ts'

/** Which run to create. `cause`, `requests` and `failures` are only recorded on its ConfigMap. */
export type NewRun = { attempt: number; mode: Mode; cause: string; requests: Requests; failures: number }

/** What to do about a node config, and why. */
export type Decision =
	| { act: 'nothing'; why: string }
	/** Decide again after `afterMs`, or earlier if something changes. */
	| { act: 'wait'; why: string; afterMs: number }
	/** Change the finalizer and annotations that the controller owns. */
	| { act: 'updateMetadata'; why: string; finalizer: boolean; answered: readonly Ask[] }
	/** `keepStatus`: the status continues to report the failure that is being retried. */
	| { act: 'start'; why: string; run: NewRun; keepStatus: boolean }
	/**
	 * `result`: whether the status contains the result of a run. `eventKey`: also record an Event, named after this key. `holdReason`: why
	 * the run is queued.
	 */
	| { act: 'setStatus'; why: string; status: NodeConfigStatus; result: boolean; eventKey?: string | undefined; holdReason?: HoldReason }
	/** The run is queued. `afterMs` is 0 if only a change wakes the node config. */
	| { act: 'queue'; why: HoldReason; afterMs: number }
	| { act: 'deleteRuns'; why: string; runs: readonly string[] }
	| { act: 'release'; why: string }
