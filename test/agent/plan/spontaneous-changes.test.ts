import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseNetwork } from '../../../agent/ip/parse-network.ts'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { lossesOf } from '../../../agent/plan/fingerprint.ts'
import { select } from '../../../agent/plan/select.ts'
import { withoutSpontaneousChanges } from '../../../agent/plan/spontaneous-changes.ts'
import { Interfaces, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** Changes on a live node during a run that the run does not cause: by leases, router advertisements, pods, containers, routing daemons. */

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
	'lifetimes decrease': eachAddress(one => (one.validSeconds === undefined ? one : { ...one, validSeconds: one.validSeconds - 5 })),
	'a leased address expires, with its network, its default route and all routes that have it as their source': expires(leased),
	'a lease is renewed with another address': host => ({
		...onLink('eth0', one => ({ ...one, addresses: [...one.addresses, { ...leased, cidr: '192.168.9.7/24' }] }))(expires(leased)(host)),
		routes: [...expires(leased)(host).routes, route({ to: '192.168.9.0/24', protocol: 2, scope: 253, source: '192.168.9.7' })],
	}),
	'an address of a router advertisement expires, with its network': expires(routed),
	'a link-local address is removed, with its network': expires(linkLocal),
	'the default route of a router advertisement expires': without(({ protocol }) => protocol === 9),
	'a daemon takes over a static address and sets a lifetime': eachAddress(one =>
		one.cidr === fixed.cidr ? { ...one, dynamic: true, validSeconds: 3600 } : one,
	),
	'a pod ends, with its link, routes, neighbours and rules': host => ({
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
	'a pod starts': host => ({
		...host,
		links: [...host.links, { ...host.links[3], ifindex: 20, name: 'cali20' } as Link],
		routes: [...host.routes, route({ to: '10.244.1.9/32', link: 20, scope: 253 })],
		rules: [...host.rules, rule({ priority: 512, to: '10.244.1.9/32', words: 'from all to 10.244.1.9 lookup 254' })],
		neighbours: [...host.neighbours, { link: 20, ip: '169.254.1.1', mac: 'ee:ee:ee:ee:ee:ee' }],
	}),
	"a pod's netkit pair gets its name and its MTU": onLink('lxc12', one => ({ ...one, name: 'lxc99', mtu: 1450 })),
	'a bridge comes up with its first container': onLink('docker0', one => ({ ...one, up: true, carrier: true })),
	'a cable is pulled': onLink('eth1', one => ({ ...one, carrier: false })),
	'udev adds alternative names to a NIC': onLink('eth1', one => ({ ...one, altnames: ['enp9s0', 'ens9'] })),
	'a daemon starts to manage a NIC and sets it up': onLink('eth1', one => ({ ...one, up: true, managedBy: 'systemd-networkd' })),
	'a NIC becomes a port of a bond': onLink('eth1', one => ({ ...one, master: 'bond0' })),
	'a NIC is unplugged': host => ({ ...host, links: host.links.filter(({ ifindex }) => ifindex !== 10) }),
	'routes are printed in another order': host => ({ ...host, routes: host.routes.toReversed(), rules: host.rules.toReversed() }),
	'a route, a rule and an address are added': host => ({
		...onLink('docker0', one => ({ ...one, addresses: [...one.addresses, { ...fixed, cidr: '172.18.0.1/16' }] }))(host),
		routes: [...host.routes, route({ to: '172.18.0.0/16', link: 7, protocol: 2 })],
		rules: [...host.rules, rule({ priority: 5, words: 'from all lookup 9', table: 9 })],
	}),
}

const losses: Record<string, [change: Change, words: RegExp]> = {
	'a static address is removed': [
		onLink('eth0', one => ({ ...one, addresses: one.addresses.filter(({ cidr }) => cidr !== fixed.cidr) })),
		/192\.168\.8\.2/,
	],
	'a static route is removed': [without(({ to }) => to === '10.8.0.0/16'), /10\.8\.0\.0/],
	'a route with two next hops is removed': [
		without(({ nextHops }) => nextHops !== undefined),
		/10\.6\.0\.0\/16 .*via 192\.168\.8\.1 .*via 192\.168\.9\.1/,
	],
	'one of two next hops is removed': [
		host => ({ ...host, routes: host.routes.map(one => (one.nextHops ? { ...one, nextHops: one.nextHops.slice(1) } : one)) }),
		/10\.6\.0\.0\/16 .*via 192\.168\.8\.1 .*via 192\.168\.9\.1/,
	],
	'a route of a routing daemon is removed': [without(({ to }) => to === '10.7.0.0/16'), /10\.7\.0\.0/],
	'the connected route of a static address is removed, but the address stays': [
		without(({ to }) => to === '192.168.8.0/24'),
		/192\.168\.8\.0/,
	],
	'a rule is removed, but the address that it selects stays': [
		host => ({ ...host, rules: host.rules.filter(({ priority }) => priority !== 700) }),
		/lookup 7/,
	],
	'a neighbour of an overlay is removed': [
		host => ({ ...host, neighbours: host.neighbours.filter(({ link }) => link !== 8) }),
		/10\.244\.3\.0/,
	],
	'a link goes down': [onLink('flannel.1', one => ({ ...one, up: false })), /flannel\.1.*now .*down/],
	'a link gets another MTU': [onLink('flannel.1', one => ({ ...one, mtu: 1400 })), /flannel\.1.*now .*1400/],
	'a link gets another name': [onLink('flannel.1', one => ({ ...one, name: 'vxlan9' })), /flannel\.1.*now vxlan9/],
	'a link on top of a NIC of the run gets another MTU': [
		host => onLink('trunk', one => ({ ...one, mtu: 1400 }))(host),
		/trunk.*now .*1400/,
	],
}

describe('it is not a loss if', () => {
	test.each(Object.entries(passes))('%s', (_, change) => {
		expect(lost(change(start))).toEqual([])
	})
})

describe('it is a loss if', () => {
	test.each(Object.entries(losses))('%s', (_, [change, words]) => {
		expect(lost(change(start))).toContainEqual(expect.stringMatching(words))
	})

	test('the connected route of a leased address is removed, but the address stays', () => {
		expect(lost(without(({ to }) => to === '192.168.9.0/24')(start))).toEqual([expect.stringMatching(/192\.168\.9\.0/)])
	})

	test('an alternative name is removed', () => {
		const named = onLink('eth1', one => ({ ...one, altnames: ['enp9s0', 'ens9'] }))(start)
		expect(lost(onLink('eth1', one => ({ ...one, altnames: ['ens9'] }))(named), named)).toEqual([expect.stringMatching(/eth1.*enp9s0/)])
	})
})

describe('the state before a run, with spontaneous changes applied,', () => {
	const before: Partial<Link> = { name: 'ens9', mtu: 1500, up: false, altnames: ['a'], addresses: [fixed] }
	const now: Partial<Link> = {
		name: 'lan9',
		mtu: 1400,
		up: true,
		altnames: ['a', 'b'],
		master: 'br0',
		addresses: [{ ...fixed, dynamic: true }],
	}
	const gained = { up: true, altnames: ['a', 'b'], master: 'br0', addresses: [{ ...fixed, dynamic: true }] }
	const compared = (was: Partial<Link>, is: Partial<Link> | undefined, touched: number[] = [], others: Partial<Link>[] = []) => {
		const hostOf = (own: Partial<Link> | undefined) =>
			hostWith([...(own ? [own] : []), ...others].map(one => ({ ifindex: 3, name: 'ens9', mac: '02:00:00:00:00:09', ...one })))
		const start = hostOf(was)
		const [link] = withoutSpontaneousChanges(start, hostOf(is), new Set(touched)).links
		return Object.fromEntries(
			Object.entries(link ?? {}).filter(([key, value]) => !isDeepStrictEqual(value, start.links[0]?.[key as keyof Link])),
		)
	}

	test.each<[title: string, was: Partial<Link>, is: Partial<Link> | undefined, changed: object]>([
		['has what a link has gained', before, now, gained],
		["has the new name and MTU of a pod's link", { ...before, kind: 'tun' }, now, { ...gained, name: 'lan9', mtu: 1400 }],
		['has the new name and MTU of a macvlan', { ...before, kind: 'macvlan' }, now, { ...gained, name: 'lan9', mtu: 1400 }],
		['has the new name and MTU of an ipvlan', { ...before, kind: 'ipvlan' }, now, { ...gained, name: 'lan9', mtu: 1400 }],
		['does not have the new name and MTU of a VLAN', { ...before, kind: 'vlan' }, now, gained],
		['keeps what a link has lost', { ...before, up: true, master: 'br1' }, { ...before, altnames: [], addresses: [] }, {}],
		['keeps the bridge of a link', { ...before, master: 'br1' }, { ...before, master: 'br0' }, {}],
		['does not have an address that a link has gained', before, { ...before, addresses: [fixed, leased] }, {}],
		['keeps a link that no longer exists', before, undefined, {}],
	])('%s', (_, was, is, changed) => {
		expect(compared(was, is)).toEqual(changed)
	})

	test.each<[title: string, was: Partial<Link>, touched: number[], others: Partial<Link>[], isTouched: boolean]>([
		['it is a link of the run', {}, [3], [], true],
		['it is another link', {}, [4], [], false],
		['it is on top of a link of the run', { kind: 'vlan', lower: 4 }, [4], [], true],
		[
			'it is on top of a VLAN on a link of the run',
			{ kind: 'vlan', lower: 4 },
			[5],
			[{ ifindex: 4, kind: 'vlan', lower: 5 }, { ifindex: 5 }],
			true,
		],
		['it is on top of another link', { kind: 'vlan', lower: 4 }, [5], [{ ifindex: 4 }], false],
		['it is the peer of a link of the run', { kind: 'vxcan', lower: 4 }, [4], [], true],
		['its peer is on top of a link of the run', { kind: 'vxcan', lower: 4 }, [5], [{ ifindex: 4, kind: 'vlan', lower: 5 }], false],
	])('has the changes of a link only if the run does not touch it: %s', (...[, was, touched, others, isTouched]) => {
		expect(compared({ ...before, ...was }, now, touched, others)).toEqual(isTouched ? {} : gained)
	})

	const expired = (one: Route, is: Address[], was: Address[] = [leased, fixed]) => {
		const hosts = [was, is].map(addresses => ({
			...hostWith([{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:02', addresses }]),
			routes: [one],
		}))
		return withoutSpontaneousChanges(hosts[0] as HostState, hosts[1] as HostState, new Set()).routes.length === 0
	}
	const second: Address = { ...leased, cidr: '192.168.9.7/24' }

	test.each<[title: string, one: Route, is: Address[], isExpired: boolean, was?: Address[]]>([
		['the network of an expired address', route({ to: '192.168.9.0/24', protocol: 2 }), [fixed], true],
		['a route from DHCP through that network', route({ to: '10.1.0.0/16', via: '192.168.9.1', protocol: 16 }), [fixed], true],
		['a route from DHCP without a next hop', route({ to: '10.1.0.0/16', protocol: 16 }), [fixed], false],
		['a route from DHCP through another network', route({ to: '10.1.0.0/16', via: '192.168.8.1', protocol: 16 }), [fixed], false],
		['a static route through that network', route({ to: '10.1.0.0/16', via: '192.168.9.1' }), [fixed], false],
		['a static route from the expired address', route({ to: '10.1.0.0/16', source: '192.168.9.2' }), [fixed], true],
		['a kernel route from another address', route({ to: '192.168.9.0/24', protocol: 2, source: '192.168.8.2' }), [fixed], false],
		['the network of an address that stays', route({ to: '192.168.9.0/24', protocol: 2 }), [leased, fixed], false],
		[
			'the network of an expired address and of one that stays',
			route({ to: '192.168.9.0/24', protocol: 2 }),
			[second],
			false,
			[leased, second],
		],
		['the network of a static address that no longer exists', route({ to: '192.168.8.0/24', protocol: 2 }), [leased], false],
		[
			'the network of a link-local address that no longer exists',
			route({ family: 6, to: 'fe80::/64', protocol: 2 }),
			[],
			true,
			[linkLocal],
		],
		['a route over another link', route({ to: '192.168.9.0/24', protocol: 2, link: 9 }), [fixed], false],
		['a route without a link', { ...alone, to: '192.168.9.0/24', protocol: 2 }, [fixed], false],
	])('does not have %s if it expired', (...[, one, is, isExpired, was]) => {
		expect(expired(one, is, was)).toBe(isExpired)
	})

	test.each<[title: string, gone: Route, more: Partial<Rule>, isGone: boolean]>([
		['from a pod that no longer exists', route({ to: '10.244.1.15/32', link: 5 }), { from: '10.244.1.15/32' }, true],
		['to a pod that no longer exists', route({ to: '10.244.1.15/32', link: 5 }), { to: '10.244.1.15/32' }, true],
		[
			'to an IPv6 pod that no longer exists',
			route({ family: 6, to: 'fd00::15/128', link: 5 }),
			{ family: 6, from: '::/0', to: 'fd00::15/128' },
			true,
		],
		['of another pod', route({ to: '10.244.1.15/32', link: 5 }), { to: '10.244.1.1/32' }, false],
		['from a network over a link that no longer exists', route({ to: '10.244.1.0/24', link: 5 }), { from: '10.244.1.0/24' }, false],
		['from a pod whose link exists', route({ to: '10.244.1.15/32', link: 2 }), { from: '10.244.1.15/32' }, false],
		['from an address without a link', { ...alone, to: '10.244.1.15/32' }, { from: '10.244.1.15/32' }, false],
	])('does not have a rule %s: %s', (...[, gone, more, isGone]) => {
		const host = { ...hostWith([{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:02' }]), routes: [gone], rules: [rule(more)] }
		expect(withoutSpontaneousChanges(host, host, new Set()).rules.length).toBe(isGone ? 0 : 1)
	})
})

test('any combination of spontaneous changes is not a loss and hides no loss', () => {
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

test("the index of the other end of a pod's link is ignored, because that end is in another namespace", () => {
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

/** The kernel removes the connected route and all routes that have the address as their source; a DHCP client removes its routes. */
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
