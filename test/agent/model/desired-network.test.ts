import { describe, expect, test } from 'vitest'
import { addressesOf, routesOf, sysctlsOf } from '../../../agent/model/desired-network.ts'
import { gatewaysOf, hasMetric, linksOf, type Route, routeKey } from '../../../agent/model/route.ts'
import type { WantedInterface } from '../../../contract/interface.ts'

/** Addresses, routes and settings of an interface. */

const nic = (more: Partial<WantedInterface> = {}): WantedInterface =>
	({
		id: 1,
		name: 'multinic1',
		macAddress: 'fa:16:3e:00:00:01',
		address: '10.0.1.23',
		cidr: '10.0.1.0/24',
		gateway: '10.0.1.1',
		policyRouting: true,
		connectedRoute: true,
		defaultRoute: false,
		...more,
	}) as WantedInterface
/** `to via … table metric`, with `link` for scope link and `onlink`. */
const words = (more: Partial<WantedInterface>) =>
	routesOf(nic(more), 3).map(({ to, via, table, metric, scope, onlink }) =>
		[to, ...(via === undefined ? [] : ['via', via]), table, metric, ...(scope === 253 ? ['link'] : []), ...(onlink ? ['onlink'] : [])].join(
			' ',
		),
	)

describe('the routes of an interface', () => {
	const own = ['10.0.1.0/24 101 0 link', '0.0.0.0/0 via 10.0.1.1 101 0']
	test.each<[title: string, more: Partial<WantedInterface>, routes: string[]]>([
		['are in its table', {}, own],
		['do not exist without policy routing', { policyRouting: false }, []],
		[
			'are in the table of its base',
			{ bases: { table: 200, priority: 20_000 } },
			['10.0.1.0/24 201 0 link', '0.0.0.0/0 via 10.0.1.1 201 0'],
		],
		['do not include a default route without a gateway', { gateway: undefined as never }, own.slice(0, 1)],
		[
			'include a default route in the main table with defaultRoute, with a metric that contains the id',
			{ defaultRoute: true },
			[...own, '0.0.0.0/0 via 10.0.1.1 254 1101'],
		],
		[
			'are only a default route in the main table with defaultRoute and without policy routing',
			{ defaultRoute: true, policyRouting: false },
			['0.0.0.0/0 via 10.0.1.1 254 1101'],
		],
		[
			'include those of the config, in its own table',
			{ routes: [{ to: '10.7.0.1/16', via: '10.0.1.9' }] as never },
			[...own, '10.7.0.0/16 via 10.0.1.9 101 0'],
		],
		[
			'have the table and metric in the config',
			{ routes: [{ to: '10.7.0.0/16', via: '10.0.1.9', table: 7, metric: 5 }] as never },
			[...own, '10.7.0.0/16 via 10.0.1.9 7 5'],
		],
		[
			'include those of the config, in the main table without policy routing',
			{ policyRouting: false, routes: [{ to: '10.7.0.0/16' }] as never },
			['10.7.0.0/16 254 0 link'],
		],
		[
			'need onlink for a gateway outside its network',
			{ gateway: '10.9.9.9' },
			['10.0.1.0/24 101 0 link', '0.0.0.0/0 via 10.9.9.9 101 0 onlink'],
		],
		[
			'need onlink for IPv4 without a connected route',
			{ connectedRoute: false },
			['10.0.1.0/24 101 0 link', '0.0.0.0/0 via 10.0.1.1 101 0 onlink'],
		],
	])('%s', (_, more, routes) => {
		expect(words(more)).toEqual(routes)
	})

	const six = { address: undefined as never, cidr: undefined as never, addresses: ['fd00::23/64'], gateway: 'fd00:0::1' }
	test.each<[title: string, more: Partial<WantedInterface>, routes: string[]]>([
		['have metric 1024 by default', {}, ['fd00::/64 101 1024', '::/0 via fd00::1 101 1024']],
		[
			'do not need onlink in its own table, even without a connected route',
			{ connectedRoute: false },
			['fd00::/64 101 1024', '::/0 via fd00::1 101 1024'],
		],
		[
			'need onlink in another table without a connected route',
			{ connectedRoute: false, policyRouting: false, defaultRoute: true },
			['::/0 via fd00::1 254 1101 onlink'],
		],
		['do not need onlink for a link-local gateway', { gateway: 'fe80::1' }, ['fd00::/64 101 1024', '::/0 via fe80::1 101 1024']],
	])('for IPv6 %s', (_, more, routes) => {
		expect(words({ ...six, ...more })).toEqual(routes)
	})
})

test.each<[title: string, more: Partial<WantedInterface>, addresses: string[]]>([
	['the prefix length of its network', {}, ['10.0.1.23/24']],
	[
		'prefix length 32 or 128 without a connected route',
		{ connectedRoute: false, addresses: ['fd00::23/64'] },
		['10.0.1.23/32', 'fd00::23/128'],
	],
	[
		'the prefix length of its network if it is link-local',
		{ connectedRoute: false, addresses: ['fe80::23/64'] },
		['10.0.1.23/32', 'fe80::23/64'],
	],
	['no duplicate that differs only in the prefix length', { connectedRoute: false, addresses: ['10.0.1.23/16'] }, ['10.0.1.23/32']],
])('an address has %s', (_, more, addresses) => {
	expect(addressesOf(nic(more))).toEqual(addresses)
})

test('only policy routing changes the ARP settings of a link, and no link accepts router advertisements', () => {
	expect(sysctlsOf(nic())).toEqual({ 'ipv4/rp_filter': '2', 'ipv4/arp_ignore': '1', 'ipv4/arp_announce': '2', 'ipv6/accept_ra': '0' })
	expect(sysctlsOf(nic({ policyRouting: false }))).toEqual({ 'ipv6/accept_ra': '0' })
})

describe('the key of a route', () => {
	const route: Route = { family: 4, to: '10.7.0.0/16', link: 3, table: 254, metric: 5, protocol: 4, type: 1, scope: 0, onlink: false }
	const { link: _, ...linkless } = route
	test.each<[title: string, one: Route, key: string]>([
		['contains its destination, link, table, metric and type', route, '4 10.7.0.0/16  3 254 5 1'],
		['contains its next hop', { ...route, via: '10.0.0.1' }, '4 10.7.0.0/16 10.0.0.1 3 254 5 1'],
		['contains no link if the route has none', linkless, '4 10.7.0.0/16   254 5 1'],
		['contains its TOS', { ...route, tos: 8 }, '4 10.7.0.0/16  3 254 5 1 tos 8'],
		['contains its source', { ...route, from: 'fd00::/64' }, '4 10.7.0.0/16  3 254 5 1 from fd00::/64'],
		[
			'contains its next hops',
			{
				...linkless,
				nextHops: [
					{ via: '10.0.0.1', link: 3, weight: 2, onlink: false },
					{ weight: 1, onlink: false },
				],
			},
			'4 10.7.0.0/16   254 5 1 nexthop 10.0.0.1 3 2 nexthop   1',
		],
	])('%s', (_, one, key) => {
		expect(routeKey(one)).toBe(key)
	})
})

test.each<[title: string, route: Parameters<typeof linksOf>[0], links: number[], gateways: string[]]>([
	['a link', { link: 3 }, [3], []],
	['a link and a gateway', { link: 3, via: '10.0.0.1' } as never, [3], ['10.0.0.1 3']],
	['neither a link nor a gateway', {}, [], []],
	[
		'several next hops, with each link once',
		{ nextHops: [{ via: '10.0.0.1', link: 3 }, { via: '10.0.0.2', link: 3 }, { link: 4 }] } as never,
		[3, 4],
		['10.0.0.1 3', '10.0.0.2 3'],
	],
	['a gateway without a link', { nextHops: [{ via: '10.0.0.1' }] } as never, [], []],
])('the links and gateways of a route with %s', (_, route, links, gateways) => {
	expect(linksOf(route)).toEqual(links)
	expect(gatewaysOf(route).map(({ ip, link }) => `${ip} ${link}`)).toEqual(gateways)
})

test.each([
	[4, 0, false],
	[4, 1_024, true],
	[6, 1_024, false],
	[6, 0, true],
] as const)('an IPv%i route with metric %i has an explicit metric: %s', (family, metric, isExplicit) => {
	expect(hasMetric({ family, metric })).toBe(isExplicit)
})
