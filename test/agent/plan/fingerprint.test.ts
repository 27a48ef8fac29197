import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link, Neighbour, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { fingerprint, lostFrom } from '../../../agent/plan/fingerprint.ts'
import { hostWith } from '../simulated-host.ts'
import { address as fixed, route as routeTo } from './routing-objects.ts'

/** What is a loss on links that a run does not touch. The run touches link 3. */

const route = (more: Partial<Route>) => routeTo('10.7.0.0/16', { link: 2, scope: 253, ...more })
const several = (...links: number[]): Partial<HostState> => {
	const { link: _, ...alone } = route({})
	return { routes: [{ ...alone, nextHops: links.map(link => ({ via: `192.168.${link}.1`, link, weight: 1, onlink: false })) }] }
}
const rule = (more: Partial<Rule>): Rule => ({
	...{ family: 4, priority: 512, from: '10.42.0.5/32', table: 77, plain: true, words: 'from 10.42.0.5 lookup 77' },
	...more,
})
const ours = rule({ priority: 10_000, from: '10.0.0.23/32', table: 100, words: 'from 10.0.0.23 lookup 100' })
const neighbour = { link: 2, ip: '192.168.9.7', mac: '02:00:00:00:00:07' }
const links = [2, 3].map(ifindex => ({ ifindex, name: `eth${ifindex}`, mac: `02:00:00:00:00:0${ifindex}`, up: true }))
const touched = new Set([3])

/** A host whose link 2 has these attributes. */
function withLink(more: Partial<Link>, rest: Partial<HostState> = {}): HostState {
	return hostWith(
		links.map(link => (link.ifindex === 2 ? { ...link, ...more } : link)),
		{ rules: [], ...rest },
	)
}
const withRest = (more: Partial<HostState>) => withLink({}, more)
const bare = withRest({})
const lost = (before: HostState, after: HostState) => lostFrom(fingerprint(before, touched), fingerprint(after, touched))

describe('it is a loss if a link that the run does not touch', () => {
	test.each<[title: string, before: Partial<Link>, after: Partial<Link>, words: string]>([
		['has another name', {}, { name: 'eth9' }, 'eth2, mtu 1500, up; now eth9, mtu 1500, up'],
		['has another MTU', {}, { mtu: 1400 }, 'eth2, mtu 1500, up; now eth2, mtu 1400, up'],
		['is down', {}, { up: false }, 'eth2, mtu 1500, up; now eth2, mtu 1500, down'],
		['is no longer a port of its bridge', { master: 'br0' }, {}, 'eth2, mtu 1500, up, of br0; now eth2, mtu 1500, up'],
		[
			'has lost one of its alternative names',
			{ altnames: ['enp0s2', 'ens2'] },
			{ altnames: ['ens2'] },
			'eth2, mtu 1500, up, also enp0s2, also ens2; now eth2, mtu 1500, up, also ens2',
		],
	])('%s', (_, before, after, words) => {
		expect(lost(withLink(before), withLink(after))).toEqual([words])
	})

	test.each<[title: string, before: Address[], after: Address[], words: string[]]>([
		['has lost an address', [fixed('fd00::5/64', { flags: ['noprefixroute'] })], [], ['fd00::5/64 noprefixroute on eth2']],
		[
			'has an address with another metric',
			[fixed('fd00::5/64')],
			[fixed('fd00::5/64', { metric: 7 })],
			['fd00::5/64 on eth2; now fd00::5/64 metric 7 on eth2'],
		],
		[
			'has lost the address of one of two peers',
			['10.1.0.1', '10.2.0.1'].map(peer => fixed('10.0.0.5/32', { peer, flags: ['noprefixroute'] })),
			[fixed('10.0.0.5/32', { peer: '10.2.0.1', flags: ['noprefixroute'] })],
			['10.0.0.5 peer 10.1.0.1/32 noprefixroute on eth2'],
		],
	])('%s', (_, before, after, words) => {
		const withRoutes = (addresses: Address[]) => ({ ...bare, links: withLink({ addresses }).links })
		expect(lost(withRoutes(before), withRoutes(after))).toEqual(words)
	})
})

test.each<[title: string, before: Partial<HostState>, words: string]>([
	['a route', { routes: [route({})] }, 'route 10.7.0.0/16 dev eth2 table main scope 253 proto 4'],
	['the connected route of an address', { routes: [route({ protocol: 2 })] }, 'route 10.7.0.0/16 dev eth2 table main scope 253 proto 2'],
	[
		'a route that also uses a link of the run',
		several(2, 3),
		'route 10.7.0.0/16 table main scope 253 proto 4 nexthop via 192.168.2.1 weight 1 nexthop via 192.168.3.1 weight 1',
	],
	[
		'a route that also uses a link that did not exist before',
		{ routes: [{ ...(several(2).routes?.[0] as Route), nextHops: [2, 9].map(link => ({ link, weight: 1, onlink: false })) }] },
		'route 10.7.0.0/16 table main scope 253 proto 4 nexthop dev eth2 weight 1 nexthop dev if9 weight 1',
	],
	['a rule', { rules: [rule({})] }, 'rule 512: from 10.42.0.5 lookup 77'],
	[
		'a rule that looks up the main table',
		{ rules: [rule({ table: 254, words: 'from all lookup 254' })] },
		'rule 512: from all lookup main',
	],
	['a neighbour', { neighbours: [neighbour] }, 'neighbour 192.168.9.7 lladdr 02:00:00:00:00:07 nud permanent'],
])('it is a loss if the host no longer has %s', (_, before, words) => {
	expect(lost(withRest(before), bare)).toEqual([words])
})

test.each<[title: string, before: Partial<HostState>, after: Partial<HostState>, words: string]>([
	[
		'another MAC',
		{ neighbours: [neighbour] },
		{ neighbours: [{ ...neighbour, mac: '02:00:00:00:00:08' }] },
		'neighbour 192.168.9.7 lladdr 02:00:00:00:00:07 nud permanent; now neighbour 192.168.9.7 lladdr 02:00:00:00:00:08 nud permanent',
	],
	[
		'lost its proxy entry',
		{ neighbours: [{ ...neighbour, mac: '', proxy: true } satisfies Neighbour, neighbour] },
		{ neighbours: [neighbour] },
		'neighbour proxy 192.168.9.7',
	],
])('it is a loss if a neighbour has %s', (_, before, after, words) => {
	expect(lost(withRest(before), withRest(after))).toEqual([words])
})

describe('it is not a loss if the host no longer has', () => {
	test.each<[title: string, before: Partial<HostState>]>([
		['a route over a link of the run', { routes: [route({ link: 3 })] }],
		['a route with several next hops over a link of the run', several(3, 3)],
		['a route of the local table', { routes: [route({ table: 255, type: 2 })] }],
		['a route from a router advertisement', { routes: [route({ family: 6, to: '::/0', via: 'fe80::1', protocol: 9 })] }],
		['a rule of MultiNIC', { rules: [ours] }],
		['a neighbour on a link of the run', { neighbours: [{ ...neighbour, link: 3 }] }],
	])('%s', (_, before) => {
		expect(lost(withRest(before), bare)).toEqual([])
	})

	test.each<[title: string, address: Address]>([
		['a lease', fixed('fd00::5/64', { dynamic: true })],
		['a link-local address', fixed('fe80::5/64', { global: false })],
	])('%s', (_, address) => {
		expect(lost(withLink({ addresses: [address] }), withLink({}, { routes: withLink({ addresses: [address] }).routes }))).toEqual([])
	})

	test('a link of the run, or its MTU', () => {
		expect(lost(bare, { ...bare, links: bare.links.slice(0, 1) })).toEqual([])
		expect(lost(bare, { ...bare, links: bare.links.map(link => (link.ifindex === 3 ? { ...link, mtu: 1400 } : link)) })).toEqual([])
	})
})

describe('what disappears together with its link is not a loss, except a rule, which belongs to no link', () => {
	test.each<[title: string, before: HostState, words: string[]]>([
		['a route', withRest({ routes: [route({})] }), []],
		['a route over a link that did not exist before', withRest({ routes: [route({ link: 9 })] }), []],
		['a route with several next hops, together with the link of the first one', withRest(several(2, 3)), []],
		['a neighbour', withRest({ neighbours: [neighbour] }), []],
		['an address', withLink({ addresses: [fixed('10.0.0.5/24')] }), []],
		['a rule', withRest({ rules: [rule({})] }), ['rule 512: from 10.42.0.5 lookup 77']],
	])('%s', (_, before, words) => {
		expect(lost(before, { ...bare, links: bare.links.filter(({ ifindex }) => ifindex !== 2) })).toEqual(words)
	})
})

test('additional objects of the host are not a loss', () => {
	const after = withRest({ routes: [route({})], rules: [rule({})], neighbours: [neighbour] })
	expect(lost(bare, { ...after, links: [...after.links, { ...(bare.links[0] as Link), ifindex: 7 }] })).toEqual([])
})

test.each<[title: string, one: Partial<Rule>]>([
	['family', { family: 6 }],
	['priority', { priority: 513 }],
	['selector', { words: 'from 10.42.0.6 lookup 77' }],
])('two rules with a different %s are two losses', (_, one) => {
	expect(lost(withRest({ rules: [rule({}), rule(one)] }), bare)).toHaveLength(2)
})

test('the bases determine which rules MultiNIC manages', () => {
	const elsewhere = rule({ priority: 20_000, from: '10.0.0.23/32', table: 200, words: 'from 10.0.0.23 lookup 200' })
	const of = (bases: { table: number; priority: number }[]) =>
		lostFrom(fingerprint(withRest({ rules: [ours, elsewhere] }), touched, bases), fingerprint(bare, touched, bases))
	expect(of([{ table: 100, priority: 10_000 }])).toEqual(['rule 20000: from 10.0.0.23 lookup 200'])
	expect(of([{ table: 200, priority: 20_000 }])).toEqual(['rule 10000: from 10.0.0.23 lookup 100'])
})

test('a fingerprint identifies what is on links that the run does not touch, and nothing else', () => {
	const neighbours = [2, 3].flatMap(link => [
		{ ...neighbour, link },
		{ ...neighbour, link, mac: '', proxy: true as const },
	])
	const addresses = [fixed('fd00::5/64', { flags: ['noprefixroute'] })]
	const host = withLink({ addresses }, { neighbours, rules: [rule({}), ours], routes: [route({}), route({ link: 3 })] })
	const both = { ...host, links: host.links.map(link => ({ ...link, addresses })) }
	expect([...fingerprint(both, touched).keys()]).toEqual([
		...['link 2', 'address 2 fd00::5/64', 'route 4 10.7.0.0/16  2 254 0 1', 'rule 4 512 from 10.42.0.5 lookup 77'],
		...['neighbour 2 192.168.9.7', 'neighbour 2 192.168.9.7 proxy'],
	])
})
