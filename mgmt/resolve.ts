import { NodeName } from '../contract/primitives.ts'
import type { MgmtReason } from './model/failures.ts'
import type { Server } from './openstack/nova.ts'

/** A VM that the OpenstackConfig names, and its Kubernetes node. */
export type Vm = { instanceId: string; nodeName: string }
/** A problem that prevents the desired state of one VM or node, but does not affect the others. */
export type Fault = { reason: MgmtReason; nodeName?: string; message: string }

export type Question = {
	/** Names or ids, as in the OpenstackConfig. */
	refs: readonly string[]
	servers: readonly Server[]
	/** Metadata key whose value is the node's name; if it is empty or missing on a server, the server's name is used. */
	nodeNameKey: string
	/** Node name → the older OpenstackConfig that already owns it. */
	claims: ReadonlyMap<string, string>
}

/**
 * Resolves the VMs and their nodes. A VM that cannot be identified for certain is a fault; a node is never named after the id of its VM.
 */
export function resolveVms(question: Question): { vms: Vm[]; faults: Fault[] } {
	const found = question.refs.map(ref => resolveOne(ref, question))
	const faults = found.filter(it => 'reason' in it)
	const once = [...new Map(found.filter(it => 'instanceId' in it).map(vm => [vm.instanceId, vm])).values()]
	const byNode = Map.groupBy(once, ({ nodeName }) => nodeName)
	const vms = once.filter(({ nodeName }) => byNode.get(nodeName)?.length === 1)
	const doubled = [...byNode].filter(([, claimants]) => claimants.length > 1).map(([nodeName, claimants]) => twice(nodeName, claimants))
	return { vms, faults: [...faults, ...doubled] }
}

/** Returns whether the OpenstackConfig names this server. */
export function isNamed({ id, name }: Server, refs: readonly string[]): boolean {
	return refs.includes(id) || (name !== undefined && refs.includes(name))
}

function resolveOne(ref: string, { servers, nodeNameKey, claims }: Question): Vm | Fault {
	const byId = servers.filter(({ id }) => id === ref)
	const [server, second] = byId.length > 0 ? byId : servers.filter(({ name }) => name === ref)
	if (second) return { reason: 'VmNotUnique', message: `more than one VM has the name ${ref}` }
	if (!server) return absent(ref, servers)
	const { metadata = {} } = server
	// the author chooses the key: a plain lookup would also find inherited properties
	const name = Object.hasOwn(metadata, nodeNameKey) ? metadata[nodeNameKey] : server.name
	if (name === undefined) return { reason: 'NovaError', message: `Nova cannot report the name of VM ${ref} (its cell is down)` }
	const node = NodeName.safeParse(name.toLowerCase())
	if (!node.success)
		return { reason: 'NodeNameInvalid', message: `VM ${ref} has the name ${name}, which is not a valid Kubernetes node name` }
	const owner = claims.get(node.data)
	if (owner !== undefined)
		return { reason: 'Conflict', nodeName: node.data, message: `node ${node.data} belongs to OpenstackConfig ${owner}, which is older` }
	return { instanceId: server.id, nodeName: node.data }
}

function absent(ref: string, servers: readonly Server[]): Fault {
	const hidden = servers.some(({ name }) => name === undefined)
	if (hidden) return { reason: 'NovaError', message: `Nova cannot report whether VM ${ref} exists (a cell is down)` }
	return { reason: 'VmNotFound', message: `Nova lists no VM ${ref} in this project` }
}

function twice(nodeName: string, claimants: readonly Vm[]): Fault {
	const ids = claimants.map(({ instanceId }) => instanceId).join(' and ')
	return { reason: 'Conflict', nodeName, message: `VMs ${ids} both claim to be node ${nodeName}` }
}
