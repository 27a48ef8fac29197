import { describe, expect, test } from 'vitest'
import type { Change } from '../../../agent/model/change.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import {
	addressesAfter,
	asWanted,
	byReach,
	missingRoutes,
	routesFlushedWithLastAddress,
	routesOn,
	staleRoutes,
} from '../../../agent/plan/routes.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { address, inputOf, type OneNic, recordedNic, route, routeOver, routeWithoutLink } from './one-nic.ts'

/** Routes that a run removes, adds, and adds again. */

const to = '10.9.0.0/16'
const via = '10.0.0.7'
const kernel = { protocol: 2, scope: 253 }
const bases = [DEFAULT_BASES]
const nicWith = (cidrs: readonly string[], routes: readonly Route[] = [], one: OneNic = {}) =>
	inputOf({ link: { addresses: cidrs.map(cidr => address(cidr)) }, ...one, host: { routes, ...one.host } })

test('the routes of a NIC are those of all tables that the kernel did not create, also over several links', () => {
	const routes = [route(to), route(to, { table: 100 }), routeOver('10.8.0.0/16', [2, 3])]
	const others = [
		route(to, { link: 2 }),
		routeWithoutLink('10.7.0.0/16'),
		route('10.0.0.0/24', kernel),
		route('10.0.0.23/32', { ...kernel, type: 2 }),
	]
	const { link, host } = nicWith(['10.0.0.23/24'], [...others, ...routes])
	expect(routesOn(link, host)).toEqual(routes)
})

describe('routes are sorted so that each can be added:', () => {
	const local = route('10.0.0.99/32', { type: 2 })
	const plain = route(to)
	const through = route('10.8.0.0/16', { via })
	const half = {
		...routeOver('fd08::/64', [3, 3]),
		nextHops: [
			{ link: 3, weight: 1, onlink: false },
			{ via: 'fd00::7', link: 3, weight: 1, onlink: false },
		],
	}
	const both = { ...half, nextHops: [3, 4].map(link => ({ link, weight: 1, onlink: false })) }
	const far = { ...half, nextHops: [3, 4].map(link => ({ via: 'fd00::7', link, weight: 1, onlink: false })) }
	const broadcast = route('10.0.0.255/32', { type: 3 })
	const localSix = route('fd00::99/128', { type: 2 })

	test.each<[title: string, first: Route, second: Route]>([
		['a route without a next hop before one with a next hop', plain, through],
		['a route without a next hop before one over two links, one with a next hop', plain, half],
		['a route with a next hop on one of two links before one with next hops on both', half, far],
		['a route with a next hop on one of two links before one with a next hop', half, through],
		['a route over two links without next hops before one with a next hop on one of them', both, half],
		['a local route of IPv4 before a route with a next hop', local, through],
		['a local route of IPv6 after a route with a next hop', through, localSix],
		['a broadcast route after a route with a next hop', through, broadcast],
	])('%s', (_, first, second) => {
		expect([second, first].toSorted(byReach)).toEqual([first, second])
		expect([first, second].toSorted(byReach)).toEqual([first, second])
	})

	test.each<[title: string, one: Route, other: Route]>([
		['a local route of IPv4 and a route without a next hop', local, plain],
		['two routes with a next hop', through, far],
		['a broadcast route and a local one of IPv6', broadcast, localSix],
		['a route without a next hop and one over two links without next hops', plain, both],
	])('%s stay in their order', (_, one, other) => {
		expect([one, other].toSorted(byReach)).toEqual([one, other])
		expect([other, one].toSorted(byReach)).toEqual([other, one])
	})

	test('the routes of a NIC are in this order', () => {
		const { link, host } = nicWith([], [broadcast, through, plain])
		expect(routesOn(link, host)).toEqual([plain, through, broadcast])
	})
})

describe('a run removes a route', () => {
	type Stale = { routes?: Route[]; ours?: RecordedLink; remaining?: string[] }
	const recorded = (one: RecordedLink['routes'][number]) => recordedNic({ routes: [one] })
	const staying = { remaining: ['10.0.0.23/24'] }

	test.each<[title: string, found: Route, more: Stale, isStale: boolean]>([
		['that MultiNIC added', route(to, { via }), { ours: recorded({ to, via, table: 254, metric: 0 }) }, true],
		['that MultiNIC added without a next hop', route(to), { ours: recorded({ to, table: 254, metric: 0 }) }, true],
		['of IPv6 that MultiNIC added', route('fd09::/64'), { ours: recorded({ to: 'fd09::/64', table: 254, metric: 1024 }) }, true],
		[
			'but not one to the same network through another next hop',
			route(to, { via: '10.0.0.8' }),
			{ ours: recorded({ to, via, table: 254, metric: 0 }) },
			false,
		],
		['but not one that MultiNIC did not add', route(to, { via }), { ours: recordedNic() }, false],
		['but not one of a NIC without a record', route(to, { via }), {}, false],
		['that DHCP added', route(to, { protocol: 16 }), {}, true],
		['of a router', route('::/0', { via: 'fe80::1', protocol: 9 }), {}, true],
		['in a table managed by MultiNIC', route(to, { table: 109 }), {}, true],
		['but not in a table after these', route(to, { table: 110 }), {}, false],
		['but not if it is desired', route(to, { table: 100 }), { routes: [route(to, { table: 100 })] }, false],
		['but not one of the kernel', route('10.0.0.0/24', kernel), {}, false],
		['but not one over another link', route(to, { table: 100, link: 2 }), {}, false],
		['whose next hop is in the network of no other address', route(to, { via }), { remaining: [] }, true],
		['but not if another address reaches the next hop', route(to, { via }), { remaining: ['10.0.0.24/24'] }, false],
		['but not if the next hop was in no network of the NIC', route(to, { via: '10.1.0.7' }), { remaining: [] }, false],
		['but not if its next hop need not be in a network', route(to, { via, onlink: true }), { remaining: [] }, false],
		['whose source is removed', route(to, { source: '10.0.0.23' }), { remaining: [] }, true],
		['but not if its source stays, with another prefix length', route(to, { source: '10.0.0.23' }), { remaining: ['10.0.0.23/32'] }, false],
		['but not if its source is an address of another link', route(to, { source: '10.5.0.5' }), { remaining: [] }, false],
		['but not without next hop and source', route(to), { remaining: [] }, false],
		[
			'with several next hops, one in the network of no other address',
			{
				...routeOver(to, [2, 3]),
				nextHops: [
					{ via: '10.1.0.7', link: 2, weight: 1, onlink: false },
					{ via, link: 3, weight: 1, onlink: false },
				],
			},
			{ remaining: [] },
			true,
		],
		['but not one with several next hops elsewhere', routeOver(to, [2, 3]), { remaining: [] }, false],
	])('%s', (_, found, more, isStale) => {
		const { link, host } = nicWith(['10.0.0.23/24'], [found])
		const stale = staleRoutes(link, { routes: [], ours: undefined, ...staying, bases, ...more }, host)
		expect(stale).toEqual(isStale ? [{ kind: 'removeRoute', route: found }] : [])
	})
})

test('a route loses its next hop with one of several addresses', () => {
	const found = route(to, { via })
	const { link, host } = nicWith(['10.5.0.5/24', '10.0.0.23/24'], [found])
	const stale = staleRoutes(link, { routes: [], ours: undefined, remaining: ['10.5.0.5/24'], bases }, host)
	expect(stale).toEqual([{ kind: 'removeRoute', route: found }])
})

test('the addresses of a NIC after a run are the desired ones, and the others that it does not remove', () => {
	const { link } = nicWith(['10.0.0.23/24', '10.0.0.99/24', '10.0.0.98/24'])
	const [, gone, stays] = link.addresses
	const taken: Change[] = [
		{ kind: 'removeAddress', link: 3, address: gone as never },
		{ kind: 'addAddress', link: 3, address: stays as never },
		{ kind: 'up', link: 3 },
	]
	expect(addressesAfter(link, taken, ['10.0.0.5/24'])).toEqual(['10.0.0.5/24', '10.0.0.23/24', '10.0.0.98/24'])
})

describe('the kernel removes a route', () => {
	type Flush = { along?: string[]; first?: string[]; stale?: Route[]; remaining?: string[]; link?: Partial<Link> }
	const own = { along: ['10.0.0.23/24'] }
	const second = { along: ['10.0.0.24/24'], remaining: ['10.0.0.24/24'] }
	const sourced = route(to, { source: '10.0.0.24' })

	test.each<[title: string, found: Route, more: Flush, isFlushed: boolean]>([
		['with the last IPv4 address', route(to), own, true],
		['over several links, with the last IPv4 address of one', routeOver(to, [2, 3]), own, true],
		['of IPv6 not with it', route('fd09::/64'), own, false],
		['that the run removes not with it', route(to), { ...own, stale: [route(to)] }, false],
		['over another link not with it', route(to, { link: 2 }), own, false],
		[
			'not while another address stays',
			route(to),
			{ ...own, link: { addresses: ['10.0.0.23/24', '10.0.0.24/24'].map(cidr => address(cidr)) } },
			false,
		],
		['not if its addresses are absent one after the other', route(to), { ...own, first: [] }, false],
		[
			'if an address of IPv6 stays',
			route(to),
			{ ...own, link: { addresses: ['fd00::5/64', '10.0.0.23/24'].map(cidr => address(cidr)) } },
			true,
		],
		['not on a NIC without IPv4 addresses', route(to), { ...own, link: { addresses: [address('fd00::5/64')] } }, false],
		['on any link, with its source', { ...sourced, link: 2 }, second, true],
		['with its source, although the source gets another prefix length', sourced, { ...second, remaining: ['10.0.0.24/32'] }, true],
		['with its source, and the run does not keep the source', sourced, { ...second, remaining: [] }, false],
		['not if its source is never absent', sourced, { along: ['10.0.0.25/24'], remaining: ['10.0.0.24/24', '10.0.0.25/24'] }, false],
		['with its source, which is one of several', sourced, { ...second, along: ['10.0.0.25/24', '10.0.0.24/24'] }, true],
		['of the kernel, and adds it again', { ...sourced, to: '10.0.0.24/32', ...kernel, type: 2 }, second, false],
		['without a source not with an address', route(to), second, false],
	])('%s', (_, found, { along = [], first, stale = [], remaining = ['10.0.0.23/24'], link }, isFlushed) => {
		const question = nicWith(['10.0.0.23/24'], [found], { ...(link && { link }) })
		const removed = question.host.routes.filter(one => stale.some(other => other.to === one.to))
		const input = {
			along: new Set(along),
			...(first && { first: new Set(first) }),
			stale: removed.map((one): Change => ({ kind: 'removeRoute', route: one })),
			routes: [],
			remaining,
		}
		const again = routesFlushedWithLastAddress(question.link, input, question.host)
		expect(again).toEqual(isFlushed ? [{ kind: 'addRoute', route: found, replace: true }] : [])
	})

	test('once, with its link and its source, and the run adds its desired form', () => {
		const found = { ...sourced, source: '10.0.0.23', via }
		const { link, host } = nicWith(['10.0.0.23/24'], [found])
		const wanted = { ...found, onlink: true }
		const input = { along: new Set(['10.0.0.23/24']), stale: [], routes: [route('10.8.0.0/16'), wanted], remaining: ['10.0.0.23/24'] }
		expect(routesFlushedWithLastAddress(link, input, host)).toEqual([{ kind: 'addRoute', route: wanted, replace: true }])
	})
})

test('a route that is not desired keeps its form', () => {
	expect(asWanted(route(to), [route('10.8.0.0/16')])).toEqual(route(to))
})

describe('a desired route', () => {
	const wanted = route(to, { table: 100 })
	const plain = route(to)

	test.each<[title: string, one: Route, found: Route[], isMissing: boolean]>([
		['is missing', wanted, [route('10.8.0.0/16', { table: 100 })], true],
		['is there', wanted, [route('10.8.0.0/16', { table: 100 }), wanted], false],
		['is missing if only another table has it', wanted, [plain], true],
		['is there with the protocol of another program', wanted, [{ ...wanted, protocol: 3 }], false],
		['has another scope', wanted, [{ ...wanted, scope: 253 }], true],
		['has a source', wanted, [{ ...wanted, source: '10.0.0.23' }], true],
		['has a next hop that need not be in a network', wanted, [{ ...wanted, onlink: true }], true],
		['has metrics', wanted, [{ ...wanted, metrics: { mtu: '1400' } }], true],
		['has an encapsulation', wanted, [{ ...wanted, encap: 'mpls 100' }], true],
		['has a next hop object', wanted, [{ ...wanted, nextHopId: 7 }], true],
		[
			'is there in the main table, whatever its attributes',
			plain,
			[{ ...plain, scope: 253, source: '10.0.0.23', metrics: { mtu: '1400' } }],
			false,
		],
	])('%s', (_, one, routes, isMissing) => {
		expect(missingRoutes([one], bases, nicWith([], routes).host)).toEqual(isMissing ? [{ kind: 'addRoute', route: one }] : [])
	})
})
