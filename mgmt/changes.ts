import { meanTheSame } from '../contract/canonical.ts'
import type { NodeConfigRequest, NodeConfigView, Owner } from '../contract/viola-api.ts'
import type { Server } from './openstack/nova.ts'
import { isNamed, type Vm } from './resolve.ts'

/**
 * Returns the desired nodes that differ from the current node configs. A node without a node config is skipped if it needs no interfaces.
 *
 * @param others uids of the other OpenstackConfigs
 */
export function toSend(
	wanted: readonly NodeConfigRequest[],
	inForce: ReadonlyMap<string, NodeConfigView>,
	others: ReadonlySet<string>,
): NodeConfigRequest[] {
	return wanted.filter(node => {
		const now = inForce.get(node.nodeName)
		if (!now) return node.interfaces.length > 0
		return now.instanceId !== node.instanceId || !meanTheSame(now.interfaces, node.interfaces) || needsOwner(now, node.owner, others)
	})
}

/**
 * Whether a node config must be sent so that its owner becomes known. The owner that viola shows is not replaced while that OpenstackConfig
 * exists: otherwise two of them would replace each other in turns. A viola of an earlier version stores no owner, and shows no
 * resourceVersion.
 */
function needsOwner(now: NodeConfigView, owner: Owner | undefined, others: ReadonlySet<string>): boolean {
	if (!owner || now.resourceVersion === '' || now.deleting) return false
	return now.owner === undefined || (now.owner.uid !== owner.uid && !others.has(now.owner.uid))
}

/**
 * Returns the desired nodes with an interface whose port is not in force on them. Only for these can the ids in the inventory make a
 * difference.
 */
export function withNewPorts(wanted: readonly NodeConfigRequest[], inForce: ReadonlyMap<string, NodeConfigView>): string[] {
	const isNew = ({ nodeName, interfaces }: NodeConfigRequest) => {
		const known = new Set(inForce.get(nodeName)?.interfaces.map(({ portId }) => portId))
		return interfaces.some(({ portId }) => !known.has(portId))
	}
	return wanted.filter(isNew).map(({ nodeName }) => nodeName)
}

export type Standing = {
	/** Nodes that this OpenstackConfig sent before and that are no longer desired. */
	unwanted: readonly string[]
	inForce: ReadonlyMap<string, NodeConfigView>
	/** Every server that Nova lists, including those of the nodes that are no longer desired, which are requested by id. */
	servers: readonly Server[]
	refs: readonly string[]
	vms: readonly Vm[]
}

/**
 * Decides which nodes are withdrawn, and which are kept because there is no proof that they may be withdrawn.
 *
 * There are three kinds of proof: the VM exists and is no longer named; the VM exists under another node name; Nova returns 404 for its id
 * while it lists other VMs that are named. If Nova lists none of these, it is more likely that the project is wrong than that all VMs were
 * deleted.
 */
export function toWithdraw(standing: Standing): { withdraw: string[]; kept: string[] } {
	const left = standing.unwanted.filter(nodeName => standing.inForce.has(nodeName))
	const withdraw = left.filter(nodeName => isProven(standing.inForce.get(nodeName)?.instanceId, standing))
	return { withdraw, kept: left.filter(nodeName => !withdraw.includes(nodeName)) }
}

function isProven(instanceId: string | undefined, { servers, refs, vms }: Standing): boolean {
	if (!instanceId) return false
	if (vms.some(vm => vm.instanceId === instanceId)) return true
	const server = servers.find(({ id }) => id === instanceId)
	if (!server) return vms.length > 0
	return server.name !== undefined && !isNamed(server, refs)
}
