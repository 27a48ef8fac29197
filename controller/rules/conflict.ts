import type { Decision } from '../model/decision.ts'
import { setStatusOnce } from './set-status-once.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { pendingStatus } from '../status/build-status.ts'

/**
 * Starts no run while another node config with the same claim takes precedence: the node would take the address from the other node. The
 * conflict is resolved when one of the two drops the claim.
 */
export function whenInConflict(snapshot: Snapshot): Decision | undefined {
	const { conflict, config } = snapshot
	if (!conflict || config.deleting || !('value' in snapshot.spec) || snapshot.spec.value.mode === 'Plan') return undefined
	const message = `${conflict.what} is already used by node config ${conflict.name}. The run starts when one of the two no longer uses it.`
	const eventKey = `${config.name}.${config.uid.slice(0, 8)}.conflict-g${config.generation}`
	return setStatusOnce(snapshot, 'Conflict', pendingStatus(snapshot, 'Conflict', message), eventKey)
}
