import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Change } from '../../../agent/model/change.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { connectedRoutesOf, missingConnected, staleConnected, unroutedAddresses } from '../../../agent/plan/connected-routes.ts'
import type { Interface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { addition, addressWith, linkWith, nicWith, removal, routeTo } from './network-builders.ts'

/** The routes of the main table to the networks of an interface. */

const [first, second, six, otherSix] = ['10.0.0.23/24', '10.0.0.24/24', 'fd00::23/64', 'fd00::24/64'] as [string, string, string, string]
const nic = (more: Partial<Interface> = {}) => nicWith({ addresses: [first, second, six], ...more })
const up = (addresses: Address[] = [], more: Partial<Link> = {}) => linkWith({ up: true, addresses, ...more })
const wordsOf = ({ to, metric, source }: Route) => [to, ...(source ? ['src', source] : []), 'metric', metric].join(' ')
const four = (more: Partial<Route> = {}) => routeTo('10.0.0.0/24', { link: 3, protocol: 2, scope: 253, source: '10.0.0.23', ...more })
const ofSix = (more: Partial<Route> = {}) => routeTo('fd00::/64', { link: 3, protocol: 2, metric: 256, ...more })
const hostOf = (...routes: Route[]) => ({ ...hostWith([]), routes })
const routeless = (cidr: string) => addressWith(cidr, { flags: ['noprefixroute'] })

describe('an interface has', () => {
	test.each<[title: string, more: Partial<Interface>, routes: string[]]>([
		['a connected route for each network, from its first address', {}, ['10.0.0.0/24 src 10.0.0.23 metric 0', 'fd00::/64 metric 256']],
		['no connected route without an address', { addresses: [] }, []],
		['no connected route for an address without a network', { addresses: ['10.0.0.23/32', 'fe80::7/64'] }, []],
		['no connected route if it requests none', { connectedRoute: false }, []],
		[
			'a connected route from an address of the same network',
			{ addresses: ['10.9.0.1/24', second] },
			['10.9.0.0/24 src 10.9.0.1 metric 0', '10.0.0.0/24 src 10.0.0.24 metric 0'],
		],
	])('%s', (_, more, routes) => {
		expect(connectedRoutesOf(nic(more), 3).map(wordsOf)).toEqual(routes)
	})

	test('connected routes as the kernel adds them', () => {
		expect(connectedRoutesOf(nic(), 3)).toEqual([four(), ofSix()])
	})
})

test.each<[title: string, addresses: Address[], routes: Route[], more: Partial<Interface>, found: string[]]>([
	['with noprefixroute lacks its connected route', [routeless(first), routeless(six)], [], {}, [first, six]],
	[
		'with noprefixroute lacks its connected route, if only the other network has one',
		[routeless(first), routeless(six)],
		[four()],
		{},
		[six],
	],
	['without noprefixroute does not lack its connected route', [addressWith(first)], [], {}, []],
	[
		'with noprefixroute does not lack its connected route if a daemon has added it',
		[routeless(first)],
		[four({ protocol: 16, source: '10.0.0.24' })],
		{},
		[],
	],
	['in a network that the interface does not have is ignored', [routeless('10.9.0.1/24')], [], {}, []],
	['of an interface that requests none is ignored', [routeless(first)], [], { connectedRoute: false }, []],
])('an address %s', (_, addresses, routes, ...[more, found]) => {
	expect(unroutedAddresses({ nic: nic(more), link: up(addresses), ours: undefined }, hostOf(...routes))).toEqual(found)
})

describe('a route to a network of the interface', () => {
	type Case = [title: string, route: Route, more?: Partial<Interface>]
	const removedFrom = (
		route: Route,
		more: Partial<Interface> = {},
		addresses = [addressWith(first)],
		changes: Partial<Record<'taken' | 'given', Change[]>> = {},
	) => staleConnected({ nic: nic(more), link: up(addresses), ours: undefined }, { taken: [], given: [], ...changes }, hostOf(route))

	test.each<Case>([
		['with another metric', four({ metric: 100 })],
		['with another scope', four({ scope: 0 })],
		['from a foreign source', four({ source: '10.0.0.99' })],
		['to an IPv6 network with another metric', ofSix({ metric: 1024 })],
		['of an interface that requests no connected route', four({ protocol: 4 }), { connectedRoute: false }],
	])('%s is removed', (_, route, more) => {
		expect(removedFrom(route, more)).toEqual([{ kind: 'removeRoute', route }])
	})

	test.each<Case>([
		['that is its connected route stays', four()],
		['that a daemon has added stays', four({ protocol: 16 })],
		['from another address of the interface stays', four({ source: '10.0.0.24' })],
		['without a source stays', routeTo('10.0.0.0/24', { link: 3, scope: 253 })],
		['through a next hop stays', four({ metric: 100, via: '10.0.0.1' })],
		['in another table stays', four({ metric: 100, table: 77 })],
		['over another link stays', four({ metric: 100, link: 4 })],
		['that rejects packets stays', four({ metric: 100, type: 7 })],
		[
			'that the config requests stays',
			routeTo('10.0.0.0/24', { link: 3, metric: 100 }),
			{ routes: [{ to: '10.0.0.0/24', table: 254, metric: 100 }] },
		],
	])('%s', (_, route, more) => {
		expect(removedFrom(route, more)).toEqual([])
	})

	test('stays if its destination is only a part of the network', () => {
		expect(removedFrom(routeTo('10.0.0.0/25', { link: 3, metric: 100 }))).toEqual([])
	})

	const leased = addressWith(first, { metric: 100 })
	const [taken, given] = [[removal(first, { metric: 100 })], [addition(first)]]
	const theirs = four({ metric: 100 })
	test.each<[title: string, route: Route, address: Address, changes: Partial<Record<'taken' | 'given', Change[]>>, isRemoved: boolean]>([
		['is not removed if the kernel removes it with its address', theirs, leased, { taken }, false],
		['is removed if another program has added it and its address is removed', four({ metric: 100, protocol: 16 }), leased, { taken }, true],
		[
			'is removed if the removed address has noprefixroute',
			theirs,
			leased,
			{ taken: [removal(first, { metric: 100, flags: ['noprefixroute'] })] },
			true,
		],
		['is removed if the removed address has another metric', theirs, leased, { taken: [removal(first, { metric: 99 })] }, true],
		['is removed if an address of another network is removed', theirs, leased, { taken: [removal('10.9.0.1/24', { metric: 100 })] }, true],
		['is not removed if its address gets another metric', theirs, leased, { given }, false],
		['is removed if its address keeps its metric', theirs, leased, { given: [addition(first, { metric: 100 })] }, true],
		['is removed if another address gets another metric', theirs, leased, { given: [addition(second)] }, true],
		[
			'is removed if its address gets another metric and has noprefixroute',
			theirs,
			{ ...leased, flags: ['noprefixroute'] },
			{ given },
			true,
		],
		['is removed if the link is only set up', theirs, leased, { taken: [{ kind: 'up', link: 3 }] }, true],
	])('%s', (_, route, address, ...[changes, isRemoved]) => {
		expect(removedFrom(route, {}, [address], changes)).toEqual(isRemoved ? [{ kind: 'removeRoute', route }] : [])
	})
})

describe('a missing connected route', () => {
	const added = (
		given: Change[],
		{ gone = [], link = up([addressWith(first), addressWith(six)]), routes = [] }: { gone?: string[]; link?: Link; routes?: Route[] } = {},
	) => missingConnected({ nic: nic(), link, ours: undefined }, given, new Set(gone), hostOf(...routes))
	const to = (...routes: Route[]): Change[] => routes.map(route => ({ kind: 'addRoute', route }))

	test.each<[title: string, options: Parameters<typeof added>[1], routes: Route[]]>([
		['of an address that stays is added', {}, [four(), ofSix()]],
		['is added if that of the other network exists', { routes: [four()] }, [ofSix()]],
		['of a link that is down is not added, because the kernel adds it', { link: linkWith({ addresses: [addressWith(first)] }) }, []],
		['of an address that is removed is not added', { gone: [first] }, [ofSix()]],
		['of an address with noprefixroute is not added', { link: up([routeless(first), addressWith(six)]) }, [ofSix()]],
		['of an address that is not desired is not added', { link: up([addressWith('10.0.0.99/24')]) }, []],
		['is added if another address of the network stays', { gone: [first], link: up([addressWith(first), addressWith(second)]) }, [four()]],
	])('%s', (_, options, routes) => {
		expect(added([], options)).toEqual(to(...routes))
	})

	const leased = addressWith(first, { metric: 100 })
	test.each<[title: string, given: Change[], options: Parameters<typeof added>[1], routes: Route[]]>([
		['is not added if the kernel adds it for a second IPv6 address', [addition(otherSix)], {}, [four()]],
		['is added even if a second IPv4 address is added', [addition(second)], {}, [four(), ofSix()]],
		[
			'is not added if the address that is added becomes the first of its network',
			[addition(second)],
			{ gone: [first], link: up([addressWith(first), addressWith(second)]) },
			[],
		],
		[
			'is not added if the first address of its network is added again after one of another network',
			[addition(first)],
			{ gone: [first], link: up(['10.9.0.1/24', first, second].map(cidr => addressWith(cidr))) },
			[],
		],
		['is not added if its address gets another metric', [addition(first)], { link: up([leased]) }, []],
		['is added if its address is replaced with the same metric', [addition(first)], { link: up([addressWith(first)]) }, [four()]],
		[
			'is added if a second address gets another metric',
			[addition(second)],
			{ link: up([addressWith(first), addressWith(second, { metric: 100 })]) },
			[four()],
		],
		['is added if a second address is added while the first one has another metric', [addition(second)], { link: up([leased]) }, [four()]],
		['is added if an address of another network is added', [addition('10.9.0.1/24')], { link: up([addressWith(first)]) }, [four()]],
	])('%s', (_, given, options, routes) => {
		expect(added(given, options)).toEqual(to(...routes))
	})
})
