import { clean } from '../../contract/clean.ts'
import { type Condition, cut } from '../../contract/conditions.ts'
import type { NodeConfigStatus, State } from '../../contract/node-config.ts'
import type { Reason } from '../../contract/reasons.ts'
import { condition } from '../../contract/status.ts'
import type { Report } from '../model/report.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { timestamp } from '../model/format.ts'

/** The conditions of a status. Pure. */

/** The summary of a status; `underWay`: a run may be on the node. */
export type Said = { state: State; reason: Reason; message: string; underWay?: boolean }

/** Returns the status with this summary: `state`, and the conditions Ready and Progressing. */
export function saying(status: NodeConfigStatus, said: Said, snapshot: Snapshot): NodeConfigStatus {
	const { state, reason, underWay = false } = said
	const message = wordsOf(said.message)
	const progress = underWay ? { status: 'True' as const, message } : { status: 'False' as const, message: 'no run is in progress' }
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
	return conditionNow(snapshot, { type: 'Persistent', status, reason: persistenceReasons[status], message: wordsOf(message) })
}

/** Returns the condition Drifted: whether the node still matches the last run; if unknown, the reason is that of the verification. */
export function drift(
	snapshot: Snapshot,
	{ status, reason, message }: Pick<Condition, 'status' | 'message'> & { reason: Reason },
): Condition {
	return conditionNow(snapshot, { type: 'Drifted', status, reason, message: wordsOf(message) })
}

/** Cleans and cuts a message, which may quote the kubelet. */
function wordsOf(message: string): string {
	return cut(clean(message))
}

/** The transition time is when the status of the condition changed, not when it was last checked. */
function conditionNow({ config, now }: Snapshot, said: Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>): Condition {
	const before = condition(config.status, said.type)
	const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : timestamp(now)
	return { ...said, lastTransitionTime, observedGeneration: config.generation }
}
