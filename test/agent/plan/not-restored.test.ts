import { describe, expect, test } from 'vitest'
import { changedFile } from '../../../agent/model/change.ts'
import type { FileState, HostState } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { notRestored } from '../../../agent/plan/not-restored.ts'
import { Interfaces, settle } from '../../../contract/interface.ts'
import { after, hostWith } from '../simulated-host.ts'

/** What is compared after an undo: everything that the run changed, but not what other programs have added to its links. */

const mac = 'fa:16:3e:00:00:01'
const wanted = {
	interfaces: settle(Interfaces.parse([{ id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1400 }])),
	nodeAddresses: [],
	kinds: new Set(['hardware']),
	failed: new Map(),
}
const file = (content: string): FileState => ({ content, mode: 0o644, gid: 0 })
const theirs = '/etc/netplan/50-theirs.yaml'
const route = (more: Partial<Route>): Route => ({
	...{ family: 4, to: '10.9.0.0/16', link: 3, table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false },
	...more,
})
const leased = route({ to: '0.0.0.0/0', via: '172.16.0.1', protocol: 16, metric: 1024 })
const start = hostWith([{ ifindex: 3, name: 'ens7', mac, up: true, managedBy: 'systemd-networkd' }], {
	networkd: true,
	routes: [route({ to: '10.8.0.0/16' })],
	files: { [theirs]: file('theirs') },
})
const made = plan(wanted, start, {})
const undone = made.undo.reduce(after, made.steps.reduce(after, start))
const theirAddress = { family: 4 as const, cidr: '10.44.0.5/24', global: true, dynamic: false }
const withRoutes = (...more: Route[]): HostState => ({ ...undone, routes: [...undone.routes, ...more] })

test('an undo leaves nothing to restore', () => {
	expect(notRestored(made, start, undone)).toEqual([])
})

describe('the host is considered restored although', () => {
	test.each<[title: string, now: HostState]>([
		['a lease has been added', withRoutes(leased)],
		[
			'a route from a router advertisement has been added',
			withRoutes(route({ family: 6, to: '::/0', via: 'fe80::1', protocol: 9, metric: 1024 })),
		],
		[
			'another program has added an address',
			{ ...undone, links: undone.links.map(link => ({ ...link, addresses: [...link.addresses, theirAddress] })) },
		],
		[
			'another link has got the ifindex of one that no longer exists',
			{ ...undone, links: undone.links.map(link => ({ ...link, mac: '02:00:00:00:00:77', mtu: 1400 })) },
		],
		['another program has written a file', { ...undone, files: { ...undone.files, '/etc/netplan/60-new.yaml': file('new') } }],
		['another program has changed its file', { ...undone, files: { ...undone.files, [theirs]: file('changed') } }],
		['another program has removed its file', { ...undone, files: {} }],
	])('%s', (_, now) => {
		expect(notRestored(made, start, now)).toEqual([])
	})
})

describe('the host is not considered restored while', () => {
	const path = made.steps.flatMap(step => changedFile(step) ?? [])[0] ?? ''

	test.each<[title: string, now: HostState, words: RegExp]>([
		['a file of the run exists', { ...undone, files: { ...undone.files, [path]: file('ours') } }, new RegExp(`new: ${path}`)],
		['a route of the run exists', withRoutes(route({ table: 100 })), /new: route 10\.9\.0\.0/],
		['a route that existed is missing', { ...undone, routes: [] }, /route 10\.8\.0\.0/],
		['a link has another MTU', { ...undone, links: undone.links.map(link => ({ ...link, mtu: 1400 })) }, /ens7, mtu 1500/],
	])('%s', (_, now, words) => {
		expect(notRestored(made, start, now)).toEqual([expect.stringMatching(words)])
	})

	test('a lease that existed is missing', () => {
		const before = { ...start, routes: [...start.routes, leased] }
		expect(notRestored(made, before, undone)).toEqual([expect.stringMatching(/route 0\.0\.0\.0\/0 via 172\.16\.0\.1/)])
	})
})

describe('of the addresses and routes of a link, the host', () => {
	const had = { ...theirAddress, cidr: '10.1.0.5/24' }
	const given = { ...theirAddress, cidr: '10.0.0.23/24' }
	const [other, own] = [route({ to: '10.7.0.0/16' }), route({ to: '10.6.0.0/16', table: 105 })]
	const plan = {
		...made,
		steps: [{ change: { kind: 'addAddress' as const, link: 3, address: given } }, { change: { kind: 'addRoute' as const, route: other } }],
		undo: [],
	}
	const host = (addresses: (typeof had)[], routes: Route[]): HostState => ({
		...start,
		links: start.links.map(({ managedBy: _, ...link }) => ({ ...link, addresses })),
		routes,
	})
	test.each<[title: string, before: HostState, now: HostState, words: string[]]>([
		['has what it had', host([had], [route({})]), host([had], [route({})]), []],
		['lacks an address that it had', host([had], []), host([], []), ['10.1.0.5/24 on ens7']],
		['has an address of the run', host([], []), host([given], []), ['new: 10.0.0.23/24 on ens7']],
		['has an address and a route of another program', host([], []), host([theirAddress], [route({})]), []],
		['has a route of the run', host([], []), host([], [other]), ['new: route 10.7.0.0/16 dev ens7 table main scope 0 proto 4']],
		['has a route in a table of MultiNIC', host([], []), host([], [own]), ['new: route 10.6.0.0/16 dev ens7 table 105 scope 0 proto 4']],
	])('%s', (_, before, now, words) => {
		expect(notRestored(plan, before, now)).toEqual(words)
	})

	test('has a route in a table of the given base', () => {
		const bases = [{ table: 200, priority: 20_000 }]
		expect(notRestored({ ...plan, bases }, host([], []), host([], [{ ...own, table: 205 }, own]))).toEqual([
			'new: route 10.6.0.0/16 dev ens7 table 205 scope 0 proto 4',
		])
	})
})
