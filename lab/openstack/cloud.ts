import { randomInt, randomUUID } from 'node:crypto'
import { contains, parseCidr, parseIp } from '../../contract/ip.ts'

/** The content of the lab's OpenStack. A port without a server has `serverId: ''`, as in Neutron after a detach. */
export type Cloud = { networks: Network[]; subnets: Subnet[]; servers: Server[]; ports: Port[] }
export type Network = { id: string; name: string; mtu: number; createdAt: string }
export type Subnet = { id: string; name: string; networkId: string; cidr: string; gateway?: string; createdAt: string }
export type Server = { id: string; name: string; metadata: Record<string, string>; createdAt: string }
export type FixedIp = { subnetId: string; address: string }
export type Port = {
	id: string
	name: string
	networkId: string
	mac: string
	status: string
	serverId: string
	fixedIps: FixedIp[]
	createdAt: string
	updatedAt: string
	revision: number
}

/** A network and its only subnet. The subnet has the same name unless another is given. */
export type NetworkInput = {
	name: string
	cidr: string
	mtu?: number
	gateway?: string
	subnetName?: string
	id?: string
	subnetId?: string
}
export type ServerInput = { name: string; id?: string; metadata?: Record<string, string> }
/** `server` and `network` are names or ids. Omitted values are generated as in Neutron: a MAC, the next free address. */
export type AttachInput = { server: string; network: string; mac?: string; address?: string; status?: string; name?: string }

/** Creates a cloud with these networks and servers, and no ports. */
export function createCloud(networks: readonly NetworkInput[], servers: readonly ServerInput[]): Cloud {
	const cloud: Cloud = { networks: [], subnets: [], servers: [], ports: [] }
	for (const input of networks) addNetwork(cloud, input)
	for (const input of servers) addServer(cloud, input)
	return cloud
}

/** @returns the new network, which contains the subnet */
export function addNetwork(cloud: Cloud, input: NetworkInput): Network {
	const createdAt = now()
	const network = { id: input.id ?? randomUUID(), name: input.name, mtu: input.mtu ?? 1450, createdAt }
	const subnet = {
		id: input.subnetId ?? randomUUID(),
		name: input.subnetName ?? input.name,
		networkId: network.id,
		cidr: input.cidr,
		createdAt,
	}
	cloud.networks.push(network)
	cloud.subnets.push({ ...subnet, ...(input.gateway !== undefined && { gateway: input.gateway }) })
	return network
}

/** Adds a server, which has no ports yet. */
export function addServer(cloud: Cloud, { name, id = randomUUID(), metadata = {} }: ServerInput): Server {
	const server = { id, name, metadata, createdAt: now() }
	cloud.servers.push(server)
	return server
}

/** Deletes a server as Nova does: its user-created ports are unbound but remain. */
export function deleteServer(cloud: Cloud, nameOrId: string): void {
	const server = find(cloud.servers, nameOrId, 'server')
	cloud.servers.splice(cloud.servers.indexOf(server), 1)
	for (const port of cloud.ports.filter(({ serverId }) => serverId === server.id)) detach(cloud, port.id)
}

/** Creates a port on the network and attaches it to the server. */
export function attach(cloud: Cloud, input: AttachInput): Port {
	const server = find(cloud.servers, input.server, 'server')
	const network = find(cloud.networks, input.network, 'network')
	const subnet = cloud.subnets.find(({ networkId }) => networkId === network.id)
	if (!subnet) throw new Error(`network ${network.name} has no subnet`)
	const port = {
		id: randomUUID(),
		name: input.name ?? '',
		networkId: network.id,
		mac: input.mac?.toLowerCase() ?? newMac(cloud),
		status: input.status ?? 'ACTIVE',
		serverId: server.id,
		fixedIps: [{ subnetId: subnet.id, address: input.address ?? freeAddress(cloud, subnet) }],
		createdAt: now(),
		updatedAt: now(),
		revision: 1,
	}
	cloud.ports.push(port)
	return port
}

/** Detaches the port from its server. The port remains in Neutron, with the status DOWN and without a device. */
export function detach(cloud: Cloud, portId: string): Port {
	const port = cloud.ports.find(({ id }) => id === portId)
	if (!port) throw new Error(`there is no port ${portId}`)
	return Object.assign(port, { serverId: '', status: 'DOWN', updatedAt: now(), revision: port.revision + 1 })
}

/** @returns the only item with this id or name @throws Error if there is none, listing the existing names, or more than one */
export function find<T extends { id: string; name: string }>(items: readonly T[], nameOrId: string, what: string): T {
	const [found, second] = items.filter(({ id, name }) => id === nameOrId || name === nameOrId)
	if (!found) throw new Error(`there is no ${what} ${nameOrId}; there are: ${items.map(({ name }) => name).join(', ')}`)
	if (second) throw new Error(`more than one ${what} has the name ${nameOrId}; use its id`)
	return found
}

function newMac({ ports }: Cloud): string {
	const tail = Array.from({ length: 3 }, () => randomInt(256).toString(16).padStart(2, '0'))
	const mac = ['fa', '16', '3e', ...tail].join(':')
	return ports.some(port => port.mac === mac) ? newMac({ ports } as Cloud) : mac
}

/** Returns the lowest free IPv4 address of the subnet, starting at .10 so that users can choose the addresses below. */
function freeAddress({ ports }: Cloud, { cidr, gateway, id }: Subnet): string {
	const network = parseCidr(cidr)
	if (network?.family !== 4) throw new Error(`specify an address: addresses are generated only for IPv4, and the subnet is ${cidr}`)
	const taken = new Set(ports.flatMap(port => port.fixedIps.filter(({ subnetId }) => subnetId === id).map(({ address }) => address)))
	const first = (network.value >> BigInt(32 - network.length)) << BigInt(32 - network.length)
	for (let host = first + 10n; contains(cidr, dotted(host + 1n)); host++)
		if (!taken.has(dotted(host)) && host !== parseIp(gateway ?? '')?.value) return dotted(host)
	throw new Error(`no address of ${cidr} is free`)
}

function dotted(value: bigint): string {
	return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')
}

/** Returns the current time in whole seconds, as OpenStack does. */
function now(): string {
	return new Date().toISOString().replace(/\.\d+Z$/, 'Z')
}
