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

/** `state`: the host after the attempt, as last observed. */
type Attempted = { plan: Plan; state: HostState }

/** What is found on a host that has what it shall have, or on which nothing may be changed. */
type Findings = {
	proof: Proof
	/** id → what its own probes found. */
	warnings: ReadonlyMap<number, Warning>
	/** What could not be determined, and why. */
	notes: readonly string[]
}

/** `failed`: why nothing was committed. */
type Undone = {
	probes: Probes
	failed: Failure<Code>
	/** What is not managed by MultiNIC, is gone or has changed since this attempt began, and cannot have been changed by this run. */
	lostByOthers: readonly Loss[]
}

/** Nothing had to be changed. */
export type NoChanges = Attempted & Findings & { kind: 'noChanges' }
/** Nothing may be changed: modes Plan and Verify. */
export type Planned = Attempted & Findings & { kind: 'planned' }
export type Committed = Attempted & Findings & { kind: 'committed'; probes: Probes }
/** Everything is as it was before the attempt, and the host is disarmed. */
export type RolledBack = Attempted & Undone & { kind: 'rolledBack' }
/** The rollback could not restore everything. The undo files stay, so that the host or the next run can try again. */
export type Stuck = Attempted & Undone & { kind: 'stuck'; unrestored: readonly [string, ...string[]] }

/** How an attempt ends. */
export type Outcome = Succeeded | Failed
export type Succeeded = NoChanges | Planned | Committed
export type Failed = RolledBack | Stuck

export function isFailed(outcome: Outcome): outcome is Failed {
	return outcome.kind === 'rolledBack' || outcome.kind === 'stuck'
}

export type ReportInput<Of extends Outcome = Outcome> = { outcome: Of; tally: Tally }
