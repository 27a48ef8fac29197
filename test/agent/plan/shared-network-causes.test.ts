import { describe, expect, test } from 'vitest'
import type { Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { over, type SharingInput, sharings } from '../../../agent/plan/shared-network.ts'
import { hostWith } from '../simulated-host.ts'
import { addressWith, linkWith, macOf, nicWith, routeTo } from './network-builders.ts'

/** Why the connected route of an interface is not in the main table, and the command that shows it. */

const [MGMT, OWN] = [2, 3]
const mgmt = linkWith({ ifindex: MGMT, name: 'mgmt', mac: macOf(9), addresses: [addressWith('192.168.9.2/24')] })
const other = (ifindex: number, name: string, ...cidrs: string[]) =>
	linkWith({ ifindex, name, mac: macOf(8), addresses: cidrs.map(cidr => addressWith(cidr)) })
const byDefault = routeTo('0.0.0.0/0', { link: MGMT, via: '192.168.9.1' })
const overMgmt = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: MGMT, ...more })
const hops = (...links: number[]) => links.map(link => ({ via: '192.168.9.1', link, weight: 1, onlink: false }))
type Options = { links?: Link[]; routes?: Route[] } & Partial<SharingInput>
function causeOf(cidr: string, { links = [], routes = [], ...more }: Options = {}) {
	const host = { ...hostWith([]), links: [mgmt, linkWith(), ...links], routes: [...routes, byDefault, overMgmt('fd98::/64')] }
	const common = { own: new Set([OWN]), needed: [], nodeAddresses: [], protectedNetworks: [] }
	return sharings({ interfaces: [nicWith({ addresses: cidr.split(' ') })], host, ...common, ...more }).get(0)
}

describe('a cause comes with the command that shows it:', () => {
	test.each<[title: string, cidr: string, options: Options, says: string, see: string]>([
		['an address', '192.168.9.50/24', {}, 'mgmt has 192.168.9.2/24', 'ip addr show dev mgmt'],
		[
			'a route',
			'10.9.3.50/24',
			{ routes: [overMgmt('10.9.0.0/16')] },
			'the main table has a route to 10.9.0.0/16 over mgmt',
			'ip route show 10.9.0.0/16',
		],
		[
			'an IPv6 route',
			'fd09::50/64',
			{ routes: [overMgmt('fd09::/48')] },
			'the main table has a route to fd09::/48 over mgmt',
			'ip -6 route show fd09::/48',
		],
		[
			'a path of the node',
			'10.5.0.50/24',
			{ needed: ['10.5.0.1'] },
			'this node reaches 10.5.0.1 via 192.168.9.1 over mgmt',
			'ip route get 10.5.0.1',
		],
		[
			'a network of the cluster',
			'10.9.3.50/24',
			{ protectedNetworks: [{ network: '10.9.0.0/16', what: 'a pod network' }] },
			'the network overlaps 10.9.0.0/16, a pod network',
			'ip route show 10.9.0.0/16',
		],
		['a network that is too wide', '8.0.0.1/15', {}, 'the network is too wide for the main table', 'ip route show'],
	])('%s', (_, cidr, options, ...[says, see]) => {
		expect(causeOf(cidr, options)).toEqual({ says, see })
	})

	test('another interface in the same network', () => {
		const interfaces = [nicWith({ id: 1, addresses: ['fd05::51/64'] }), nicWith({ addresses: ['fd05::50/64', '10.0.0.1/24'] })]
		const cause = { says: 'multinic0 is also in fd05::/64', see: 'ip -6 route show fd05::/64' }
		expect(sharings({ interfaces, host: hostWith([]), own: new Set(), needed: [], nodeAddresses: [], protectedNetworks: [] })).toEqual(
			new Map([[1, cause]]),
		)
	})
})

describe('a network is too wide for the main table', () => {
	test.each<[cidr: string, isTooWide: boolean]>([
		['10.0.0.1/8', false],
		['10.0.0.1/7', true],
		['172.16.0.1/12', false],
		['172.16.0.1/11', true],
		['192.168.0.1/16', false],
		['192.168.0.1/15', true],
		['100.64.0.1/10', false],
		['100.64.0.1/9', true],
		['8.0.0.1/16', false],
		['8.0.0.1/15', true],
		['fc00::1/32', false],
		['fdff::1/31', true],
		['2001:db8::1/48', false],
		['2001:db8::1/47', true],
	])('if it is not private and wider than /16 (IPv6: /48), or wider than its private range: %s: %s', (cidr, isTooWide) => {
		const host = { ...hostWith([]), links: [linkWith()] }
		const found = sharings({
			interfaces: [nicWith({ addresses: [cidr] })],
			host,
			own: new Set([OWN]),
			needed: [],
			nodeAddresses: [],
			protectedNetworks: [],
		})
		expect(found.get(0)?.says).toBe(isTooWide ? 'the network is too wide for the main table' : undefined)
	})
})

describe('a connected route must not take precedence over', () => {
	test.each<[title: string, cidr: string, options: Options, says: string]>([
		[
			'the network at the far end of a tunnel',
			'10.6.0.50/25',
			{ links: [linkWith({ ifindex: 9, name: 'tun0', addresses: [addressWith('10.5.0.6/24', { peer: '10.6.0.1' })] })] },
			'tun0 has 10.5.0.6/24 with peer 10.6.0.1',
		],
		[
			'the local address of a tunnel',
			'10.5.0.50/24',
			{ links: [linkWith({ ifindex: 9, name: 'tun0', addresses: [addressWith('10.5.0.6/24', { peer: '10.6.0.1' })] })] },
			'tun0 has 10.5.0.6/24 with peer 10.6.0.1',
		],
		[
			'a path to an address in one of two networks',
			'10.4.0.50/24 10.5.0.50/24',
			{ needed: ['10.5.0.1'] },
			'this node reaches 10.5.0.1 via 192.168.9.1 over mgmt',
		],
		[
			'an address of the node on lo, in another notation',
			'fd05::50/64',
			{ links: [other(1, 'lo', 'fd05::2/128')], nodeAddresses: ['FD05:0::2'] },
			'lo has fd05::2/128',
		],
		[
			'a route over its own link and another',
			'10.9.3.50/24',
			{ routes: [routeTo('10.9.0.0/16', { nextHops: hops(MGMT, OWN) })] },
			'the main table has a route to 10.9.0.0/16 over mgmt and ens7',
		],
		[
			'an on-link route to a part of the network',
			'10.9.3.50/16',
			{ routes: [overMgmt('10.9.3.0/24')] },
			'the main table has a route to 10.9.3.0/24 over mgmt',
		],
		[
			'a route to a quarter of the address space',
			'10.9.3.50/24',
			{ routes: [overMgmt('0.0.0.0/2', { via: '192.168.9.1' })] },
			'the main table has a route to 0.0.0.0/2 via 192.168.9.1 over mgmt',
		],
		[
			'a path over a route to half of the address space',
			'10.5.0.50/24',
			{ routes: [overMgmt('0.0.0.0/1', { via: '192.168.9.9' })], needed: ['10.5.0.1'] },
			'this node reaches 10.5.0.1 via 192.168.9.9 over mgmt',
		],
		[
			'a path with the smallest metric',
			'10.5.0.50/24',
			{ routes: [routeTo('0.0.0.0/0', { link: OWN, via: '10.5.0.1', metric: 50 })], needed: ['10.5.0.1'] },
			'this node reaches 10.5.0.1 via 192.168.9.1 over mgmt',
		],
		[
			'an IPv6 path',
			'fd05::50/64',
			{ routes: [overMgmt('::/0', { via: 'fd99::1' })], needed: ['fd05::1'] },
			'this node reaches fd05::1 via fd99::1 over mgmt',
		],
		[
			'the path to a next hop of the node',
			'10.5.0.50/24',
			{ routes: [overMgmt('10.77.0.0/16', { via: '10.5.0.1', onlink: true })] },
			'this node reaches 10.5.0.1 via 192.168.9.1 over mgmt',
		],
	])('%s', (_, cidr, options, says) => {
		expect(causeOf(cidr, options)?.says).toBe(says)
	})

	test.each<[title: string, cidr: string, options: Options]>([
		['except a host route', '10.9.3.50/24', { routes: [overMgmt('10.9.3.7/32')] }],
		[
			'except a route to a part of the network that rejects packets',
			'fd05::50/48',
			{ routes: [routeTo('fd05:0:0:1::/64', { link: 1, type: 7 })] },
		],
		[
			'except a route through several next hops to a part of the network',
			'10.9.3.50/16',
			{ routes: [routeTo('10.9.3.0/24', { nextHops: hops(MGMT, 4) })] },
		],
		[
			'except an on-link route over several links to a part of the network',
			'10.9.3.50/16',
			{ routes: [routeTo('10.9.3.0/24', { nextHops: [MGMT, 4].map(link => ({ link, weight: 1, onlink: false })) })] },
		],
		[
			'except an IPv6 path that has a longer prefix',
			'fd05::50/64',
			{ routes: [overMgmt('::/0', { via: 'fd99::1' }), overMgmt('fd05::/80', { via: 'fd99::1' })], needed: ['fd05::1'] },
		],
		['except a link-local route', 'fe80::50/64', { routes: [overMgmt('fe80::/64')] }],
		[
			'except a network that does not contain the far end of a tunnel',
			'10.7.0.50/24',
			{ links: [linkWith({ ifindex: 9, name: 'tun0', addresses: [addressWith('10.5.0.6/24', { peer: '10.6.0.1' })] })] },
		],
		['except a route to half of the address space', '10.9.3.50/24', { routes: [overMgmt('0.0.0.0/1')] }],
		[
			'except the path to a next hop of its own link',
			'10.5.0.50/24',
			{ routes: [routeTo('10.77.0.0/16', { link: OWN, via: '10.5.0.1', onlink: true })] },
		],
		[
			'except a path over its own link',
			'10.5.0.50/24',
			{ routes: [routeTo('0.0.0.0/1', { link: OWN, via: '10.5.0.1' })], needed: ['10.5.0.1'] },
		],
		['except a path to an address of the node', '10.5.0.50/24', { links: [other(1, 'lo', '10.5.0.1/32')], needed: ['10.5.0.1'] }],
		[
			'except a path that has a longer prefix',
			'10.5.0.50/24',
			{ routes: [overMgmt('10.5.0.0/28', { via: '192.168.9.1' })], needed: ['10.5.0.1'] },
		],
		[
			'except an address of a link that MultiNIC manages',
			'10.5.0.50/24',
			{ links: [other(4, 'ens8', '10.5.0.9/24')], own: new Set([OWN, 4]) },
		],
		['except a route of the other family', '::a09:350/120', { routes: [overMgmt('10.9.3.0/24')] }],
	])('%s', (_, cidr, options) => {
		expect(causeOf(cidr, options)).toBeUndefined()
	})
})

describe('the message names the first of several causes:', () => {
	const all: Options = {
		links: [other(9, 'eth9', '10.5.0.9/24')],
		routes: [overMgmt('10.5.0.0/16')],
		needed: ['10.5.0.1'],
		protectedNetworks: [{ network: '10.5.0.0/16', what: 'a pod network' }],
	}
	test.each<[title: string, options: Options, says: RegExp]>([
		['an address', all, /^eth9 has/],
		['a route', { ...all, links: [] }, /^the main table has a route/],
		['a path', { ...all, links: [], routes: [] }, /^this node reaches/],
		['a network of the cluster', { ...all, links: [], routes: [], needed: [] }, /^the network overlaps/],
	])('%s', (_, options, says) => {
		expect(causeOf('10.5.0.50/24', options)?.says).toMatch(says)
	})

	test('the width of the network is the last cause', () => {
		expect(causeOf('8.0.0.50/8', { protectedNetworks: [{ network: '8.5.0.0/16', what: 'a pod network' }] })?.says).toMatch(
			/^the network overlaps/,
		)
	})
})

test.each<[title: string, route: Route, words: string]>([
	['its next hop and link', overMgmt('10.9.0.0/16', { via: '192.168.9.1' }), ' via 192.168.9.1 over mgmt'],
	['its link', overMgmt('10.9.0.0/16'), ' over mgmt'],
	['its links', routeTo('10.9.0.0/16', { nextHops: hops(MGMT, OWN) }), ' over mgmt and ens7'],
	['nothing without a link', routeTo('10.9.0.0/16', { type: 6 }), ''],
])('the description of a route contains %s', (_, route, words) => {
	expect(over(route, [mgmt, linkWith()])).toBe(words)
})
