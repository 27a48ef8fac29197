import type { Decision } from '../model/decision.ts'
import { setStatusOnce } from './set-status-once.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { pendingStatus } from '../status/build-status.ts'

/** Whether a node is still the VM that its node config names. Pure. */

/**
 * Starts no run if the node with this name is another VM: the NICs of the node config are not on it, and an earlier status does not
 * describe it.
 */
export function whenNodeReplaced(snapshot: Snapshot): Decision | undefined {
	if (!isReplaced(snapshot)) return undefined
	const { node, config } = snapshot
	const message = `Node ${config.name} is VM ${node?.systemUUID}, not spec.instanceId. The run starts when they match.`
	return setStatusOnce(snapshot, 'NodeReplaced', pendingStatus(snapshot, 'NodeReplaced', message))
}

/** Whether both ids are known, can be compared, and differ. */
export function isReplaced({ node, spec, settings }: Snapshot): boolean {
	const instanceId = 'value' in spec ? spec.value.instanceId : undefined
	if (!settings.checkInstanceId || !instanceId || !node?.systemUUID) return false
	return !isSameMachine(node.systemUUID, instanceId)
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Nova uses the id of a VM as its firmware UUID, which the kubelet reports as `systemUUID`. Ids that are not UUIDs cannot be compared and
 * are treated as equal. With firmware older than SMBIOS 2.6, the kernel reports the first three groups with reversed bytes.
 */
export function isSameMachine(systemUUID: string, instanceId: string): boolean {
	const [machine, instance] = [systemUUID.toLowerCase(), instanceId.toLowerCase()]
	if (!uuid.test(machine) || !uuid.test(instance)) return true
	return machine === instance || machine === withReversedBytes(instance)
}

function withReversedBytes(id: string): string {
	const backwards = (group: string) => Buffer.from(group, 'hex').reverse().toString('hex')
	return id
		.split('-')
		.map((group, index) => (index < 3 ? backwards(group) : group))
		.join('-')
}
