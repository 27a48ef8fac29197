import { clean } from '../contract/clean.ts'
import { type Condition, cut } from '../contract/conditions.ts'
import type { NodeConfigStatus, State } from '../contract/node-config.ts'
import type { Reason } from '../contract/reasons.ts'
import type { Report } from './read-report.ts'
import { condition } from './runs.ts'
import type { Snapshot } from './snapshot.ts'
import { timestamp } from './text.ts'

/** The conditions of a status. Pure. */

/** What a status says as a whole; `underWay`: a run may be on the node. */
export type Said = { state: State; reason: Reason; message: string; underWay?: boolean }

/** The status, saying this: `state`, and the conditions Ready and Progressing. */
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

/** Whether the node would be the same after a reboot, as far as the run could prove it. */
export function persistence(snapshot: Snapshot, { persistent: { status, message } }: Report): Condition {
	return conditionNow(snapshot, { type: 'Persistent', status, reason: persistenceReasons[status], message: wordsOf(message) })
}

/** Whether the node still is as it was left; where that is not known, the reason is that of the look. */
export function drift(
	snapshot: Snapshot,
	{ status, reason, message }: Pick<Condition, 'status' | 'message'> & { reason: Reason },
): Condition {
	return conditionNow(snapshot, { type: 'Drifted', status, reason, message: wordsOf(message) })
}

/** What a kubelet said is among the words of some. */
function wordsOf(message: string): string {
	return cut(clean(message))
}

/** The time of a condition is when its status changed, not when it was last looked at. */
function conditionNow({ config, now }: Snapshot, said: Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>): Condition {
	const before = condition(config.status, said.type)
	const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : timestamp(now)
	return { ...said, lastTransitionTime, observedGeneration: config.generation }
}
