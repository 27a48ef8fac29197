import { describe, expect, test } from 'vitest'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Placed, Selection } from '../../../agent/model/selection.ts'
import { inNoTable, meetsRouteOfOthers, nextHopElsewhere, sharingWarning, withSharing } from '../../../agent/plan/sharing-checks.ts'
import type { Interface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { addressWith, linkWith, macOf, nicWith, recordWith, routeTo, selectionWith } from './network-builders.ts'

/** Interfaces whose network is shared with another link. */

const [MGMT, OWN, SECOND] = [2, 3, 4]
const mgmt = (...cidrs: string[]) =>
	linkWith({ ifindex: MGMT, name: 'mgmt', mac: macOf(9), addresses: cidrs.map(cidr => addressWith(cidr)) })
const own = linkWith()
const second = linkWith({ ifindex: SECOND, name: 'ens8', mac: macOf(1) })
const overMgmt = (to: string, more: Partial<Route> = {}) => routeTo(to, { link: MGMT, ...more })
const hops = (...links: number[]) => links.map(link => ({ link, weight: 1, onlink: false }))
const hostOf = (links: Link[], routes: Route[] = []): HostState => ({ ...hostWith([]), links, routes })
function placed(wish: Partial<Interface>, host: HostState, { accepted = [], ...more }: Partial<Selection> = {}): Placed {
	const one = { nic: nicWith(wish), link: own, ours: undefined }
	return { accepted: one, selection: selectionWith({ accepted: [one, ...accepted], ...more }), host }
}

test.each<[title: string, policyRouting: boolean, shared: Selection['shared'], isRefused: boolean]>([
	['without its own table and in a shared network is refused', false, new Map([[0, { says: 'mgmt has it', see: 'ip addr' }]]), true],
	['with its own table is accepted', true, new Map([[0, { says: 'mgmt has it', see: 'ip addr' }]]), false],
	['whose network is not shared is accepted', false, new Map([[1, { says: 'mgmt has it', see: 'ip addr' }]]), false],
])('an interface %s', (_, policyRouting, shared, isRefused) => {
	const says =
		'mgmt has it, so the network of multinic0 cannot be in the main table, and without policyRouting there is no other table for it: set policyRouting to true'
	expect(inNoTable.find(placed({ policyRouting }, hostOf([own]), { shared }))).toEqual(isRefused ? { says, see: 'ip addr' } : undefined)
})

describe('an IPv6 next hop', () => {
	const wish: Partial<Interface> = { addresses: ['fd99::50/64'], gateway: 'fd99::1', defaultRoute: true, connectedRoute: false }
	const found = (routes: Route[], more: Partial<Interface> = {}, selection: Partial<Selection> = {}) =>
		nextHopElsewhere.find(placed({ ...wish, ...more }, hostOf([mgmt(), own, second], routes), selection))
	const refusal = (holder: string, [hop, to, table] = ['fd99::1', '::/0', 'main']) => ({
		says: `${hop} is requested as the next hop of ${to} in table ${table} over multinic0, but the main table reaches it over ${holder}`,
		see: `ip -6 route get ${hop}`,
	})

	test.each<[title: string, routes: Route[], holder: string]>([
		['that has a route over another link', [overMgmt('fd99::/64')], 'mgmt'],
		['that has a route through a next hop over another link', [overMgmt('fd99::/48', { via: 'fd01::1' })], 'mgmt'],
		['that has a route over two other links', [routeTo('fd99::/64', { nextHops: hops(MGMT, SECOND) })], 'mgmt and ens8'],
		['that has a narrower route over another link', [routeTo('fd99::/48', { link: OWN }), overMgmt('fd99::/64')], 'mgmt'],
		[
			'that has a route with a smaller metric over another link',
			[routeTo('fd99::/64', { link: OWN, metric: 9 }), overMgmt('fd99::/64', { metric: 8 })],
			'mgmt',
		],
		[
			'whose kernel route over its own link is removed, while one over another link stays',
			[OWN, MGMT].map(link => routeTo('fd99::/64', { link, protocol: 2, metric: 256 })),
			'mgmt',
		],
		['in the half of the address space that has a route over another link', [overMgmt('8000::/1')], 'mgmt'],
		['that has a kernel route over a link that the run does not change', [overMgmt('fd99::/64', { protocol: 2 })], 'mgmt'],
	])('%s is refused', (_, routes, holder) => {
		expect(found(routes)).toEqual(refusal(holder))
	})

	test.each<[title: string, routes: Route[], more?: Partial<Interface>]>([
		['without a route', []],
		['with another route', [overMgmt('fd98::/64')]],
		['with a route in another table', [overMgmt('fd99::/64', { table: 77 })]],
		['with only the default route', [overMgmt('::/0')]],
		[
			'in the half of the address space that begins with zeros, which the kernel does not compare',
			[overMgmt('::/1')],
			{ addresses: ['2001:db8::50/64'], gateway: '2001:db8::1' },
		],
		['that the main table rejects', [routeTo('fd99::/64', { link: 1, type: 7 }), overMgmt('fd99::/48')]],
		['with a route over its own link', [routeTo('fd99::/64', { link: OWN })]],
		['with a narrower route over its own link', [overMgmt('fd99::/48'), routeTo('fd99::/64', { link: OWN })]],
		['with a route over its own link and another', [routeTo('fd99::/64', { nextHops: hops(MGMT, OWN) })]],
		[
			'with a route with a smaller metric over its own link',
			[overMgmt('fd99::/64', { metric: 9 }), routeTo('fd99::/64', { link: OWN, metric: 8 })],
		],
		['in its own connected network', [overMgmt('fd99::1/128')], { connectedRoute: true }],
		['of a route in its own table', [overMgmt('fd99::/64')], { defaultRoute: false }],
	])('%s is accepted', (_, routes, more) => {
		expect(found(routes, more)).toBeUndefined()
	})

	test('is accepted if it is IPv4, because the kernel does not check it', () => {
		expect(found([overMgmt('10.0.0.0/24')], { addresses: ['10.0.0.50/24'], gateway: '10.0.0.1' })).toBeUndefined()
	})

	test('of each route is checked', () => {
		const routes = [
			{ to: 'fd08::/32', via: 'fd98::1', table: 500 },
			{ to: 'fd09::/32', table: 500 },
			{ to: 'fd07::/32', via: 'fd99::7', table: 500 },
		]
		expect(found([overMgmt('fd99::/64')], { defaultRoute: false, routes })).toEqual(refusal('mgmt', ['fd99::7', 'fd07::/32', '500']))
	})

	const beside = (more: Partial<Interface>) => ({
		accepted: [{ nic: nicWith({ id: 1, macAddress: macOf(1), ...more }), link: second, ours: undefined }],
	})
	const kernelOverSecond = routeTo('fd99::/64', { link: SECOND, protocol: 2, metric: 256 })
	test.each<[title: string, routes: Route[], selection: Partial<Selection>, holder: string | undefined]>([
		['in the connected network of another interface is refused', [], beside({ addresses: ['fd99::51/64'] }), 'multinic1'],
		[
			'in one of the connected networks of another interface is refused',
			[],
			beside({ addresses: ['10.7.0.1/24', 'fd99::51/64'] }),
			'multinic1',
		],
		[
			'in a network of another interface that is not in the main table is accepted',
			[],
			beside({ addresses: ['fd99::51/64'], connectedRoute: false }),
			undefined,
		],
		['in no network of another interface is accepted', [], beside({ addresses: ['fd98::51/64'] }), undefined],
		[
			'whose kernel route is removed from another interface is accepted',
			[kernelOverSecond],
			beside({ addresses: ['fd98::51/64'] }),
			undefined,
		],
		[
			'with a static route over another interface is refused',
			[{ ...kernelOverSecond, protocol: 4 }],
			beside({ addresses: ['fd98::51/64'] }),
			'ens8',
		],
		['with a kernel route over a link that is not accepted is refused', [kernelOverSecond], {}, 'ens8'],
	])('%s', (_, routes, selection, holder) => {
		expect(found(routes, {}, selection)).toEqual(holder === undefined ? undefined : refusal(holder))
	})
})

describe('a route of an interface outside its own table', () => {
	const requesting = (...to: string[]): Partial<Interface> => ({ routes: to.map(one => ({ to: one, table: 254 })) })
	const found = (wish: Partial<Interface>, host: HostState, selection: Partial<Selection> = {}) =>
		meetsRouteOfOthers.find(placed(wish, host, selection))
	const refusal = (to: string, met: string, ip = 'ip') => ({
		says: `the route to ${to} in table main overlaps ${met}, which this node reaches over another link`,
		see: `${ip} route show ${met}`,
	})

	test.each<[title: string, host: HostState, met: string]>([
		['the network of another link', hostOf([own, mgmt('10.50.3.1/25')]), '10.50.3.0/25'],
		['a route over another link', hostOf([own, mgmt()], [overMgmt('10.50.0.0/16')]), '10.50.0.0/16'],
		['a host route over another link', hostOf([own, mgmt()], [overMgmt('10.50.3.7/32')]), '10.50.3.7/32'],
		['a route over two other links', hostOf([own, mgmt()], [routeTo('10.50.0.0/16', { nextHops: hops(MGMT, SECOND) })]), '10.50.0.0/16'],
		['a route to a quarter of the address space over another link', hostOf([own, mgmt()], [overMgmt('0.0.0.0/2')]), '0.0.0.0/2'],
	])('that overlaps %s is refused', (_, host, met) => {
		expect(found(requesting('10.50.3.0/24'), host)).toEqual(refusal('10.50.3.0/24', met))
	})

	test.each<[title: string, host: HostState]>([
		['no other network', hostOf([own, mgmt('10.50.4.1/24')], [overMgmt('10.51.0.0/16')])],
		['a single address of another link', hostOf([own, mgmt('10.50.3.1/32')])],
		['the default route', hostOf([own, mgmt()], [overMgmt('0.0.0.0/0')])],
		['a route to half of the address space', hostOf([own, mgmt()], [overMgmt('0.0.0.0/1')])],
		['a route in another table', hostOf([own, mgmt()], [overMgmt('10.50.0.0/16', { table: 77 })])],
		['a route over its own link', hostOf([own, mgmt()], [routeTo('10.50.0.0/16', { link: OWN })])],
		['a route over its own link and another', hostOf([own, mgmt()], [routeTo('10.50.0.0/16', { nextHops: hops(MGMT, OWN) })])],
		['a route without a link', hostOf([own, mgmt()], [routeTo('10.50.0.0/16', { type: 6 })])],
		['the network of its own link', hostOf([{ ...own, addresses: [addressWith('10.50.3.1/24')] }, mgmt()])],
	])('that overlaps %s is accepted', (_, host) => {
		expect(found(requesting('10.50.3.0/24'), host)).toBeUndefined()
	})

	test.each<[title: string, wish: Partial<Interface>, isRefused: boolean]>([
		['is compared, like each of several', requesting('10.60.0.0/16', '10.50.3.0/24'), true],
		['is not compared if it is in the table of the interface', { routes: [{ to: '10.50.3.0/24' }] }, false],
		['is compared if the interface has no table', { policyRouting: false, routes: [{ to: '10.50.3.0/24' }] }, true],
	])('%s', (_, wish, isRefused) => {
		expect(found(wish, hostOf([own, mgmt('10.50.3.1/24')]))).toEqual(isRefused ? refusal('10.50.3.0/24', '10.50.3.0/24') : undefined)
	})

	test('is refused with an IPv6 command if it is IPv6', () => {
		expect(found(requesting('fd50::/48'), hostOf([own, mgmt('fd50::1/64')]))).toEqual(refusal('fd50::/48', 'fd50::/64', 'ip -6'))
	})

	test('that overlaps the original network of a released link is refused', () => {
		const original = { name: 'ens8', altnames: [], mtu: 1500, up: true, sysctls: {}, addresses: [addressWith('10.50.3.9/24') as never] }
		const released = [{ ours: recordWith({ id: 1, mac: macOf(1), original }), link: second }]
		expect(found(requesting('10.50.3.0/25'), hostOf([own, second]), { released })).toEqual(refusal('10.50.3.0/25', '10.50.3.0/24'))
	})
})

describe('the connected route of an interface', () => {
	const wish = (id: number, cidr: string, more: Partial<Interface> = {}) =>
		nicWith({ id, macAddress: macOf(id), addresses: [cidr], ...more })
	const decided = (nics: ReturnType<typeof wish>[], host: HostState, more: Partial<Parameters<typeof withSharing>[1]> = {}) => {
		const accepted = nics.map((nic, at) => ({ nic, link: { ...own, ifindex: OWN + at }, ours: undefined }))
		const { shared, ...found } = withSharing(selectionWith({ accepted }), { interfaces: nics, nodeAddresses: [], ...more }, host)
		return { kept: found.accepted.flatMap(({ nic }) => (nic.connectedRoute ? [nic.id] : [])), shared: [...shared.keys()] }
	}

	test.each<[title: string, nics: ReturnType<typeof wish>[], kept: number[], shared: number[]]>([
		['stays in the main table if the network is not shared', [wish(0, '10.0.0.50/24'), wish(1, '10.1.0.50/24')], [0, 1], []],
		['is omitted if it is not requested', [wish(0, '10.0.0.50/24', { connectedRoute: false })], [], []],
		['is omitted if the network is shared', [wish(0, '10.0.0.50/24'), wish(1, '10.0.0.51/24')], [0], [1]],
	])('%s', (_, nics, kept, shared) => {
		expect(decided(nics, hostOf([own]))).toEqual({ kept, shared })
	})

	test.each<[title: string, more: Partial<Parameters<typeof withSharing>[1]>]>([
		['an address that the node needs', { needed: ['10.0.0.9'] }],
		['a network of the cluster', { protectedNetworks: [{ network: '10.0.0.0/16', what: 'a pod network' }] }],
		['an address of the node', { nodeAddresses: ['10.0.0.8'] }],
	])('is omitted if the network contains %s', (_, more) => {
		const lo = linkWith({ ifindex: 1, name: 'lo', addresses: [addressWith('10.0.0.8/32')] })
		expect(decided([wish(0, '10.0.0.50/24')], hostOf([lo, own, mgmt()], [overMgmt('0.0.0.0/0')]), more)).toEqual({ kept: [], shared: [0] })
	})
})

test.each([
	['the default table', {}, 102],
	['the table according to the base of the node', { bases: { table: 300, priority: 20_000 } }, 302],
])('a warning about a shared network contains %s', (_, ofNode, table) => {
	expect(sharingWarning({ says: 'mgmt has 10.0.0.2/24', see: 'ip addr show dev mgmt' }, { id: 2, ...ofNode })).toEqual({
		reason: 'SharedNetwork',
		message: `mgmt has 10.0.0.2/24, so the network of this interface is in table ${table} only and not in the main table (ip addr show dev mgmt)`,
	})
})
