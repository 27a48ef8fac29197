import { compareFirst, type FirstKeys } from './naming.ts'
import type { Port, Subnet } from './openstack/neutron.ts'

/** A port that becomes an interface, and the subnet for which it was selected. */
export type SelectedPort = { port: Port; subnet: Subnet; address: string; addresses: string[] }

export type Selection = {
	/** In the order of the OpenstackConfig: a port is used with the first subnet in which it has an address. */
	subnets: readonly Subnet[]
	/** Upper case; undefined to allow every status. */
	statuses: ReadonlySet<string> | undefined
	/**
	 * Ports that are already interfaces. They are kept, regardless of their status, while they are attached: a port that is being rebuilt for
	 * a moment still exists.
	 */
	inForce: ReadonlySet<string>
}

/** Returns the ports of one VM that become interfaces, sorted by subnet, time of creation and id, so that the ids of new NICs do not depend on the order of Neutron's response. */
export function selectPorts(ports: readonly Port[], instanceId: string, selection: Selection): SelectedPort[] {
	const { subnets } = selection
	return ports
		.filter(port => port.device_id === instanceId && statusAllows(port, selection))
		.flatMap(port => inSubnet(port, subnets))
		.toSorted((a, b) => compareFirst(keysOf(a, subnets), keysOf(b, subnets)))
}

/** Returns the ids of the ports in these subnets that are DOWN, whether or not they are already interfaces. */
export function downPorts(ports: readonly Port[], subnets: readonly Subnet[]): string[] {
	return ports.filter(port => port.status.toUpperCase() === 'DOWN' && inSubnet(port, subnets).length > 0).map(({ id }) => id)
}

function statusAllows({ id, status }: Port, { statuses, inForce }: Selection): boolean {
	return statuses === undefined || status === '' || statuses.has(status.toUpperCase()) || inForce.has(id)
}

function inSubnet(port: Port, subnets: readonly Subnet[]): SelectedPort[] {
	const subnet = subnets.find(({ id, network_id }) => network_id === port.network_id && port.fixed_ips.some(ip => ip.subnet_id === id))
	const first = port.fixed_ips.find(({ subnet_id }) => subnet_id === subnet?.id)
	if (!subnet || !first) return []
	const others = port.fixed_ips.filter(ip => ip !== first).flatMap(ip => withPrefix(ip, subnets))
	return [{ port, subnet, address: first.ip_address, addresses: others }]
}

/**
 * Adds the prefix length to an address. A SLAAC address is omitted: Neutron predicts the address that the guest generates, so it must not
 * be configured.
 */
function withPrefix({ subnet_id, ip_address }: Port['fixed_ips'][number], subnets: readonly Subnet[]): string[] {
	const subnet = subnets.find(({ id }) => id === subnet_id)
	if (!subnet || subnet.ipv6_address_mode === 'slaac') return []
	return [`${ip_address}/${subnet.cidr.split('/')[1]}`]
}

function keysOf({ port, subnet }: SelectedPort, subnets: readonly Subnet[]): FirstKeys {
	return { subnet: subnets.indexOf(subnet), createdAt: port.created_at ?? undefined, portId: port.id }
}
