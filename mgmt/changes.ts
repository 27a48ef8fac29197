import { meanTheSame } from '../contract/canonical.ts'
import type { NodeConfigRequest, NodeConfigView } from '../contract/viola-api.ts'
import type { Server } from './openstack/nova.ts'
import { isNamed, type Vm } from './resolve.ts'

/**
 * Returns the desired nodes that differ from the current node configs. A node without a node config is skipped if it needs no interfaces.
 */
export function toSend(wanted: readonly NodeConfigRequest[], inForce: ReadonlyMap<string, NodeConfigView>): NodeConfigRequest[] {
	return wanted.filter(node => {
		const now = inForce.get(node.nodeName)
		if (!now) return node.interfaces.length > 0
		return now.instanceId !== node.instanceId || !meanTheSame(now.interfaces, node.interfaces)
	})
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
