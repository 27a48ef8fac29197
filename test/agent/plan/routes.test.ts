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

/** Routes that a run removes, adds, or adds again. */

const to = '10.9.0.0/16'
const via = '10.0.0.7'
const kernel = { protocol: 2, scope: 253 }
const bases = [DEFAULT_BASES]
const nicWith = (cidrs: readonly string[], routes: readonly Route[] = [], one: OneNic = {}) =>
	inputOf({ link: { addresses: cidrs.map(cidr => address(cidr)) }, ...one, host: { routes, ...one.host } })

test('the routes of a NIC are those in all tables that the kernel did not create, including routes over several links', () => {
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
		['a route without a next hop before one that has only one of two next hops', plain, half],
		['a route with a next hop on one of two links before one with next hops on both', half, far],
		['a route with a next hop on one of two links before one with a next hop', half, through],
		['a route over two links without next hops before one with a next hop on one of them', both, half],
		['a local IPv4 route before a route with a next hop', local, through],
		['a local IPv6 route after a route with a next hop', through, localSix],
		['a broadcast route after a route with a next hop', through, broadcast],
	])('%s', (_, first, second) => {
		expect([second, first].toSorted(byReach)).toEqual([first, second])
		expect([first, second].toSorted(byReach)).toEqual([first, second])
	})

	test.each<[title: string, one: Route, other: Route]>([
		['a local IPv4 route and a route without a next hop', local, plain],
		['two routes with a next hop', through, far],
		['a broadcast route and a local IPv6 route', broadcast, localSix],
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
		['that is IPv6 and that MultiNIC added', route('fd09::/64'), { ours: recorded({ to: 'fd09::/64', table: 254, metric: 1024 }) }, true],
		[
			'but not one to the same network through another next hop',
			route(to, { via: '10.0.0.8' }),
			{ ours: recorded({ to, via, table: 254, metric: 0 }) },
			false,
		],
		['but not one that MultiNIC did not add', route(to, { via }), { ours: recordedNic() }, false],
		['but not one of a NIC without a record', route(to, { via }), {}, false],
		['that DHCP added', route(to, { protocol: 16 }), {}, true],
		['from a router advertisement', route('::/0', { via: 'fe80::1', protocol: 9 }), {}, true],
		['in a table managed by MultiNIC', route(to, { table: 109 }), {}, true],
		['but not in the table after the last managed one', route(to, { table: 110 }), {}, false],
		['but not if it is desired', route(to, { table: 100 }), { routes: [route(to, { table: 100 })] }, false],
		['but not a kernel route', route('10.0.0.0/24', kernel), {}, false],
		['but not one over another link', route(to, { table: 100, link: 2 }), {}, false],
		['whose next hop no other address reaches', route(to, { via }), { remaining: [] }, true],
		['but not if another address reaches the next hop', route(to, { via }), { remaining: ['10.0.0.24/24'] }, false],
		['but not if the next hop was in no network of the NIC', route(to, { via: '10.1.0.7' }), { remaining: [] }, false],
		['but not if the route is onlink', route(to, { via, onlink: true }), { remaining: [] }, false],
		['whose source is removed', route(to, { source: '10.0.0.23' }), { remaining: [] }, true],
		['but not if its source stays, with another prefix length', route(to, { source: '10.0.0.23' }), { remaining: ['10.0.0.23/32'] }, false],
		['but not if its source is an address of another link', route(to, { source: '10.5.0.5' }), { remaining: [] }, false],
		['but not without a next hop and a source', route(to), { remaining: [] }, false],
		[
			'with several next hops, if no other address reaches one of them',
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
		['but not one with several next hops outside the networks of the NIC', routeOver(to, [2, 3]), { remaining: [] }, false],
	])('%s', (_, found, more, isStale) => {
		const { link, host } = nicWith(['10.0.0.23/24'], [found])
		const stale = staleRoutes(link, { routes: [], ours: undefined, ...staying, bases, ...more }, host)
		expect(stale).toEqual(isStale ? [{ kind: 'removeRoute', route: found }] : [])
	})
})

test('a route is removed if its next hop is in the network of the removed one of several addresses', () => {
	const found = route(to, { via })
	const { link, host } = nicWith(['10.5.0.5/24', '10.0.0.23/24'], [found])
	const stale = staleRoutes(link, { routes: [], ours: undefined, remaining: ['10.5.0.5/24'], bases }, host)
	expect(stale).toEqual([{ kind: 'removeRoute', route: found }])
})

test('the addresses of a NIC after a run are the desired ones and those that the run does not remove', () => {
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
		['together with the last IPv4 address', route(to), own, true],
		['over several links together with the last IPv4 address of one link', routeOver(to, [2, 3]), own, true],
		['but not an IPv6 route', route('fd09::/64'), own, false],
		['but not one that the run removes itself', route(to), { ...own, stale: [route(to)] }, false],
		['but not one over another link', route(to, { link: 2 }), own, false],
		[
			'but not while another address stays',
			route(to),
			{ ...own, link: { addresses: ['10.0.0.23/24', '10.0.0.24/24'].map(cidr => address(cidr)) } },
			false,
		],
		['but not if the link always has an address', route(to), { ...own, first: [] }, false],
		[
			'even if an IPv6 address stays',
			route(to),
			{ ...own, link: { addresses: ['fd00::5/64', '10.0.0.23/24'].map(cidr => address(cidr)) } },
			true,
		],
		['but not on a NIC without IPv4 addresses', route(to), { ...own, link: { addresses: [address('fd00::5/64')] } }, false],
		['on any link together with its source', { ...sourced, link: 2 }, second, true],
		[
			'together with its source, even if only the prefix length of the source changes',
			sourced,
			{ ...second, remaining: ['10.0.0.24/32'] },
			true,
		],
		['together with its source, and the run does not add it again if it removes the source', sourced, { ...second, remaining: [] }, false],
		['but not if its source is never absent', sourced, { along: ['10.0.0.25/24'], remaining: ['10.0.0.24/24', '10.0.0.25/24'] }, false],
		[
			'together with its source, which is one of several removed addresses',
			sourced,
			{ ...second, along: ['10.0.0.25/24', '10.0.0.24/24'] },
			true,
		],
		[
			'of its own together with the source, and adds it again itself',
			{ ...sourced, to: '10.0.0.24/32', ...kernel, type: 2 },
			second,
			false,
		],
		['but not one without a source together with one of several addresses', route(to), second, false],
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

	test('and the run adds it once, with its desired attributes', () => {
		const found = { ...sourced, source: '10.0.0.23', via }
		const { link, host } = nicWith(['10.0.0.23/24'], [found])
		const wanted = { ...found, onlink: true }
		const input = { along: new Set(['10.0.0.23/24']), stale: [], routes: [route('10.8.0.0/16'), wanted], remaining: ['10.0.0.23/24'] }
		expect(routesFlushedWithLastAddress(link, input, host)).toEqual([{ kind: 'addRoute', route: wanted, replace: true }])
	})
})

test('a route that is not desired keeps its attributes', () => {
	expect(asWanted(route(to), [route('10.8.0.0/16')])).toEqual(route(to))
})

describe('a desired route', () => {
	const wanted = route(to, { table: 100 })
	const plain = route(to)

	test.each<[title: string, one: Route, found: Route[], isMissing: boolean]>([
		['is missing', wanted, [route('10.8.0.0/16', { table: 100 })], true],
		['exists', wanted, [route('10.8.0.0/16', { table: 100 }), wanted], false],
		['is missing if only another table has it', wanted, [plain], true],
		['exists with the protocol of another program', wanted, [{ ...wanted, protocol: 3 }], false],
		['is missing if the scope differs', wanted, [{ ...wanted, scope: 253 }], true],
		['is missing if the route has a source', wanted, [{ ...wanted, source: '10.0.0.23' }], true],
		['is missing if the route is onlink', wanted, [{ ...wanted, onlink: true }], true],
		['is missing if the route has metrics', wanted, [{ ...wanted, metrics: { mtu: '1400' } }], true],
		['is missing if the route has an encapsulation', wanted, [{ ...wanted, encap: 'mpls 100' }], true],
		['is missing if the route has a next hop object', wanted, [{ ...wanted, nextHopId: 7 }], true],
		[
			'exists in the main table, regardless of its attributes',
			plain,
			[{ ...plain, scope: 253, source: '10.0.0.23', metrics: { mtu: '1400' } }],
			false,
		],
	])('%s', (_, one, routes, isMissing) => {
		expect(missingRoutes([one], bases, nicWith([], routes).host)).toEqual(isMissing ? [{ kind: 'addRoute', route: one }] : [])
	})
})
