import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseNetwork } from '../../../agent/ip/parse-network.ts'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { lossesOf } from '../../../agent/plan/fingerprint.ts'
import { select } from '../../../agent/plan/select.ts'
import { Interfaces, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** What changes on a live node during a run without the run being the cause: a lease, a router, pods, containers, routing daemons. */

const ours = { ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:00:01' }
const wanted = {
	interfaces: settle(Interfaces.parse([{ id: 0, macAddress: ours.mac, address: '10.0.0.23', cidr: '10.0.0.0/24' }])),
	nodeAddresses: [],
	kinds: new Set(['hardware']),
	failed: new Map(),
}

const leased: Address = { family: 4, cidr: '192.168.9.2/24', global: true, dynamic: true, validSeconds: 3600 }
const fixed: Address = { family: 4, cidr: '192.168.8.2/24', global: true, dynamic: false }
const routed: Address = { family: 6, cidr: 'fd00:9::2/64', global: true, dynamic: true, validSeconds: 3600 }
const linkLocal: Address = { family: 6, cidr: 'fe80::1/64', global: false, dynamic: false }

const { link: _, ...alone } = route({ to: '' })

const start: HostState = hostWith(
	[
		{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:02', up: true, addresses: [leased, fixed, routed, linkLocal] },
		ours,
		{ ifindex: 5, name: 'cali5', mac: 'ee:ee:ee:ee:ee:05', up: true, kind: 'veth', lower: 6 },
		{ ifindex: 6, name: 'veth6', mac: 'ee:ee:ee:ee:ee:06', up: false, kind: 'veth', lower: 5 },
		{ ifindex: 7, name: 'docker0', mac: '02:42:00:00:00:07', kind: 'bridge', addresses: [{ ...fixed, cidr: '172.17.0.1/16' }] },
		{ ifindex: 8, name: 'flannel.1', mac: '02:00:00:00:00:08', up: true, kind: 'vxlan', lower: 2, mtu: 1450 },
		{ ifindex: 9, name: 'trunk', mac: '02:00:00:00:00:09', up: true, kind: 'vlan', lower: 3 },
		{ ifindex: 10, name: 'eth1', mac: '02:00:00:00:00:10' },
		{ ifindex: 11, name: 'lxc11', mac: '02:00:00:00:00:11', up: true, kind: 'netkit', lower: 12 },
		{ ifindex: 12, name: 'lxc12', mac: '02:00:00:00:00:12', up: true, kind: 'netkit', lower: 11 },
		{ ifindex: 13, name: 'gre13', mac: '02:00:00:00:00:13', up: true, kind: 'gre', lower: 14 },
		{ ifindex: 14, name: 'gre14', mac: '02:00:00:00:00:14', up: true, kind: 'gre', lower: 13 },
	],
	{
		routes: [
			route({ to: '192.168.9.0/24', protocol: 2, scope: 253, source: '192.168.9.2' }),
			route({ to: '0.0.0.0/0', via: '192.168.9.1', protocol: 16, metric: 100, source: '192.168.9.2' }),
			route({ to: '169.254.169.254/32', via: '192.168.9.3', protocol: 16, metric: 100 }),
			route({ to: '192.168.8.0/24', protocol: 2, scope: 253, source: '192.168.8.2' }),
			route({ to: '10.8.0.0/16', via: '192.168.8.1' }),
			route({ to: '10.9.0.0/16', via: '192.168.9.1', source: '192.168.9.2' }),
			route({ family: 6, to: 'fd00:9::/64', protocol: 2, metric: 256 }),
			route({ family: 6, to: 'fe80::/64', protocol: 2, metric: 256 }),
			route({ family: 6, to: '::/0', via: 'fe80::ff', protocol: 9, metric: 1024 }),
			route({ to: '10.244.1.5/32', link: 5, scope: 253 }),
			route({ to: '10.244.3.0/24', via: '10.244.3.0', link: 8, onlink: true }),
			{ ...alone, to: '10.6.0.0/16', nextHops: ['192.168.8.1', '192.168.9.1'].map(via => ({ via, link: 2, weight: 1, onlink: false })) },
			route({ to: '10.7.0.0/16', via: '192.168.8.9', protocol: 12 }),
		],
		rules: [
			rule({ priority: 512, to: '10.244.1.5/32', words: 'from all to 10.244.1.5 lookup 254' }),
			rule({ priority: 1536, from: '10.244.1.5/32', table: 2, words: 'from 10.244.1.5 lookup 2' }),
			rule({ priority: 600, iif: 'cali5', table: 7, words: 'from all iif cali5 lookup 7' }),
			rule({ priority: 700, from: '192.168.8.2/32', table: 7, words: 'from 192.168.8.2 lookup 7' }),
		],
		neighbours: [
			{ link: 8, ip: '10.244.3.0', mac: '02:00:00:00:03:00' },
			{ link: 5, ip: '169.254.1.1', mac: 'ee:ee:ee:ee:ee:ee' },
		],
	},
)

type Change = (host: HostState) => HostState

const passes: Record<string, Change> = {
	'lifetimes run down': eachAddress(one => (one.validSeconds === undefined ? one : { ...one, validSeconds: one.validSeconds - 5 })),
	'a leased address expires, with its network, its default route and all that had it as a source': expires(leased),
	'a lease is renewed with another address': host => ({
		...onLink('eth0', one => ({ ...one, addresses: [...one.addresses, { ...leased, cidr: '192.168.9.7/24' }] }))(expires(leased)(host)),
		routes: [...expires(leased)(host).routes, route({ to: '192.168.9.0/24', protocol: 2, scope: 253, source: '192.168.9.7' })],
	}),
	'an address of a router advertisement expires, with its network': expires(routed),
	'a link-local address goes, with its network': expires(linkLocal),
	'the default route of a router advertisement expires': without(({ protocol }) => protocol === 9),
	'a daemon takes over a fixed address and gives it a lifetime': eachAddress(one =>
		one.cidr === fixed.cidr ? { ...one, dynamic: true, validSeconds: 3600 } : one,
	),
	'a pod goes, with its link, routes, neighbours and rules': host => ({
		...host,
		links: host.links.filter(({ ifindex }) => ifindex !== 5),
		routes: host.routes.filter(({ link }) => link !== 5),
		neighbours: host.neighbours.filter(({ link }) => link !== 5),
		rules: host.rules.filter(({ from, to }) => !`${from} ${to}`.includes('10.244.1.5')),
	}),
	"a pod's link gets its name, its MTU, its bridge, and comes up": onLink('veth6', one => ({
		...one,
		...{ name: 'lxc6', mtu: 1450, master: 'cni0', up: true, altnames: ['pod6'] },
	})),
	'a pod comes': host => ({
		...host,
		links: [...host.links, { ...host.links[3], ifindex: 20, name: 'cali20' } as Link],
		routes: [...host.routes, route({ to: '10.244.1.9/32', link: 20, scope: 253 })],
		rules: [...host.rules, rule({ priority: 512, to: '10.244.1.9/32', words: 'from all to 10.244.1.9 lookup 254' })],
		neighbours: [...host.neighbours, { link: 20, ip: '169.254.1.1', mac: 'ee:ee:ee:ee:ee:ee' }],
	}),
	"a pod's netkit pair gets its name and its MTU": onLink('lxc12', one => ({ ...one, name: 'lxc99', mtu: 1450 })),
	'a bridge comes up with its first container': onLink('docker0', one => ({ ...one, up: true, carrier: true })),
	'a cable is pulled': onLink('eth1', one => ({ ...one, carrier: false })),
	'udev gives a NIC alternative names': onLink('eth1', one => ({ ...one, altnames: ['enp9s0', 'ens9'] })),
	'a daemon takes a NIC over and brings it up': onLink('eth1', one => ({ ...one, up: true, managedBy: 'systemd-networkd' })),
	'a NIC becomes a port of a bond': onLink('eth1', one => ({ ...one, master: 'bond0' })),
	'a NIC is unplugged': host => ({ ...host, links: host.links.filter(({ ifindex }) => ifindex !== 10) }),
	'routes are printed in another order': host => ({ ...host, routes: host.routes.toReversed(), rules: host.rules.toReversed() }),
	'a route, a rule and an address come': host => ({
		...onLink('docker0', one => ({ ...one, addresses: [...one.addresses, { ...fixed, cidr: '172.18.0.1/16' }] }))(host),
		routes: [...host.routes, route({ to: '172.18.0.0/16', link: 7, protocol: 2 })],
		rules: [...host.rules, rule({ priority: 5, words: 'from all lookup 9', table: 9 })],
	}),
}

const losses: Record<string, [change: Change, words: RegExp]> = {
	'a fixed address goes': [
		onLink('eth0', one => ({ ...one, addresses: one.addresses.filter(({ cidr }) => cidr !== fixed.cidr) })),
		/192\.168\.8\.2/,
	],
	'a fixed route goes': [without(({ to }) => to === '10.8.0.0/16'), /10\.8\.0\.0/],
	'a route with two next hops goes': [
		without(({ nextHops }) => nextHops !== undefined),
		/10\.6\.0\.0\/16 .*via 192\.168\.8\.1 .*via 192\.168\.9\.1/,
	],
	'one of two next hops goes': [
		host => ({ ...host, routes: host.routes.map(one => (one.nextHops ? { ...one, nextHops: one.nextHops.slice(1) } : one)) }),
		/10\.6\.0\.0\/16 .*via 192\.168\.8\.1 .*via 192\.168\.9\.1/,
	],
	'a route of a routing daemon goes': [without(({ to }) => to === '10.7.0.0/16'), /10\.7\.0\.0/],
	'the network of a fixed address goes, and the address stays': [without(({ to }) => to === '192.168.8.0/24'), /192\.168\.8\.0/],
	'a rule goes, and what it selects stays': [
		host => ({ ...host, rules: host.rules.filter(({ priority }) => priority !== 700) }),
		/lookup 7/,
	],
	'a neighbour of an overlay goes': [host => ({ ...host, neighbours: host.neighbours.filter(({ link }) => link !== 8) }), /10\.244\.3\.0/],
	'a link goes down': [onLink('flannel.1', one => ({ ...one, up: false })), /flannel\.1.*now .*down/],
	'a link gets another MTU': [onLink('flannel.1', one => ({ ...one, mtu: 1400 })), /flannel\.1.*now .*1400/],
	'a link gets another name': [onLink('flannel.1', one => ({ ...one, name: 'vxlan9' })), /flannel\.1.*now vxlan9/],
	'what stands on a NIC of the run comes up': [host => onLink('trunk', one => ({ ...one, mtu: 1400 }))(host), /trunk.*now .*1400/],
}

describe('it is no loss that', () => {
	test.each(Object.entries(passes))('%s', (_, change) => {
		expect(lost(change(start))).toEqual([])
	})
})

describe('it is a loss that', () => {
	test.each(Object.entries(losses))('%s', (_, [change, words]) => {
		expect(lost(change(start))).toContainEqual(expect.stringMatching(words))
	})

	test('the network of a leased address is removed, and the address stays', () => {
		expect(lost(without(({ to }) => to === '192.168.9.0/24')(start))).toEqual([expect.stringMatching(/192\.168\.9\.0/)])
	})

	test('an alternative name is removed', () => {
		const named = onLink('eth1', one => ({ ...one, altnames: ['enp9s0', 'ens9'] }))(start)
		expect(lost(onLink('eth1', one => ({ ...one, altnames: ['ens9'] }))(named), named)).toEqual([expect.stringMatching(/eth1.*enp9s0/)])
	})
})

test('any combination of transient changes is no loss and hides none', () => {
	const some = fc.shuffledSubarray(Object.keys(passes))
	fc.assert(
		fc.property(some, fc.option(fc.constantFrom(...Object.keys(losses))), (titles, loss) => {
			const passed = titles.reduce((host, title) => passes[title]?.(host) ?? host, start)
			const [change, words] = losses[loss ?? ''] ?? []
			expect(lost(change?.(passed) ?? passed)).toEqual(words ? expect.arrayContaining([expect.stringMatching(words)]) : [])
		}),
		{ numRuns: 1_000 },
	)
})

test("the other end of a pod's link is in another namespace, and its index has no meaning here", () => {
	const plain = { flags: ['UP'], mtu: 1500, link_type: 'ether', address: '02:00:00:00:00:01', addr_info: [] }
	const shown = [
		{ ...plain, ifindex: 3, ifname: 'ens7' },
		{ ...plain, ifindex: 5, ifname: 'cali5', link_index: 3, link_netnsid: 0, linkinfo: { info_kind: 'veth' } },
		{ ...plain, ifindex: 6, ifname: 'trunk', link: 'ens7', linkinfo: { info_kind: 'vlan' } },
	]
	expect(parseNetwork({ addresses: shown, routes: [], neighbours: [] }).links.map(({ name, lower }) => [name, lower])).toEqual([
		['ens7', undefined],
		['cali5', undefined],
		['trunk', 3],
	])
})

function lost(after: HostState, before = start): string[] {
	return lossesOf(select(wanted, start), before, after).map(({ words }) => words)
}

function route(more: Partial<Route> & { to: string }): Route {
	return { family: 4, link: 2, table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false, ...more }
}

function rule(more: Partial<Rule>): Rule {
	return { family: 4, priority: 100, from: '0.0.0.0/0', table: 254, plain: false, words: '', ...more }
}

function without(isGone: (route: Route) => boolean): Change {
	return host => ({ ...host, routes: host.routes.filter(one => !isGone(one)) })
}

function onLink(name: string, change: (link: Link) => Link): Change {
	return host => ({ ...host, links: host.links.map(one => (one.name === name ? change(one) : one)) })
}

function eachAddress(change: (address: Address) => Address): Change {
	return host => ({ ...host, links: host.links.map(one => ({ ...one, addresses: one.addresses.map(change) })) })
}

/** The kernel removes the connected network and what had the address as its source; a DHCP client removes its routes. */
function expires({ cidr }: Address): Change {
	const ip = cidr.slice(0, cidr.indexOf('/'))
	const network = { '192.168.9.2': '192.168.9.', 'fd00:9::2': 'fd00:9:', 'fe80::1': 'fe80::/' }[ip] ?? 'none'
	const isGone = ({ source, protocol, to, via = '' }: Route) =>
		source === ip || ((protocol === 2 || protocol === 16) && (to.startsWith(network) || via.startsWith(network)))
	return host => ({
		...onLink('eth0', one => ({ ...one, addresses: one.addresses.filter(address => address.cidr !== cidr) }))(host),
		routes: host.routes.filter(one => !isGone(one)),
	})
}
