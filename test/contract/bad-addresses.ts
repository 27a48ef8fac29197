import type { Interface } from '../../contract/interface.ts'

/** Interfaces with wrong addresses, for every entry point. Pure. */

const macAddress = 'fa:16:3e:37:c3:f1'
const four = { id: 0, macAddress, address: '10.0.0.23', cidr: '10.0.0.0/24' }
const six = { id: 0, macAddress, address: 'fd00::23', cidr: 'fd00::/64' }

/** Below `interfaces[0]`; undefined: it is accepted. `alone`: the API server accepts it, every other entry point rejects it. */
type Case = readonly [title: string, nic: Partial<Interface>, field: string | undefined, words?: string, alone?: 'alone']

const unicast = 'must be an IPv4 or IPv6 unicast address'
const forHosts = 'must not be the network or broadcast address of its network'
const prefixed = 'must be an address with a prefix length of 1 or more'
const notThis = 'gateway must be of a family (IPv4 or IPv6) in which the interface has an address, and not one of these addresses'
const inside = 'address must be an IP address inside cidr, which must be given with it, and not its network or broadcast address'
const hop = 'the next hop (via) of a route must not be an address of the interface itself'

const further = (addresses: string[]) => ({ ...four, addresses })
const route = (to: string, via: string) => ({ ...four, addresses: ['fd00::23/64'], routes: [{ to, via }] })

export const addressCases: readonly Case[] = [
	['the network address', { ...four, address: '10.0.0.0' }, 'address', inside],
	['the network address, with a cidr of host bits', { ...four, address: '10.0.0.0', cidr: '10.0.0.77/24' }, 'address', inside],
	['the network address of a /30', { ...four, address: '10.0.0.4', cidr: '10.0.0.4/30' }, 'address', inside],
	['the broadcast address', { ...four, address: '10.0.0.255' }, 'address', inside, 'alone'],
	['the broadcast address of a /30', { ...four, address: '10.0.0.7', cidr: '10.0.0.4/30' }, 'address', inside, 'alone'],
	['the broadcast address of a /20', { ...four, address: '10.0.15.255', cidr: '10.0.0.0/20' }, 'address', inside, 'alone'],
	['the broadcast address of a /1', { ...four, address: '127.255.255.255', cidr: '0.0.0.0/1' }, 'address', unicast],
	['.0 inside a /23', { ...four, address: '10.0.1.0', cidr: '10.0.0.0/23' }, undefined],
	['.255 inside a /23', { ...four, address: '10.0.0.255', cidr: '10.0.0.0/23' }, undefined],
	['both addresses of a /31, the first', { ...four, address: '10.0.0.0', cidr: '10.0.0.0/31' }, undefined],
	['both addresses of a /31, the second', { ...four, address: '10.0.0.1', cidr: '10.0.0.0/31' }, undefined],
	['the one address of a /32', { ...four, address: '10.0.0.0', cidr: '10.0.0.0/32' }, undefined],
	['the subnet-router anycast address', { ...six, address: 'fd00::' }, 'address', inside],
	['the subnet-router anycast address, written out', { ...six, address: 'fd00:0:0:0:0:0:0:0' }, 'address', inside],
	['the subnet-router anycast address of a /126', { ...six, address: 'fd00::4', cidr: 'fd00::4/126' }, 'address', inside],
	['the last address of an IPv6 network', { ...six, address: 'fd00::ffff:ffff:ffff:ffff' }, undefined],
	['the first address of a /127', { ...six, address: 'fd00::2', cidr: 'fd00::2/127' }, undefined],
	['the one address of a /128', { ...six, address: 'fd00::', cidr: 'fd00::/128' }, undefined],
	['an unspecified address', { ...four, address: '0.0.0.0', cidr: '0.0.0.0/8' }, 'address', unicast],
	['an unspecified IPv6 address', { ...six, address: '::', cidr: '::/64' }, 'address', unicast],
	['a loopback address', { ...four, address: '127.0.0.5', cidr: '127.0.0.0/8' }, 'address', unicast],
	['the IPv6 loopback address', { ...six, address: '::1', cidr: '::/64' }, 'address', unicast],
	['a multicast address', { ...four, address: '224.0.0.23', cidr: '224.0.0.0/24' }, 'address', unicast],
	['an IPv6 multicast address', { ...six, address: 'ff02::1', cidr: 'ff02::/64' }, 'address', unicast],
	['255.255.255.255', { ...four, address: '255.255.255.255', cidr: '255.255.255.0/24' }, 'address', unicast],
	['an IPv4-mapped address', { ...six, address: '::ffff:10.0.0.23', cidr: '::/64' }, 'address', unicast],
	['an IPv4-mapped address in hexadecimal', { ...six, address: '::ffff:a00:17', cidr: '::/64' }, 'address', unicast],
	['a link-local address', { ...four, address: '169.254.7.7', cidr: '169.254.0.0/16' }, undefined],
	['an IPv6 link-local address', { ...six, address: 'fe80::23', cidr: 'fe80::/64' }, undefined],
	['a cidr of everything', { ...four, cidr: '0.0.0.0/0' }, 'cidr', prefixed],
	['an IPv6 cidr of everything', { ...six, cidr: '::/0' }, 'cidr', prefixed],
	['a cidr that is IPv4-mapped', { ...six, cidr: '::ffff:10.0.0.0/120' }, 'cidr', prefixed],
	['a further network address', further(['10.0.1.5/24', '10.0.1.0/24']), 'addresses[1]', forHosts],
	['a further broadcast address', further(['10.0.1.255/24']), 'addresses[0]', forHosts, 'alone'],
	['a further subnet-router anycast address', further(['fd00::/64']), 'addresses[0]', forHosts],
	['further addresses of /31, /32, /127 and /128', further(['10.0.2.0/31', '10.0.3.0/32', 'fd00::2/127', 'fd01::/128']), undefined],
	['a further address with prefix length 0', further(['10.0.1.5/0']), 'addresses[0]', unicast],
	['a further IPv6 address with prefix length 0', further(['fd00::5/0']), 'addresses[0]', unicast],
	['a further multicast address', further(['239.1.2.3/24']), 'addresses[0]', unicast],
	['a further IPv6 multicast address', further(['ff05::3/64']), 'addresses[0]', unicast],
	['a further loopback address', further(['127.0.0.1/8']), 'addresses[0]', unicast],
	['a further unspecified address', further(['::/64']), 'addresses[0]', unicast],
	['a further IPv4-mapped address', further(['::ffff:10.0.0.24/120']), 'addresses[0]', unicast],
	['a gateway in the network', { ...four, gateway: '10.0.0.1' }, undefined],
	['a gateway outside the network, as Neutron allows it', { ...four, gateway: '192.0.2.1' }, undefined],
	['a gateway that is the network address of another network', { ...four, gateway: '10.9.0.0' }, undefined],
	['a gateway that is the subnet-router anycast address, as Neutron may have it', { ...six, gateway: 'fd00::' }, undefined],
	['a gateway that is the own address', { ...four, gateway: '10.0.0.23' }, 'gateway', notThis],
	['a gateway that is a further address', { ...further(['10.0.1.5/24']), gateway: '10.0.1.5' }, 'gateway', notThis],
	['a gateway that is the own IPv6 address, written otherwise', { ...six, gateway: 'FD00:0::23' }, 'gateway', notThis, 'alone'],
	['an IPv6 gateway without an IPv6 address', { ...four, gateway: 'fd00::1' }, 'gateway', notThis],
	['an IPv4 gateway without an IPv4 address', { ...six, gateway: '10.0.0.1' }, 'gateway', notThis],
	['a link-local gateway without an IPv6 address', { ...four, gateway: 'fe80::1' }, 'gateway', notThis],
	['a gateway without any address', { id: 0, macAddress, gateway: '10.0.0.1' }, 'gateway', notThis],
	['a gateway of the family of a further address', { ...further(['fd00::5/64']), gateway: 'fe80::1' }, undefined],
	['a multicast gateway', { ...four, gateway: '224.0.0.1' }, 'gateway', unicast],
	['an unspecified gateway', { ...four, gateway: '0.0.0.0' }, 'gateway', unicast],
	['a loopback gateway', { ...four, gateway: '127.0.0.1' }, 'gateway', unicast],
	['an IPv4-mapped gateway', { ...six, gateway: '::ffff:10.0.0.1' }, 'gateway', unicast],
	['a gateway that is none', { ...four, gateway: 'router' }, 'gateway', unicast],
	['a default route by a next hop', route('0.0.0.0/0', '10.0.0.9'), undefined],
	['a destination with host bits', route('10.9.0.7/16', '10.0.0.9'), undefined],
	[
		'a next hop of the other family',
		route('10.9.0.0/16', 'fd00::9'),
		'routes[0].via',
		'via must be of the family (IPv4 or IPv6) of to',
		'alone',
	],
	[
		'an IPv4 next hop to an IPv6 network',
		route('fd09::/48', '10.0.0.9'),
		'routes[0].via',
		'via must be of the family (IPv4 or IPv6) of to',
		'alone',
	],
	['a multicast next hop', route('10.9.0.0/16', '224.0.0.9'), 'routes[0].via', unicast],
	['an unspecified next hop', route('10.9.0.0/16', '0.0.0.0'), 'routes[0].via', unicast],
	['an IPv6 loopback next hop', route('fd09::/48', '::1'), 'routes[0].via', unicast],
	['an IPv4-mapped next hop', route('fd09::/48', '::ffff:10.0.0.9'), 'routes[0].via', unicast],
	['an IPv4-mapped destination', route('::ffff:10.9.0.0/112', 'fd00::9'), 'routes[0].to', 'must be an address with a prefix length'],
	['a next hop that is the own address', route('10.9.0.0/16', '10.0.0.23'), 'routes', hop, 'alone'],
	['a next hop that is a further address, written otherwise', route('fd09::/48', 'fd00:0::23'), 'routes', hop, 'alone'],
]
