import { contains, isNetworkOrBroadcast, isSameIp, parseCidr } from './ip.ts'
import { interfaceName } from './names.ts'

/** The fields of an interface that the rules read. */
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
 * A rule about several fields. `cel` is the same rule for the API server, which evaluates it again at every status write. Each read of a
 * field has a CEL cost, so a rule reads each field once. A rule without `cel` would cost too much there; it is checked everywhere else.
 */
type InterfaceRule = { field: keyof Nic; message: string; cel?: string; holds: (nic: Nic) => boolean }

export const notForHosts = 'must not be the network or broadcast address of its network'

/** The rules of one interface. `field` is the field to which a violation is attributed. */
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
			`(${celForHostAddress('c', 'a')})`,
		].join(' && ')}))`,
		holds: ({ address, cidr = '' }) =>
			address === undefined || (contains(cidr, address) && !isNetworkOrBroadcast(`${address}/${parseCidr(cidr)?.length}`)),
	},
	{
		field: 'gateway',
		message: 'gateway must be of a family (IPv4 or IPv6) in which the interface has an address, and not one of these addresses',
		// CEL accepts another notation of the same IPv6 address; all other checks reject it.
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
 * Returns CEL that checks that an address in a CIDR is not the network address. It uses containsIP with a network of one address, because
 * the cost of `==` is unbounded. The broadcast address would need arithmetic, so only the other checks reject it.
 */
export function celForHostAddress(cidr: string, address: string): string {
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
