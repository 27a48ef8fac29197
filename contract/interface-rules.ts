import { contains, isNetworkOrBroadcast, isSameIp, parseCidr } from './ip.ts'
import { interfaceName } from './names.ts'

/** What the rules read of an interface. */
type Nic = {
	id?: number | undefined
	name?: string | undefined
	address?: string | undefined
	cidr?: string | undefined
	addresses?: readonly string[] | undefined
	gateway?: string | undefined
	routes?: readonly { to: string; via?: string | undefined }[] | undefined
	policyRouting?: boolean | undefined
	connectedRoute?: boolean | undefined
}

/**
 * One rule over several fields. `cel` says the same to the API server, which evaluates it again at every write of a status: each field that it
 * reads costs there, so it reads each once. A rule without it costs too much there, and holds at every other door.
 */
type InterfaceRule = { field: keyof Nic; message: string; cel?: string; holds: (nic: Nic) => boolean }

export const notForHosts = 'must not be the network or broadcast address of its network'

/** The rules of one interface, with the field that each message names. */
export const interfaceRules: readonly InterfaceRule[] = [
	{
		field: 'name',
		message: "name must be 'multinic' followed by id",
		cel: "!has(self.name) || !has(self.id) || self.name == 'multinic%d'.format([self.id])",
		holds: ({ name, id }) => name === undefined || id === undefined || name === interfaceName(id),
	},
	{
		field: 'address',
		message: 'address must be an IP address inside cidr, which must be given with it, and not its network or broadcast address',
		cel: `!has(self.address) || [self.address].all(a, [self.?cidr.orValue('')].all(c, ${[
			'isIP(a) && isCIDR(c) && cidr(c).containsIP(a)',
			`(${isForHosts('c', 'a')})`,
		].join(' && ')}))`,
		holds: ({ address, cidr = '' }) =>
			address === undefined || (contains(cidr, address) && !isNetworkOrBroadcast(`${address}/${parseCidr(cidr)?.length}`)),
	},
	{
		field: 'gateway',
		message: 'gateway must be of a family (IPv4 or IPv6) in which the interface has an address, and not one of these addresses',
		// Another spelling of an IPv6 address passes here and at no other door.
		cel: `!has(self.gateway) || [self.gateway].all(g, [[self.?address.orValue('-')] + self.?addresses.orValue([])].all(own, ${[
			"own.exists(x, x != '-' && x.contains(':') == g.contains(':'))",
			"!own.exists(x, x == g || x.startsWith(g + '/'))",
		].join(' && ')}))`,
		holds: nic => nic.gateway === undefined || (hasFamily(nic, nic.gateway) && !hasAddress(nic, nic.gateway)),
	},
	{
		field: 'routes',
		message: 'the next hop (via) of a route must not be an address of the interface itself',
		holds: nic => !nic.routes?.some(({ via }) => via !== undefined && hasAddress(nic, via)),
	},
	{
		field: 'connectedRoute',
		message: 'connectedRoute and policyRouting must not both be false: the network would be in no table',
		cel: '!has(self.connectedRoute) || self.connectedRoute || !has(self.policyRouting) || self.policyRouting',
		holds: ({ connectedRoute, policyRouting }) => connectedRoute !== false || policyRouting !== false,
	},
]

/**
 * CEL, of a cidr and an address in it: the address is not that of the network. Compared as the one address of a network, because the cost of
 * `==` has no bound. The broadcast address takes arithmetic, and so is refused at the other doors.
 */
export function isForHosts(cidr: string, address: string): string {
	const alone = `cidr(${address} + (${address}.contains(':') ? '/128' : '/32'))`
	return `cidr(${cidr}).prefixLength() >= (${cidr}.contains(':') ? 127 : 31) || !${alone}.containsIP(cidr(${cidr}).masked().ip())`
}

function textsOf({ address, addresses = [] }: Nic): string[] {
	return [...(address === undefined ? [] : [address]), ...addresses]
}

function hasAddress(nic: Nic, ip: string): boolean {
	return textsOf(nic).some(text => isSameIp(text.replace(/\/.*$/, ''), ip))
}

function hasFamily(nic: Nic, ip: string): boolean {
	return textsOf(nic).some(text => text.includes(':') === ip.includes(':'))
}
