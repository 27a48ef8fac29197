import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { condition, isCurrent } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Writes the status of a wait that only another change can end, once. */
export function say(
	snapshot: Snapshot,
	why: string,
	status: NodeConfigStatus,
	moment?: string,
): Extract<Decision, { act: 'nothing' | 'settle' }> {
	const { config, specHash } = snapshot
	const said = condition(config.status, 'Ready')
	const same =
		said?.reason === why &&
		said.message === condition(status, 'Ready')?.message &&
		isCurrent(config) &&
		config.status.observedSpecHash === specHash &&
		config.status.state === status.state
	return same ? { act: 'nothing', why } : { act: 'settle', why, status, result: false, moment }
}
