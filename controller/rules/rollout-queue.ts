import type { RolloutSettings } from '../../contract/rollout.ts'
import { isCurrent } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import { say } from './set-status-once.ts'
import { wantedMode } from '../model/runs.ts'
import type { HoldRule, Snapshot, Standing } from '../model/snapshot.ts'
import { pendingStatus } from '../status/status.ts'

/** How changes roll out to the fleet: not all nodes concurrently, and no further than the first harmful run. Pure. */

type Hold = { rule: HoldRule; message: string }
type Fact = (standing: Standing, settings: RolloutSettings) => Hold | undefined

/** Evaluated top to bottom: the first rule that returns a hold wins. */
const facts: readonly Fact[] = [isPaused, isStopped, isNotItsTurn]

/** Where the chart pauses the rollout. */
const CHART = 'the chart (rollout.paused in ConfigMap multinic-rollout)'

/** A hold that is over sooner is not worth a write (milliseconds). */
const tellAfterMs = 5_000

/** Holds a run that would change the node but must wait. */
export function isHeldBack(snapshot: Snapshot): Decision | undefined {
	if (wantedMode(snapshot) === 'Plan') return undefined
	const hold = holdOf(snapshot)
	return hold && heldBack(snapshot, hold)
}

function holdOf(snapshot: Snapshot): Hold | undefined {
	const { rollout } = snapshot
	if ('fault' in rollout.settings) return { rule: 'SettingsUnreadable', message: `ConfigMap multinic-rollout: ${rollout.settings.fault}.` }
	for (const fact of facts) {
		const hold = fact(rollout, rollout.settings.value)
		if (hold) return hold
	}
	return undefined
}

function isPaused({ settings: { pausedBy } }: Standing, { paused }: RolloutSettings): Hold | undefined {
	if (!paused) return undefined
	const by = [...(pausedBy.person ? ['kubectl multinic pause'] : []), ...(pausedBy.chart ? [CHART] : [])]
	return { rule: 'RolloutPaused', message: `The rollout is paused by ${by.join(' and ')}.` }
}

/** The node that failed may retry, and so may a node for which a person requests it: this is how a rollout resumes. */
function isStopped({ stoppedBy, jumps }: Standing): Hold | undefined {
	if (!stoppedBy || jumps) return undefined
	const { name, reason } = stoppedBy
	const message = `The rollout is stopped by ${name} (${reason}). It resumes when that node succeeds, is paused, or is deleted.`
	return { rule: 'RolloutStopped', message }
}

/** Control-plane nodes are changed one at a time. */
function isNotItsTurn({ free, ahead, controlPlaneBusy }: Standing, { maxUnavailable }: RolloutSettings): Hold | undefined {
	if (ahead < free && !controlPlaneBusy) return undefined
	const message = `Queued behind other nodes (maxUnavailable ${maxUnavailable}; control-plane nodes last, one at a time). See the position with: kubectl multinic get`
	return { rule: 'WaveIsFull', message }
}

/** The hold of a retry is not reported: the status already reports the failure to be retried. */
function heldBack(snapshot: Snapshot, { rule, message }: Hold): Decision {
	const { config, rollout, now } = snapshot
	if (config.status.state === 'Failed' && isCurrent(config)) return { act: 'hold', why: rule, afterMs: 0 }
	const heldMs = rollout.held?.rule === rule ? now - rollout.held.since : 0
	if (heldMs < tellAfterMs) return { act: 'hold', why: rule, afterMs: tellAfterMs - heldMs }
	const said = say(snapshot, 'Waiting', pendingStatus(snapshot, 'Waiting', message))
	return said.act === 'settle' ? { ...said, holds: rule } : { act: 'hold', why: rule, afterMs: 0 }
}
