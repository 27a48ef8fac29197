import { isCurrent } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import { type Check, firstOf } from './first-of.ts'
import { setStatusOnce } from './set-status-once.ts'
import { wantedMode } from '../model/runs.ts'
import type { HoldReason, Snapshot, RolloutView } from '../model/snapshot.ts'
import { pendingStatus } from '../status/build-status.ts'

/** How changes roll out to the fleet: not to all nodes concurrently, and not beyond the first run that harmed its node. Pure. */

type Hold = { reason: HoldReason; message: string }

/** Evaluated top to bottom: the first check that returns a hold wins. */
const checks: readonly Check<RolloutView, Hold>[] = [whenSettingsInvalid, whenPaused, whenStopped, whenNotNext]

/** The name of the chart's pause in messages. */
const CHART = 'the chart (rollout.paused in ConfigMap multinic-rollout)'

/** How long a hold must last before it is worth a write to the status (milliseconds). */
const reportAfterMs = 5_000

/** Holds a run that would change the node, if a rollout rule requires it. */
export function whenQueued(snapshot: Snapshot): Decision | undefined {
	if (wantedMode(snapshot) === 'Plan') return undefined
	const hold = firstOf(checks, snapshot.rollout)
	return hold && queued(snapshot, hold)
}

function whenSettingsInvalid({ settings }: RolloutView): Hold | undefined {
	return 'fault' in settings ? { reason: 'SettingsUnreadable', message: `ConfigMap multinic-rollout: ${settings.fault}.` } : undefined
}

function whenPaused({ settings }: RolloutView): Hold | undefined {
	if ('fault' in settings || !settings.value.paused) return undefined
	const { pausedBy } = settings
	const by = [...(pausedBy.person ? ['kubectl multinic pause'] : []), ...(pausedBy.chart ? [CHART] : [])]
	return { reason: 'RolloutPaused', message: `The rollout is paused by ${by.join(' and ')}.` }
}

/** Holds all nodes except the failed node itself and nodes for which a person requests a retry: this is how a rollout resumes. */
function whenStopped({ stoppedBy, skipsQueue }: RolloutView): Hold | undefined {
	if (!stoppedBy || skipsQueue) return undefined
	const { name, reason } = stoppedBy
	const message = `The rollout is stopped by ${name} (${reason}). It resumes when that node succeeds, is paused, or is deleted.`
	return { reason: 'RolloutStopped', message }
}

/** Holds a node until a slot is free for it. Control-plane nodes are changed one at a time. */
function whenNotNext({ settings, slots, queuePosition, controlPlaneBusy }: RolloutView): Hold | undefined {
	if ('fault' in settings || (queuePosition < slots && !controlPlaneBusy)) return undefined
	const { maxUnavailable } = settings.value
	const message = `Queued behind other nodes (maxUnavailable ${maxUnavailable}; control-plane nodes last, one at a time). See the position with: kubectl multinic get`
	return { reason: 'WaveIsFull', message }
}

/** A hold on a retry is not reported, because the status already reports the failure that is to be retried. */
function queued(snapshot: Snapshot, { reason, message }: Hold): Decision {
	const { config, rollout, now } = snapshot
	if (config.status.state === 'Failed' && isCurrent(config)) return { act: 'queue', why: reason, afterMs: 0 }
	const queuedMs = rollout.hold?.reason === reason ? now - rollout.hold.since : 0
	if (queuedMs < reportAfterMs) return { act: 'queue', why: reason, afterMs: reportAfterMs - queuedMs }
	const decision = setStatusOnce(snapshot, 'Waiting', pendingStatus(snapshot, 'Waiting', message))
	return decision.act === 'setStatus' ? { ...decision, holdReason: reason } : { act: 'queue', why: reason, afterMs: 0 }
}
