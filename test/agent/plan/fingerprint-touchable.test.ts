import { describe, expect, test } from 'vitest'
import type { FileState, HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { NextHopObject, Route } from '../../../agent/model/route.ts'
import { differences, touchable } from '../../../agent/plan/fingerprint.ts'
import { hostWith } from '../simulated-host.ts'
import { address as fixed, route as routeTo } from './routing-objects.ts'

/** What a rollback has to restore on the links that a run touches. The run touches link 3. */

const route = (more: Partial<Route>) => routeTo('10.7.0.0/16', { link: 3, scope: 253, ...more })
const { link: _, ...alone } = route({})
const several = (...links: number[]): Route => ({
	...alone,
	nextHops: links.map(link => ({ via: `10.${link}.0.1`, link, weight: 1, onlink: false })),
})
const rule = (more: Partial<Rule>): Rule => ({
	...{ family: 4, priority: 10_000, from: '10.0.0.23/32', table: 100, plain: true, words: 'from 10.0.0.23 lookup 100' },
	...more,
})
const file = (content: string, mode = 0o644): FileState => ({ content, mode, gid: 0 })
const links = [2, 3].map(ifindex => ({ ifindex, name: `eth${ifindex}`, mac: `02:00:00:00:00:0${ifindex}`, up: true }))
const touched = new Set([3])

/** A host whose link 3 has these attributes, without the routes that the kernel adds. */
function withLink(more: Partial<Link>, rest: Partial<HostState> = {}): HostState {
	const host = hostWith(
		links.map(link => (link.ifindex === 3 ? { ...link, ...more } : link)),
		{ rules: [] },
	)
	return { ...host, routes: [], ...rest }
}
const withRest = (more: Partial<HostState>, link: Partial<Link> = {}) => withLink(link, more)
const bare = withLink({})
const left = (before: HostState, after: HostState) => differences(touchable(before, touched), touchable(after, touched))

describe('a rollback has to restore', () => {
	const object = { id: 7, family: 4, link: 3, via: '10.0.0.1', onlink: false, protocol: 4 } satisfies NextHopObject
	test.each<[title: string, before: HostState, words: string]>([
		['an address', withLink({ addresses: [fixed('10.0.0.5/24')] }), '10.0.0.5/24 on eth3'],
		['a link-local address that a user added', withLink({ addresses: [fixed('fe80::5/64', { global: false })] }), 'fe80::5/64 on eth3'],
		[
			'a lease if no daemon manages the link',
			withLink({ addresses: [fixed('10.0.0.5/24', { dynamic: true })] }),
			'10.0.0.5/24 on eth3, a lease',
		],
		['a route', withRest({ routes: [route({})] }), 'route 10.7.0.0/16 dev eth3 table main scope 253 proto 4'],
		[
			'a local route',
			withRest({ routes: [route({ type: 2, table: 255 })] }),
			'route local 10.7.0.0/16 dev eth3 table local scope 253 proto 4',
		],
		[
			'a route that also uses another link',
			withRest({ routes: [several(2, 3)] }),
			'route 10.7.0.0/16 table main scope 253 proto 4 nexthop via 10.2.0.1 weight 1 nex',
		],
		['a next hop object', withRest({ nextHopObjects: [object] }), 'nexthop id 7 via 10.0.0.1 dev eth3 proto 4'],
		[
			'a neighbour',
			withRest({ neighbours: [{ link: 3, ip: '10.0.0.9', mac: '02:00:00:00:00:09' }] }),
			'neighbour 10.0.0.9 lladdr 02:00:00:00:00:09 nud permanent',
		],
		['a rule of MultiNIC', withRest({ rules: [rule({})] }), 'rule 10000: from 10.0.0.23 lookup 100'],
		['a setting', withLink({ sysctls: { 'ipv4/rp_filter': '1' } }), 'ipv4/rp_filter is 1'],
		['a file', withRest({ files: { '/etc/a': file('secret') } }), '/etc/a (mode 644)'],
	])('%s', (_, before, words) => {
		expect(left(before, bare)).toEqual([words])
		expect(left(bare, before)).toEqual([`new: ${words}`])
		expect(left(before, before)).toEqual([])
	})

	test.each<[title: string, before: HostState, after: HostState, words: string]>([
		['the name', bare, withLink({ name: 'multinic0' }), 'eth3, mtu 1500, up; now multinic0, mtu 1500, up'],
		['the MTU', bare, withLink({ mtu: 1400 }), 'eth3, mtu 1500, up; now eth3, mtu 1400, up'],
		['the state', withLink({ up: false }), bare, 'eth3, mtu 1500, down; now eth3, mtu 1500, up'],
		['the alternative names', withLink({ altnames: ['ens7'] }), bare, 'eth3, mtu 1500, up, also ens7; now eth3, mtu 1500, up'],
		['a setting', withLink({ sysctls: { a: '0', b: '0' } }), withLink({ sysctls: { a: '1', b: '0' } }), 'a is 0; now a is 1'],
		[
			'the content of a file',
			withRest({ files: { '/etc/a': file('one') } }),
			withRest({ files: { '/etc/a': file('two') } }),
			'/etc/a (mode 644)',
		],
		[
			'the mode of a file',
			withRest({ files: { '/etc/a': file('one') } }),
			withRest({ files: { '/etc/a': file('one', 0o600) } }),
			'/etc/a (mode 644); now /etc/a (mode 600)',
		],
	])('%s', (_, before, after, words) => {
		expect(left(before, after)).toEqual([words])
	})
})

describe('leased routes', () => {
	const lease = (more: Partial<Route> = {}) => route({ to: '0.0.0.0/0', via: '10.0.0.1', protocol: 16, scope: 0, ...more })
	const words = 'route 0.0.0.0/0 via 10.0.0.1 table main proto 16'
	test.each<[title: string, routes: Route[], link: Partial<Link>, words: string[]]>([
		['are restored if no daemon manages the link', [lease()], {}, [words]],
		['are restored if systemd-networkd manages the link', [lease()], { managedBy: 'systemd-networkd' }, [words]],
		['are left to NetworkManager', [lease()], { managedBy: 'NetworkManager' }, []],
		[
			'are left to NetworkManager, including those from a router advertisement',
			[lease({ protocol: 9 })],
			{ managedBy: 'NetworkManager' },
			[],
		],
		['are restored if they are static', [lease({ protocol: 4 })], { managedBy: 'NetworkManager' }, [words.replace('16', '4')]],
		['are left to NetworkManager if they also use another link', [{ ...several(2, 3), protocol: 16 }], { managedBy: 'NetworkManager' }, []],
	])('%s', (_, routes, link, expected) => {
		expect(left(withRest({ routes }, link), withLink(link))).toEqual(expected)
	})
})

describe('a rollback does not have to restore', () => {
	const leased = fixed('10.0.0.5/24', { dynamic: true })
	test.each<[title: string, before: HostState, after?: HostState]>([
		['an address that the kernel creates', withLink({ addresses: [fixed('fe80::ff:fe00:3/64', { global: false })] })],
		[
			'a lease that NetworkManager requests again',
			withLink({ addresses: [leased], managedBy: 'NetworkManager' }),
			withLink({ managedBy: 'NetworkManager' }),
		],
		[
			'a lease that systemd-networkd requests again',
			withLink({ addresses: [leased], managedBy: 'systemd-networkd' }),
			withLink({ managedBy: 'systemd-networkd' }),
		],
		[
			'a connected route',
			withRest({ routes: [route({ protocol: 2 })] }, { addresses: [fixed('10.7.0.5/16')] }),
			withLink({ addresses: [fixed('10.7.0.5/16')] }),
		],
		['a route that rejects packets', withRest({ routes: [route({ type: 7 })] })],
		['a route over another link', withRest({ routes: [route({ link: 2 })] })],
		['a rule of another program', withRest({ rules: [rule({ priority: 512 })] })],
		['a neighbour on another link', withRest({ neighbours: [{ link: 2, ip: '10.0.0.9', mac: '02:00:00:00:00:09' }] })],
		['another link', { ...bare, links: bare.links.map(link => ({ ...link, mtu: link.ifindex === 2 ? 9000 : link.mtu })) }],
		[
			'what was on a link that no longer exists',
			withLink({ addresses: [fixed('10.0.0.5/24')], sysctls: { a: '1' } }),
			{ ...bare, links: [] },
		],
	])('%s', (_, before, after = bare) => {
		expect(left(before, after)).toEqual([])
	})
})

test('the bases determine which rules a rollback has to restore', () => {
	const before = withRest({ rules: [rule({}), rule({ priority: 20_000, table: 200, words: 'from 10.0.0.23 lookup 200' })] })
	const of = (bases: { table: number; priority: number }[]) =>
		differences(touchable(before, touched, bases), touchable(bare, touched, bases))
	expect(of([{ table: 100, priority: 10_000 }])).toEqual(['rule 10000: from 10.0.0.23 lookup 100'])
	expect(of([{ table: 200, priority: 20_000 }])).toEqual(['rule 20000: from 10.0.0.23 lookup 200'])
})

test('a description has at most 80 characters and never the content of a file', () => {
	const path = `/etc/${'a'.repeat(100)}`
	const words = path.slice(0, 80)
	const [before, after] = [withRest({ files: { [path]: file('secret') } }), withRest({ files: { [path]: file('other') } })]
	expect([left(before, bare), left(bare, before), left(before, after)]).toEqual([[words], [`new: ${words}`], [words]])
})

test('the keys identify what a rollback has to restore', () => {
	const host = withRest(
		{
			rules: [rule({}), rule({ priority: 512 })],
			nextHopObjects: [{ id: 7, family: 4, link: 3, onlink: false, protocol: 4 }],
			files: { '/etc/a': file('a') },
		},
		{ addresses: [fixed('10.0.0.5/24')], sysctls: { a: '0' } },
	)
	expect([...touchable(host, touched).keys()].toSorted()).toEqual([
		...['address 3 10.0.0.5/24', 'file 0 /etc/a', 'link 3', 'nexthop 3 7', 'rule 4 10000 from 10.0.0.23 lookup 100', 'sysctl 3 a'],
	])
})
