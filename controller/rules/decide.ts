import { complaintOf, isDrifted, mayHeal } from '../../contract/status.ts'
import { answeredRequests } from '../model/requests.ts'
import { whenInConflict } from './conflict.ts'
import { type Check, firstOf } from './first-of.ts'
import type { Decision } from '../model/decision.ts'
import { setStatusOnce } from './set-status-once.ts'
import { obsoleteRuns } from './gc.ts'
import { whenCleaned, whenDeletedWithNode, whenReleased, whenFinalizerMissing, whenNeverRun } from './finalizer.ts'
import { whenNodeReplaced } from './node-identity.ts'
import { backoffMs, currentRun, isUpToDate, isVerificationLimitReached, wantedMode } from '../model/runs.ts'
import { nextRepairAt } from '../rollout/repair-budget.ts'
import { whenRunOverdue, whenNoPodCreated } from './run-deadline.ts'
import { whenQueued } from './rollout-queue.ts'
import { newRun } from './new-run.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { invalidStatus, pendingStatus } from '../status/build-status.ts'
import { whenReported, whenKubeletSilent, whenRunActive, whenRunEnding, whenRunOutOfSight, whenRunLost } from './current-run.ts'
import { whenVerified, whenVerificationDue, nextVerificationAt } from './verify.ts'

/** Evaluated top to bottom: the first check that returns a decision wins. */
const checks: readonly Check<Snapshot, Decision>[] = [
	whenReleased,
	whenFinalizerMissing,
	whenDeletedWithNode,
	whenCleaned,
	whenReported,
	whenRunLost,
	whenRunOverdue,
	whenNoPodCreated,
	whenVerified,
	whenRequestAnswered,
	whenRunOutOfSight,
	whenRunActive,
	whenRunEnding,
	whenNeverRun,
	whenInvalid,
	whenPaused,
	whenNodeMissing,
	whenNodeReplaced,
	whenVerificationDue,
	whenUpToDate,
	whenInConflict,
	whenRepairedTooOften,
	whenBackingOff,
	whenKubeletSilent,
	whenQueued,
	whenRunsAtLimit,
]

/** Decides what to do about one node config. Pure: same snapshot, same decision. */
export function decide(snapshot: Snapshot): Decision {
	return firstOf(checks, snapshot) ?? newRun(snapshot)
}

/**
 * Removes a request annotation as soon as a run that has its value was started. If it were removed earlier, a controller that dies in
 * between would lose the request; if it were removed later, it would announce a run that has already started.
 */
function whenRequestAnswered(snapshot: Snapshot): Decision | undefined {
	const { config, runs } = snapshot
	const answered = answeredRequests(
		config.requests,
		runs.filter(run => run.uid === config.uid),
	)
	return answered.length > 0 ? { act: 'updateMetadata', why: 'AskIsAnswered', finalizer: false, answered } : undefined
}

function whenInvalid(snapshot: Snapshot): Decision | undefined {
	const { config, spec } = snapshot
	if (config.deleting) return undefined
	const fault = 'fault' in spec ? spec.fault : faultOfName(config.name)
	return fault === undefined ? undefined : setStatusOnce(snapshot, 'InvalidConfig', invalidStatus(snapshot, fault))
}

/**
 * Runs have a label with the node name, by which the admission policy ties a run to its node. A label value is limited to 63 characters.
 */
function faultOfName(name: string): string | undefined {
	return name.length > 63
		? `spec.nodeName: ${name.length} characters are too many; runs have a label with the node name, which is limited to 63`
		: undefined
}

function whenPaused(snapshot: Snapshot): Decision | undefined {
	const { spec, config } = snapshot
	if (!('value' in spec) || !spec.value.paused) return undefined
	const what = config.deleting ? 'The node is not restored' : 'No run starts'
	return setStatusOnce(snapshot, 'Paused', pendingStatus(snapshot, 'Paused', `${what} while spec.paused is true.`))
}

function whenNodeMissing(snapshot: Snapshot): Decision | undefined {
	if (snapshot.node) return undefined
	const message = `There is no Kubernetes node ${snapshot.config.name}. The run starts when it joins.`
	return setStatusOnce(snapshot, 'NodeNotFound', pendingStatus(snapshot, 'NodeNotFound', message))
}

/** Does nothing except delete runs whose retention period is over. */
function whenUpToDate(snapshot: Snapshot): Decision | undefined {
	const { config } = snapshot
	if (config.requests.retry !== undefined || config.deleting || !isUpToDate(snapshot)) return undefined
	if (config.status.state === 'Failed' && mayHeal(complaintOf(config))) return undefined
	const { due, nextAt } = obsoleteRuns(snapshot)
	if (due.length > 0) return { act: 'deleteRuns', why: 'RunsAreObsolete', runs: due }
	return waitUntil(
		snapshot,
		'Settled',
		Math.min(nextAt ?? Number.POSITIVE_INFINITY, nextVerificationAt(snapshot) ?? Number.POSITIVE_INFINITY),
	)
}

/** Waits until `at`; if that is Infinity, only a change leads to another decision. */
function waitUntil({ now }: Snapshot, why: string, at: number): Decision {
	return Number.isFinite(at) ? { act: 'wait', why, afterMs: Math.max(1_000, at - now) } : { act: 'nothing', why }
}

/** Limits how often drift is repaired: a process that repeatedly reverts a repair does so on purpose. */
function whenRepairedTooOften(snapshot: Snapshot): Decision | undefined {
	const { config, now } = snapshot
	if (config.requests.retry !== undefined || config.deleting || !isDrifted(config)) return undefined
	const at = nextRepairAt(snapshot, now)
	return at <= now ? undefined : waitUntil(snapshot, 'RepairedTooOften', Math.min(at, nextVerificationAt(snapshot) ?? at))
}

function whenBackingOff(snapshot: Snapshot): Decision | undefined {
	const { config, now } = snapshot
	if (config.requests.retry !== undefined || config.status.state !== 'Failed' || !isUpToDate(snapshot) || isDrifted(config))
		return undefined
	const run = currentRun(snapshot)
	if (config.deleting && !run) return undefined
	const { due } = obsoleteRuns(snapshot)
	if (due.length > 0) return { act: 'deleteRuns', why: 'RunsAreObsolete', runs: due }
	const waitMs = backoffMs((run?.failures ?? 0) + 1, complaintOf(config))
	const leftMs = Date.parse(config.status.lastProcessed ?? '') + waitMs - now
	// a failure time in the future comes from another clock; if it is far ahead, it is ignored
	return leftMs > 0 && leftMs <= 2 * waitMs ? { act: 'wait', why: 'BackingOff', afterMs: leftMs } : undefined
}

/** Applies to read-only runs. The status is not changed, because that would cost a write for a state that lasts about a second. */
function whenRunsAtLimit(snapshot: Snapshot): Decision | undefined {
	const isFull = snapshot.rollout.runSlots <= 0 || (wantedMode(snapshot) === 'Plan' && isVerificationLimitReached(snapshot))
	return isFull ? { act: 'wait', why: 'TooManyRuns', afterMs: 5_000 } : undefined
}
