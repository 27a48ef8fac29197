import type { Probe } from '../../contract/agent-run.ts'
import type { Failure } from '../../runtime/errors.ts'
import type { Proof } from '../model/boot-proof.ts'
import type { Code } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import type { Warning } from '../model/warning.ts'
import type { Loss } from '../plan/fingerprint.ts'
import type { Plan } from '../plan/plan.ts'
import type { Tally } from './tally.ts'

export type Probes = { before: Probe[]; after: Probe[] }

export type Outcome = {
	plan: Plan
	state: HostState
	proof: Proof
	probes: Probes
	/** id → what its own probes found; absent: they did not run. */
	warnings?: ReadonlyMap<number, Warning>
	/** What could not be determined, and why. */
	notes?: readonly string[]
	/** Absent: the attempt did not fail. */
	failed?: Failure<Code>
	/** After a failure: what the rollback could not restore. The undo files then stay, so that the host or the next run can try again. */
	unrestored?: string[]
	/** What is not managed by MultiNIC, is gone or has changed since this attempt began, and cannot have been changed by this run. */
	lostByOthers?: readonly Loss[]
}

export type Told = { outcome: Outcome; tally: Tally }
