import { type Interface, settle } from '../contract/interface.ts'
import { NODES_MAX } from '../contract/openstack-config.ts'
import { isSameIp } from '../contract/ip.ts'
import { interfaceName, MAX_INTERFACES } from '../contract/names.ts'
import type { NodeConfigRequest, NodeConfigView, Owner } from '../contract/viola-api.ts'
import { toSend, toWithdraw } from './changes.ts'
import { nameInterfaces } from './naming.ts'
import type { Network, Port, Subnet } from './openstack/neutron.ts'
import type { Server } from './openstack/nova.ts'
import { type Fault, resolveVms, type Vm } from './resolve.ts'
import { downPorts, type SelectedPort, selectPorts } from './select-ports.ts'
import type { Settings } from './model/settings.ts'

/** Everything that one decision depends on. It is always complete: if a read fails, there is no World. */
export type World = {
	settings: Settings
	servers: readonly Server[]
	subnets: readonly Subnet[]
	networks: readonly Network[]
	ports: readonly Port[]
	/** Node name → the node config in the biz cluster. */
	inForce: ReadonlyMap<string, NodeConfigView>
	/** Nodes that this OpenstackConfig sent before. */
	before: readonly string[]
	/** Node name → the older OpenstackConfig that owns it. */
	claims: ReadonlyMap<string, string>
	/** This OpenstackConfig. */
	owner: Owner
	/** Uids of the other OpenstackConfigs. */
	others: ReadonlySet<string>
	/** Node name → port id → interface id in the inventory. Nodes that need none of these ids may be missing. */
	remembered: ReadonlyMap<string, ReadonlyMap<string, number>>
}

export type Plan = {
	/** All nodes in their desired state. */
	wanted: NodeConfigRequest[]
	/** The desired nodes that are not yet in that state. */
	send: NodeConfigRequest[]
	withdraw: string[]
	/** Nodes that are no longer desired but are kept, because it is not proven that they are no longer needed. */
	kept: string[]
	/** Ids of ports that are DOWN, which may soon change. */
	down: string[]
	faults: Fault[]
}

/** Decides what is sent to the biz cluster. Pure: same world, same plan. */
export function planNodes(world: World): Plan {
	const { settings, servers, claims, inForce, before } = world
	const { vms, faults } = resolveVms({ refs: settings.vms, servers, nodeNameKey: settings.nodeNameKey, claims })
	const unwanted = before.filter(name => !claims.has(name) && !vms.some(({ nodeName }) => nodeName === name))
	const { withdraw, kept } = toWithdraw({ unwanted, inForce, servers, refs: settings.vms, vms })
	const { listed, tooMany } = withinStatus(vms, before, NODES_MAX - withdraw.length - kept.length)
	const nodes = listed.map(vm => nodeOf(vm, world))
	const wanted = nodes.map(({ node }) => node)
	const down = downPorts(world.ports, world.subnets)
	const all = [...faults, ...tooMany, ...nodes.flatMap(({ fault }) => fault ?? [])]
	return { wanted, send: toSend(wanted, inForce, world.others), withdraw, kept, down, faults: all }
}

/**
 * Limits the nodes to those that the status can list. A node that is not listed must not be sent, because mgmt could not determine later
 * that it has to withdraw it. Nodes that the status already lists come first.
 */
function withinStatus(vms: readonly Vm[], before: readonly string[], room: number): { listed: Vm[]; tooMany: Fault[] } {
	if (vms.length <= room) return { listed: [...vms], tooMany: [] }
	const known = new Set(before)
	const inLine = vms.toSorted((a, b) => Number(known.has(b.nodeName)) - Number(known.has(a.nodeName)))
	return { listed: inLine.slice(0, room), tooMany: inLine.slice(room).map(oneTooMany) }
}

function oneTooMany({ nodeName }: Vm): Fault {
	const message = `node ${nodeName} is not sent until other nodes are removed from the status, which is limited to ${NODES_MAX} nodes`
	return { reason: 'ConfigError', nodeName, message }
}

function nodeOf({ instanceId, nodeName }: Vm, world: World): { node: NodeConfigRequest; fault?: Fault } {
	const known = settle(world.inForce.get(nodeName)?.interfaces ?? [])
	const inForce = new Set(known.flatMap(({ portId }) => portId ?? []))
	const ports = selectPorts(world.ports, instanceId, { subnets: world.subnets, statuses: world.settings.statuses, inForce })
	const ids = nameInterfaces(
		ports.map(({ port }) => ({ id: port.id, mac: port.mac_address })),
		known,
		world.remembered.get(nodeName),
	)
	const interfaces = ports.flatMap(selected => {
		const id = ids.get(selected.port.id)
		return id === undefined ? [] : [interfaceOf(selected, id, world.networks)]
	})
	const node = { nodeName, instanceId, interfaces: interfaces.toSorted((a, b) => a.id - b.id), owner: world.owner }
	if (ports.length <= MAX_INTERFACES) return { node }
	const message = `VM of node ${nodeName} has ${ports.length} ports in the subnets; ${ports.length - MAX_INTERFACES} of them were ignored`
	return { node, fault: { reason: 'TooManyPorts', nodeName, message } }
}

function interfaceOf(
	{ port, subnet, address, addresses }: SelectedPort,
	id: number,
	networks: readonly Network[],
): Interface & { id: number } {
	const mtu = networks.find(network => network.id === port.network_id)?.mtu
	return {
		id,
		name: interfaceName(id),
		portId: port.id,
		networkId: port.network_id,
		subnetId: subnet.id,
		macAddress: port.mac_address,
		address,
		cidr: subnet.cidr,
		...(mtu !== undefined && { mtu }),
		...gatewayOf(subnet, [address, ...addresses]),
		...(addresses.length > 0 && { addresses }),
	}
}

/**
 * Returns the gateway of the subnet. Returns none if the port itself is the gateway, for example of a VM that is a router: an interface is
 * not its own next hop.
 */
function gatewayOf({ gateway_ip }: Subnet, own: readonly string[]): { gateway?: string } {
	if (!gateway_ip || own.some(cidr => isSameIp(cidr.replace(/\/.*$/, ''), gateway_ip))) return {}
	return { gateway: gateway_ip }
}
