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

/** One rule over several fields. `cel` says the same to the API server; a rule without it costs too much there, and holds at every other door. */
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
		message: 'address must be an IP address inside cidr, which must be given with it',
		cel: '!has(self.address) || (isIP(self.address) && has(self.cidr) && isCIDR(self.cidr) && cidr(self.cidr).containsIP(self.address))',
		holds: ({ address, cidr }) => address === undefined || (cidr !== undefined && contains(cidr, address)),
	},
	{
		field: 'address',
		message: `address ${notForHosts}`,
		cel: `!has(self.address) || !has(self.cidr) || !isIP(self.address) || !isCIDR(self.cidr) || ${isForHosts('self.cidr', 'ip(self.address)')}`,
		holds: ({ address, cidr = '' }) => address === undefined || !isNetworkOrBroadcast(`${address}/${parseCidr(cidr)?.length}`),
	},
	{
		field: 'gateway',
		message: 'gateway must not be an address of the interface itself',
		cel: `!has(self.gateway) || !isIP(self.gateway) || (${[
			'(!has(self.address) || !isIP(self.address) || ip(self.address) != ip(self.gateway))',
			'(!has(self.addresses) || !self.addresses.exists(x, isCIDR(x) && cidr(x).ip() == ip(self.gateway)))',
		].join(' && ')})`,
		holds: nic => nic.gateway === undefined || !hasAddress(nic, nic.gateway),
	},
	{
		field: 'gateway',
		message: 'gateway must be of a family (IPv4 or IPv6) in which the interface has an address',
		cel: `!has(self.gateway) || ${[
			"(has(self.address) && self.address.contains(':') == self.gateway.contains(':'))",
			"(has(self.addresses) && self.addresses.exists(x, x.contains(':') == self.gateway.contains(':')))",
		].join(' || ')}`,
		holds: nic => nic.gateway === undefined || textsOf(nic).some(text => isSix(text) === isSix(nic.gateway)),
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

/** CEL, of a cidr with host bits, or of an address and its cidr: the address is neither its network nor the broadcast address of it. */
export function isForHosts(cidr: string, address = `cidr(${cidr}).ip()`): string {
	return `cidr(${cidr}).prefixLength() >= (${cidr}.contains(':') ? 127 : 31) || ${address} != cidr(${cidr}).masked().ip()`
}

function textsOf({ address, addresses = [] }: Nic): string[] {
	return [...(address === undefined ? [] : [address]), ...addresses]
}

function hasAddress(nic: Nic, ip: string): boolean {
	return textsOf(nic).some(text => isSameIp(text.replace(/\/.*$/, ''), ip))
}

function isSix(ip: string | undefined): boolean {
	return ip?.includes(':') ?? false
}
