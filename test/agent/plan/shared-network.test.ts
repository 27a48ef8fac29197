import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { addressesOf, routesOf } from '../../../agent/model/desired-network.ts'
import { familyOf } from '../../../agent/model/networks.ts'
import { select } from '../../../agent/plan/select.ts'
import { type Interface, Interfaces, settle } from '../../../contract/interface.ts'
import { afterEvery, hostWith } from '../simulated-host.ts'

const address = (cidr: string, more: Partial<Address> = {}): Address => ({
	family: familyOf(cidr),
	cidr,
	global: true,
	dynamic: false,
	...more,
})
const route = (to: string, more: Partial<Route>): Route => {
	const family = familyOf(to)
	return { family, to, table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false, ...more }
}
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const MGMT = 2
const BRIDGE = 3
/** The link of interface 0, and of interface 1. */
const [ENS7, ENS8] = [7, 8]
const link = (ifindex: number, name: string, more: Partial<Link> = {}) => ({ ifindex, name, mac: `02:00:00:00:00:0${ifindex}`, ...more })

/** The node has 192.168.9.2/24 and fd99::2/64 on mgmt, its default route there, and a bridge. */
function node(more: { links?: ReturnType<typeof link>[]; routes?: Route[]; mgmt?: string[] }): HostState {
	const links = [
		link(MGMT, 'mgmt', { up: true, addresses: (more.mgmt ?? ['192.168.9.2/24', 'fd99::2/64']).map(cidr => address(cidr)) }),
		link(BRIDGE, 'br0', { kind: 'bridge', up: true }),
		link(ENS7, 'ens7', { mac: mac(0) }),
		link(ENS8, 'ens8', { mac: mac(1) }),
	]
	const replaced = links.filter(({ ifindex }) => !more.links?.some(other => other.ifindex === ifindex))
	const routes = [route('0.0.0.0/0', { via: '192.168.9.1', link: MGMT }), route('::/0', { via: 'fd99::1', link: MGMT, metric: 1024 })]
	return hostWith([...replaced, ...(more.links ?? [])], { routes: [...routes, ...(more.routes ?? [])] })
}

const nic = (id: number, cidr: string, more: Partial<Interface> = {}): Partial<Interface> => ({
	id,
	macAddress: mac(id),
	addresses: [cidr],
	...more,
})
const selected = (nics: Partial<Interface>[], host: HostState, needed: string[] = []) =>
	select(
		{ interfaces: settle(Interfaces.parse(nics)), nodeAddresses: ['192.168.9.2'], kinds: new Set(['hardware']), failed: new Map(), needed },
		host,
	)
const saysOf = (nics: Partial<Interface>[], host: HostState, needed?: string[]) =>
	Object.fromEntries([...selected(nics, host, needed).shared].map(([id, { says }]) => [id, says]))

const loopback = (cidr: string) => link(1, 'lo', { up: true, addresses: [address('127.0.0.1/8'), address(cidr)] })
const ours = (...cidrs: string[]) =>
	link(ENS7, 'ens7', { mac: mac(0), up: true, addresses: cidrs.map(cidr => address(cidr, { dynamic: true })) })

const over = { link: BRIDGE }
const pods = (to: string) => route(to, { via: '10.244.0.1', link: BRIDGE })

describe('an interface has no connected route', () => {
	test.each<[title: string, cidr: string, host: HostState, says: string]>([
		['in the network of the primary link', '192.168.9.50/24', node({}), 'mgmt has 192.168.9.2/24'],
		['in a part of that network', '192.168.9.130/26', node({}), 'mgmt has 192.168.9.2/24'],
		['in a network that contains it', '192.168.8.50/23', node({}), 'mgmt has 192.168.9.2/24'],
		['in the IPv6 network of the primary link', 'fd99::50/64', node({}), 'mgmt has fd99::2/64'],
		['in a part of that IPv6 network', 'fd99::50/96', node({}), 'mgmt has fd99::2/64'],
		['in a network that contains that IPv6 network', 'fd99::50/48', node({}), 'mgmt has fd99::2/64'],
		[
			'in the network of a link that is down',
			'10.5.0.50/24',
			node({ links: [link(9, 'eth9', { addresses: [address('10.5.0.1/24')] })] }),
			'eth9 has 10.5.0.1/24',
		],
		[
			'in the network of a leased address',
			'10.5.0.50/24',
			node({ links: [link(9, 'eth9', { addresses: [address('10.5.0.1/24', { dynamic: true, validSeconds: 60 })] })] }),
			'eth9 has 10.5.0.1/24',
		],
		[
			'in the pod network',
			'10.244.3.50/24',
			node({ routes: [route('10.244.0.0/16', over)] }),
			'the main table has a route to 10.244.0.0/16 over br0',
		],
		[
			'in a network that contains an on-link network',
			'10.0.0.50/8',
			node({ routes: [route('10.244.0.0/16', over)] }),
			'the main table has a route to 10.244.0.0/16 over br0',
		],
		[
			'in a network that is routed elsewhere',
			'10.9.3.50/24',
			node({ routes: [pods('10.9.0.0/16')] }),
			'the main table has a route to 10.9.0.0/16 via 10.244.0.1 over br0',
		],
		[
			'in exactly the network that is routed elsewhere',
			'10.9.3.50/24',
			node({ routes: [pods('10.9.3.0/24')] }),
			'the main table has a route to 10.9.3.0/24 via 10.244.0.1 over br0',
		],
		[
			'in a network with a blackhole route',
			'10.9.3.50/24',
			node({ routes: [route('10.9.0.0/16', { type: 6 })] }),
			'the main table has a route to 10.9.0.0/16',
		],
		[
			'in a network that contains the only address of the node',
			'192.168.9.50/24',
			node({ mgmt: ['192.168.9.2/32'] }),
			'mgmt has 192.168.9.2/32',
		],
		[
			'in a network that contains the IPv6 address of the node with prefix length 128',
			'fd99::50/64',
			node({ mgmt: ['fd99::2/128'] }),
			'mgmt has fd99::2/128',
		],
		[
			'in a network that contains the local address of a tunnel',
			'10.5.0.50/24',
			node({ links: [link(9, 'tun0', { kind: 'tun', addresses: [address('10.5.0.6/32', { peer: '10.6.0.1' })] })] }),
			'tun0 has 10.5.0.6/32 with peer 10.6.0.1',
		],
		[
			'in a network that contains an additional address of another link',
			'10.5.0.50/24',
			node({ mgmt: ['192.168.9.2/24', '10.5.0.1/32'] }),
			'mgmt has 10.5.0.1/32',
		],
		[
			'in a network that contains an address of a bridge',
			'10.5.0.50/24',
			node({ links: [link(BRIDGE, 'br0', { kind: 'bridge', up: true, addresses: [address('10.5.0.9/32')] })] }),
			'br0 has 10.5.0.9/32',
		],
		[
			'in a network that contains the address that Kubernetes lists for the node, on a loopback link (BGP on the host)',
			'192.168.9.50/24',
			node({ mgmt: ['192.168.7.2/31'], links: [loopback('192.168.9.2/32')] }),
			'lo has 192.168.9.2/32',
		],
		[
			'in a network that contains the gateway of the node',
			'192.168.9.50/24',
			node({ mgmt: ['192.168.7.2/32'] }),
			'this node reaches 192.168.9.1 via 192.168.9.1 over mgmt',
		],
	])('%s', (_, cidr, host, says) => {
		expect(saysOf([nic(0, cidr)], host)).toEqual({ 0: says })
	})

	test.each<[title: string, ip: string, cidr: string, needed?: string[]]>([
		['the API server', '10.5.0.1', '10.5.0.50/24'],
		['an IPv6 nameserver', 'fd05::53', 'fd05::50/64'],
		['the metadata service', '169.254.169.254', '169.254.10.1/16', []],
		['the IPv6 metadata service', 'fd00:ec2::254', 'fd00:ec2::50/64', []],
	])('in the network of %s if that is reached over the default route', (_, ip, cidr, needed = [ip]) => {
		expect(saysOf([nic(0, cidr)], node({}), needed)).toEqual({
			0: `this node reaches ${ip} via ${ip.includes(':') ? 'fd99::1' : '192.168.9.1'} over mgmt`,
		})
	})
})

describe('an interface keeps its connected route', () => {
	test.each<[title: string, nic: Partial<Interface>, host: HostState, needed?: string[]]>([
		['in a network that no other link has', nic(0, '10.0.0.50/24'), node({})],
		[
			'in a network that contains pods, if each pod has a route',
			nic(0, '10.244.3.50/16'),
			node({ routes: [route('10.244.3.7/32', over)] }),
		],
		['in a network if only a part is routed elsewhere', nic(0, '10.9.0.50/16'), node({ routes: [pods('10.9.3.0/24')] })],
		[
			'if routes to both halves of the address space exist',
			nic(0, '10.9.0.50/16'),
			node({ routes: [pods('0.0.0.0/1'), pods('128.0.0.0/1')] }),
		],
		['with a link-local address', nic(0, 'fe80::50/64'), node({ mgmt: ['192.168.9.2/24', 'fe80::2/64'] })],
		['with a single address', nic(0, '192.168.9.50/32'), node({})],
		['if only another table has a route', nic(0, '10.9.3.50/24'), node({ routes: [{ ...pods('10.9.0.0/16'), table: 77 }] })],
		['if the API server runs on the same node', nic(0, '10.5.0.50/24'), node({ links: [loopback('10.5.0.1/32')] }), ['10.5.0.1']],
		[
			'in a network that contains a virtual address on lo (MetalLB, kube-vip)',
			nic(0, '10.5.0.50/24'),
			node({ links: [loopback('10.5.0.9/32')] }),
		],
		[
			'in a network that contains the addresses of Services (kube-ipvs0)',
			nic(0, '10.5.0.50/24'),
			node({ links: [link(9, 'kube-ipvs0', { kind: 'dummy', addresses: [address('10.5.0.9/32'), address('10.5.0.10/32')] })] }),
		],
		[
			'in a network that contains a virtual address on its own link',
			nic(0, '10.5.0.50/24'),
			node({ links: [ours('10.5.0.50/24', '10.5.0.9/32')] }),
		],
		['in a network that does not contain the single address of the node', nic(0, '192.168.8.50/24'), node({ mgmt: ['192.168.9.2/32'] })],
		['if the API server has a host route', nic(0, '10.5.0.50/24'), node({ routes: [pods('10.5.0.1/32')] }), ['10.5.0.1']],
		[
			'if the metadata service has a host route',
			nic(0, '169.254.10.1/16'),
			node({ routes: [route('169.254.169.254/32', { via: '192.168.9.3', link: MGMT })] }),
		],
		[
			'if the node itself serves metadata',
			nic(0, '169.254.10.1/16'),
			node({ links: [link(9, 'meta0', { kind: 'dummy', addresses: [address('169.254.169.254/32')] })] }),
		],
		['if the API server is known only by its name', nic(0, '10.5.0.50/24'), node({}), ['api.example.com']],
		['if the API server is outside the network', nic(0, '10.5.0.50/24'), node({}), ['10.6.0.1']],
		[
			'if its own link has the network from DHCP',
			nic(0, '10.5.0.50/24'),
			node({
				links: [link(ENS7, 'ens7', { mac: mac(0), up: true, addresses: [address('10.5.0.50/24', { dynamic: true })] })],
				routes: [
					route('10.5.0.0/24', { link: ENS7, protocol: 2, metric: 100 }),
					route('0.0.0.0/0', { link: ENS7, via: '10.5.0.1', metric: 50 }),
				],
			}),
			['10.5.0.1'],
		],
	])('%s', (_, wanted, host, needed) => {
		expect(saysOf([wanted], host, needed)).toEqual({})
		expect(selected([wanted], host, needed).refused).toEqual([])
		expect(selected([wanted], host, needed).accepted.map(({ nic: { connectedRoute } }) => connectedRoute)).toEqual([true])
	})
})

describe('among several interfaces in one network', () => {
	const [first, second] = [nic(0, '10.0.0.50/24'), nic(1, '10.0.0.51/24')]
	test('the one with the lowest id keeps the connected route', () => {
		expect(saysOf([second, first], node({}))).toEqual({ 1: 'multinic0 is also in 10.0.0.0/24' })
	})

	test('no interface has it if another link has the network', () => {
		const shared = saysOf([nic(0, '192.168.9.50/24'), nic(1, '192.168.9.51/24')], node({}))
		expect(shared).toEqual({ 0: 'mgmt has 192.168.9.2/24', 1: 'mgmt has 192.168.9.2/24' })
	})

	test('the next one keeps it if the first does not request it', () => {
		expect(saysOf([{ ...first, connectedRoute: false }, second], node({}))).toEqual({})
	})

	test('an interface without its own table keeps it', () => {
		expect(saysOf([first, { ...second, policyRouting: false }], node({}))).toEqual({ 0: 'multinic1 is also in 10.0.0.0/24' })
	})

	test('the first one keeps it even if its NIC is missing', () => {
		const without = hostWith(node({}).links.filter(({ ifindex }) => ifindex !== ENS7))
		expect(saysOf([first, second], without)).toEqual({ 1: 'multinic0 is also in 10.0.0.0/24' })
	})

	test('the link of an interface is treated as unmanaged if something else uses it', () => {
		const serving = link(ENS8, 'ens8', { mac: mac(1), up: true, master: 'bond0', addresses: [address('10.0.0.9/24')] })
		expect(saysOf([first, nic(1, '10.7.0.9/24')], node({ links: [serving] }))).toEqual({ 0: 'ens8 has 10.0.0.9/24' })
	})
})

describe('an interface without its own table in a shared network', () => {
	const wanted = nic(0, '192.168.9.50/24', { policyRouting: false })
	test('is refused with a message that contains the cause, the fix and the command', () => {
		const { accepted, refused } = selected([wanted], node({}))
		expect(accepted).toEqual([])
		expect(refused.map(({ refusal }) => refusal)).toEqual([
			{
				reason: 'InUse',
				message:
					'mgmt has 192.168.9.2/24, so the network of multinic0 cannot be in the main table, and without policyRouting there is no other table for it: set policyRouting to true (ip addr show dev mgmt)',
			},
		])
	})

	test('is accepted if no other link has the network', () => {
		expect(selected([{ ...wanted, addresses: ['10.0.0.50/24'] }], node({})).refused).toEqual([])
	})

	test('does not prevent another interface in that network from being configured without a connected route', () => {
		const leased = link(ENS7, 'ens7', { mac: mac(0), up: true, addresses: [address('192.168.9.7/24', { dynamic: true })] })
		const { accepted, shared } = selected([wanted, nic(1, '192.168.9.51/24')], node({ links: [leased], mgmt: ['192.168.9.2/24'] }))
		expect(accepted.map(({ nic: { id, connectedRoute } }) => [id, connectedRoute])).toEqual([[1, false]])
		expect(shared.get(1)?.says).toBe('mgmt has 192.168.9.2/24')
	})
})

describe('an IPv6 next hop in a shared network', () => {
	const wanted = nic(0, 'fd99::50/64', { gateway: 'fd99::1' })
	test.each<[title: string, more: Partial<Interface>]>([
		['of a default route in the main table', { defaultRoute: true }],
		['of a route in another table', { routes: [{ to: 'fd08::/32', via: 'fd99::7', table: 500 }] }],
	])('%s is refused, because the kernel would reject it', (_, more) => {
		const host = node({ routes: [route('fd99::/64', { link: MGMT, metric: 256, protocol: 2 })] })
		const [refused] = selected([{ ...wanted, ...more }], host).refused
		expect(refused?.refusal.reason).toBe('InUse')
		expect(refused?.refusal.message).toMatch(
			/^fd99::\d is requested as the next hop of \S+ in table \S+ over multinic0, but the main table reaches it over mgmt/,
		)
	})

	test('of a route in its own table is accepted', () => {
		expect(selected([{ ...wanted, routes: [{ to: 'fd08::/32', via: 'fd99::7' }] }], node({})).refused).toEqual([])
	})

	test('is also refused if MultiNIC manages the other link', () => {
		const first = { ...nic(0, 'fd05::50/64') }
		const second = { ...nic(1, 'fd05::51/64'), gateway: 'fd05::1', defaultRoute: true }
		expect(selected([first, second], node({})).refused.map(({ refusal: { message } }) => message)).toEqual([
			'fd05::1 is requested as the next hop of ::/0 in table main over multinic1, but the main table reaches it over multinic0 (ip -6 route get fd05::1)',
		])
	})
})

describe('without a connected route', () => {
	test.each<[title: string, wanted: Partial<Interface>, addresses: string[], routes: string[]]>([
		[
			'IPv4 addresses have prefix length 32, and the table of the interface has their networks and an onlink gateway',
			nic(0, '10.0.0.50/24', { gateway: '10.0.0.1' }),
			['10.0.0.50/32'],
			['10.0.0.0/24 100', '0.0.0.0/0 via 10.0.0.1 onlink 100'],
		],
		[
			'IPv6 addresses have prefix length 128, except link-local ones, and the gateway is not onlink',
			nic(0, 'fd00::50/64', { addresses: ['fd00::50/64', 'fe80::50/64'], gateway: 'fd00::1' }),
			['fd00::50/128', 'fe80::50/64'],
			['fd00::/64 100', 'fe80::/64 100', '::/0 via fd00::1 100'],
		],
	])('%s', (_, wanted, addresses, routes) => {
		const [one] = settle(Interfaces.parse([{ ...wanted, connectedRoute: false }]))
		if (!one) throw new Error('no interface')
		expect(addressesOf(one)).toEqual(addresses)
		const words = routesOf(one, ENS7).map(
			({ to, via, onlink, table }) => `${to}${via ? ` via ${via}` : ''}${onlink ? ' onlink' : ''} ${table}`,
		)
		expect(words).toEqual(routes)
	})
})

describe('during a removal', () => {
	const wanted = (nics: Partial<Interface>[]) => ({
		interfaces: settle(Interfaces.parse(nics)),
		nodeAddresses: [],
		kinds: new Set(['hardware'] as const),
		failed: new Map(),
	})
	const carriedOut = (nics: Partial<Interface>[], start: HostState) => afterEvery(start, plan(wanted(nics), start, {}).steps, false)
	const had = (more: Partial<Link>, routes: Route[] = []) => node({ links: [link(ENS7, 'ens7', { mac: mac(0), ...more })], routes })
	const before = [address('10.5.0.9/24', { dynamic: true })]

	test.each<[title: string, start: HostState, first: string, shared: number]>([
		['gets its original address in the network again', had({ up: true, addresses: before }), '10.7.0.23/24', 1],
		['gets its original address again although it is down', had({ addresses: before }), '10.7.0.23/24', 1],
		[
			'gets its original route to the network again',
			had({ up: true }, [route('10.5.0.0/16', { link: ENS7, scope: 253 })]),
			'10.7.0.23/24',
			1,
		],
		['had the network only from MultiNIC', had({ up: true }), '10.5.0.9/24', 0],
		['had no address before', had({}), '10.5.0.9/24', 0],
	])('of a link that %s, a run makes the same decision as the next run', (_, start, first, shared) => {
		const wishes = [nic(1, '10.5.0.50/24')]
		const middle = carriedOut([nic(0, first)], start)
		expect(middle.links).toContainEqual(expect.objectContaining({ name: 'multinic0' }))
		expect(plan(wanted(wishes), middle, {}).shared.size).toBe(shared)
		const end = carriedOut(wishes, middle)
		expect(plan(wanted(wishes), end, {})).toMatchObject({ steps: [], refused: [] })
		expect(plan(wanted(wishes), end, {}).shared.size).toBe(shared)
	})

	test('a virtual address on a macvlan of the managed link (keepalived) does not remove the connected route', () => {
		const ours = carriedOut([nic(0, '10.5.0.50/24')], node({}))
		const vrrp = { ...ours.links[0], ...link(9, 'vrrp.51', { kind: 'macvlan', lower: ENS7, addresses: [address('10.5.0.9/32')] }) } as Link
		const { steps, shared } = plan(wanted([nic(0, '10.5.0.50/24')]), { ...ours, links: [...ours.links, vrrp] }, {})
		expect([steps, shared.size]).toEqual([[], 0])
	})

	test('an address that the released link gets again is not available', () => {
		const middle = carriedOut([nic(0, '10.7.0.23/24')], had({ up: true, addresses: before }))
		expect(plan(wanted([nic(1, '10.5.0.9/24')]), middle, {}).refused).toMatchObject([
			{ refusal: { reason: 'InUse', message: '10.5.0.9 is requested on multinic1, but multinic0 has it (ip addr show to 10.5.0.9)' } },
		])
	})
})
