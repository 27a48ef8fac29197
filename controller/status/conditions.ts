import { clean } from '../../contract/clean.ts'
import { type Condition, cut } from '../../contract/conditions.ts'
import type { NodeConfigStatus, State } from '../../contract/node-config.ts'
import type { Reason } from '../../contract/reasons.ts'
import { condition } from '../../contract/status.ts'
import type { Report } from '../model/report.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { timestamp } from '../model/format.ts'

/** The conditions of a status. Pure. */

/** The summary of a status. `isRunning`: whether a run may be active on the node. */
export type Summary = { state: State; reason: Reason; message: string; isRunning?: boolean }

/** Returns the status with this summary: `state`, and the conditions Ready and Progressing. All other conditions are dropped. */
export function withReadyCondition(status: NodeConfigStatus, summary: Summary, snapshot: Snapshot): NodeConfigStatus {
	const { state, reason, isRunning = false } = summary
	const message = cleanMessage(summary.message)
	const progress = isRunning ? { status: 'True' as const, message } : { status: 'False' as const, message: 'no run is in progress' }
	return {
		...status,
		state,
		conditions: [
			conditionNow(snapshot, { type: 'Ready', status: state === 'Configured' ? 'True' : 'False', reason, message }),
			conditionNow(snapshot, { type: 'Progressing', reason, ...progress }),
		],
	}
}

const persistenceReasons = { True: 'Persistent', False: 'NotPersistent', Unknown: 'PersistenceUnknown' } as const satisfies Record<
	string,
	Reason
>

/** Returns the condition Persistent: whether a reboot restores the configuration, as far as the run could verify it. */
export function persistence(snapshot: Snapshot, { persistent: { status, message } }: Report): Condition {
	return conditionNow(snapshot, { type: 'Persistent', status, reason: persistenceReasons[status], message: cleanMessage(message) })
}

/**
 * Returns the condition Drifted: whether the node differs from the result of the last run. If this is unknown, the reason is that of the
 * verification.
 */
export function drift(
	snapshot: Snapshot,
	{ status, reason, message }: Pick<Condition, 'status' | 'message'> & { reason: Reason },
): Condition {
	return conditionNow(snapshot, { type: 'Drifted', status, reason, message: cleanMessage(message) })
}

/** Cleans and truncates a message, which may quote the kubelet. */
function cleanMessage(message: string): string {
	return cut(clean(message))
}

/** The transition time is when the status of the condition last changed, not when it was last checked. */
function conditionNow({ config, now }: Snapshot, wanted: Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>): Condition {
	const before = condition(config.status, wanted.type)
	const lastTransitionTime = before?.status === wanted.status ? before.lastTransitionTime : timestamp(now)
	return { ...wanted, lastTransitionTime, observedGeneration: config.generation }
}
