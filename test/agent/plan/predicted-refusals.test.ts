import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { predictedRefusals } from '../../../agent/plan/predicted-refusals.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import type { Interface } from '../../../contract/interface.ts'
import { afterEvery, BASE_RULES, hostWith } from '../simulated-host.ts'
import { address, mac, recordedNic, route, routeOver, routeWithoutLink, rule, wantedNic } from './one-nic.ts'

/** Routing failures that the model of the kernel predicts. The node has its default route over mgmt; ens7 and ens8 are the NICs. */

const links = [
	{ ifindex: 2, name: 'mgmt', mac: '02:00:00:00:00:02', up: true, addresses: [address('192.168.9.2/24')] },
	{ ifindex: 3, name: 'ens7', mac: mac(0) },
	{ ifindex: 4, name: 'ens8', mac: mac(1) },
	{ ifindex: 5, name: 'eth1', mac: '02:00:00:00:00:05', up: true, addresses: [address('192.168.8.2/24')] },
]
const byDefault = route('0.0.0.0/0', { link: 2, via: '192.168.9.1' })
const main = (to: string, via = '10.0.0.7') => ({ to, via, table: 254 })

type World = { routes?: readonly Route[]; rules?: readonly Rule[]; lease?: boolean }

function hostOf({ routes = [byDefault], rules = [], lease = false }: World): HostState {
	const leased = { up: true, addresses: [address('10.7.0.5/24', { dynamic: true })] }
	return hostWith(
		links.map(link => (lease && link.ifindex === 3 ? { ...link, ...leased } : link)),
		{ routes, rules: [...BASE_RULES, ...rules] },
	)
}

function selectionOf(host: HostState, nics: readonly Partial<Interface>[]): Selection {
	const accepted = nics.map((nic, id) => {
		const own = id === 0 ? {} : { address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24` }
		return { nic: wantedNic({ id, ...own, ...nic }), link: host.links[id + 1] as Link, ours: undefined }
	})
	return { accepted, refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [DEFAULT_BASES] }
}

function refusals(nics: readonly Partial<Interface>[], world: World, paths: readonly string[] = []) {
	const host = hostOf(world)
	return [...predictedRefusals(selectionOf(host, nics), paths, host)]
}

describe('an interface is refused because of', () => {
	const ofPods = main('10.42.0.0/24')

	test.each<[title: string, nics: Partial<Interface>[], world: World, message: string, paths?: string[]]>([
		[
			'packets to an address that the node depends on, which would leave through it',
			[{ routes: [main('10.96.0.0/16')] }],
			{},
			'packets to 10.96.0.1 leave through mgmt now and would leave through multinic0 (ip route get 10.96.0.1)',
			['10.96.0.1'],
		],
		[
			'packets that leave through two links and would leave through it',
			[{ routes: [main('10.50.3.0/24')] }],
			{ routes: [byDefault, routeOver('10.50.0.0/16', [2, 5])] },
			'packets to 10.50.3.1 leave through mgmt and eth1 now and would leave through multinic0 (ip route get 10.50.3.1)',
			['10.50.3.1'],
		],
		[
			'packets that the node rejects and that would leave through it',
			[{ routes: [ofPods] }],
			{ routes: [byDefault, routeWithoutLink('10.42.0.0/16', { type: 7 })] },
			'packets to 10.42.0.1 are rejected now and would leave through multinic0 (ip route get 10.42.0.1)',
			['10.42.0.1'],
		],
		[
			'packets that leave through it now and would have no route',
			[{}],
			{ routes: [route('10.50.0.0/16', { via: '10.7.0.1', protocol: 16 })], lease: true },
			'packets to 10.50.0.9 leave through ens7 now and would have no route (ip route get 10.50.0.9)',
			['10.50.0.9'],
		],
	])('%s', (...[, nics, world, message, paths]) => {
		expect(refusals(nics, world, paths)).toEqual([[0, { reason: 'InUse', message }]])
	})

	test('the first of several packets, before those of its own addresses', () => {
		const to77 = [rule({ priority: 5_000, from: '10.0.0.23/32', table: 50, words: 'from 10.0.0.23 lookup 50' })]
		const world = { routes: [byDefault, { ...byDefault, table: 50 }], rules: to77 }
		const found = refusals([{ routes: [main('10.96.0.0/16'), main('10.97.0.0/16')] }], world, ['10.96.0.1', '10.97.0.1'])
		expect(found.map(([id, { reason, message }]) => [id, reason, message.slice(0, 20)])).toEqual([[0, 'InUse', 'packets to 10.96.0.1']])
	})

	test('packets that would leave through it and not another interface', () => {
		const found = refusals([{}, { routes: [main('10.96.0.0/16', '10.0.1.7')] }], {}, ['10.96.0.1'])
		expect(found).toEqual([
			[
				1,
				{
					reason: 'InUse',
					message: 'packets to 10.96.0.1 leave through mgmt now and would leave through multinic1 (ip route get 10.96.0.1)',
				},
			],
		])
	})
})

describe('an interface is not refused', () => {
	test.each<[title: string, nics: Partial<Interface>[], world: World, paths: string[]]>([
		['if its routes are in its own table', [{ gateway: '10.0.0.1', routes: [{ to: '10.96.0.0/16' }] }, {}], {}, ['10.96.0.1']],
		[
			'because of a route to a destination to which the node has no route',
			[{ routes: [main('10.96.0.0/16')] }],
			{ routes: [] },
			['10.96.0.1'],
		],
		['if no interface is requested', [], {}, ['10.96.0.1']],
	])('%s', (_, nics, world, paths) => {
		expect(refusals(nics, world, paths)).toEqual([])
	})
})

test('an interface is not refused because of a path over a NIC that is no longer desired', () => {
	const lost = route('10.50.0.0/16', { link: 4, via: '10.0.1.7' })
	const found = hostOf({ routes: [lost] })
	const host = {
		...found,
		links: found.links.map(link => (link.ifindex === 4 ? { ...link, up: true, addresses: [address('10.0.1.23/24')] } : link)),
	}
	const ours = recordedNic({ id: 1, addresses: ['10.0.1.23/24'], routes: [{ to: '10.50.0.0/16', via: '10.0.1.7', table: 254, metric: 0 }] })
	const selection = { ...selectionOf(host, [{}]), released: [{ ours, link: host.links[2] }] }
	expect([...predictedRefusals(selection, ['10.50.0.9'], host)]).toEqual([])
})

describe('packets from the addresses of an interface', () => {
	const rules = [rule({ priority: 5_000, from: '10.0.0.0/16', table: 50, words: 'from 10.0.0.0/16 lookup 50' })]
	const routes = [byDefault, { ...byDefault, table: 50 }]
	const message = (id: number) =>
		`packets from 10.0.${id}.23 to 10.0.${id}.0/24 (such as 10.0.${id}.1) leave through mgmt because rule 5000 (from 10.0.0.0/16 lookup 50) takes precedence (ip rule show priority 5000)`

	test('leave through another link because of a rule', () => {
		expect(refusals([{ gateway: '10.0.0.9' }, {}], { routes, rules })).toEqual(
			[1, 0].map(id => [id, { reason: 'RoutedElsewhere', message: message(id) }]),
		)
	})

	test('leave through another link because of a rule, even if nothing has to change', () => {
		const start = hostOf({})
		const interfaces = [wantedNic()]
		const done = afterEvery(
			start,
			plan({ interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, start, {}).steps,
			false,
		)
		const host = { ...done, routes: [...done.routes, ...routes.slice(1)], rules: [...done.rules, ...rules] }
		const found = predictedRefusals(selectionOf(host, [{}]), [], host)
		expect([...found]).toEqual([[0, { reason: 'RoutedElsewhere', message: message(0) }]])
	})
})
