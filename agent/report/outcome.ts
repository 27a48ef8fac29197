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

/** `state`: the state of the host after the attempt, as last observed. */
type Attempted = { plan: Plan; state: HostState }

/** The findings on a host that matches its desired state, or that must not be changed. */
type Findings = {
	proof: Proof
	/** ID → the result of the interface's own probes. */
	warnings: ReadonlyMap<number, Warning>
	/** What could not be determined, and why. */
	notes: readonly string[]
}

/** `failed`: why nothing was committed. */
type Undone = {
	probes: Probes
	failed: Failure<Code>
	/** State that MultiNIC does not manage and that has disappeared or changed since this attempt began, but not because of this run. */
	lostByOthers: readonly Loss[]
}

/** Nothing needed to be changed. */
export type NoChanges = Attempted & Findings & { kind: 'noChanges' }
/** Nothing was allowed to be changed: modes Plan and Verify. */
export type Planned = Attempted & Findings & { kind: 'planned' }
export type Committed = Attempted & Findings & { kind: 'committed'; probes: Probes }
/** The host is as it was before the attempt, and disarmed. */
export type RolledBack = Attempted & Undone & { kind: 'rolledBack' }
/** The rollback could not restore everything. The undo files remain, so that the host or the next run can try again. */
export type Stuck = Attempted & Undone & { kind: 'stuck'; unrestored: readonly [string, ...string[]] }

/** How an attempt ends. */
export type Outcome = Succeeded | Failed
export type Succeeded = NoChanges | Planned | Committed
export type Failed = RolledBack | Stuck

export function isFailed(outcome: Outcome): outcome is Failed {
	return outcome.kind === 'rolledBack' || outcome.kind === 'stuck'
}

export type ReportInput<Of extends Outcome = Outcome> = { outcome: Of; tally: Tally }
