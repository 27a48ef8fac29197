import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { condition, isCurrent } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Writes the status of a wait, unless the status already reports it. Only another change can end such a wait. */
export function setStatusOnce(
	snapshot: Snapshot,
	why: string,
	status: NodeConfigStatus,
	eventKey?: string,
): Extract<Decision, { act: 'nothing' | 'setStatus' }> {
	const { config, specHash } = snapshot
	const before = condition(config.status, 'Ready')
	const same =
		before?.reason === why &&
		before.message === condition(status, 'Ready')?.message &&
		isCurrent(config) &&
		config.status.observedSpecHash === specHash &&
		config.status.state === status.state
	return same ? { act: 'nothing', why } : { act: 'setStatus', why, status, result: false, eventKey }
}
