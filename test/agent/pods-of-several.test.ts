import { expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { fibOf, lookup } from '../../agent/plan/fib.ts'
import { ruleKey } from '../../agent/model/desired-rules.ts'
import { plan } from '../../agent/plan/plan.ts'
import { linksOf } from '../../agent/model/route.ts'
import type { Step } from '../../agent/model/change.ts'
import { type Bases, DEFAULT_BASES } from '../../contract/bases.ts'
import { type Interface, settle } from '../../contract/interface.ts'
import { stepWords } from '../../agent/ip/change-words.ts'
import { after, hostWith } from './simulated-host.ts'

/** Packets from each of several interfaces to a pod leave through the link of the pod, while the priorities of the rules change. */
const CALI = 4
const POD = '10.244.1.5'
const IDS = [0, 3, 5, 8]
const nicOf = (mac: number, id = mac, net = mac): Interface => ({
	...{ id, macAddress: `fa:16:3e:00:00:0${mac}` },
	...{ address: `10.0.${net}.23`, cidr: `10.0.${net}.0/24`, gateway: `10.0.${net}.1` },
})
const start = hostWith(
	[
		{ ifindex: CALI, name: 'cali1', mac: '02:00:00:00:00:02', up: true },
		...IDS.map(id => ({ ifindex: 10 + id, name: `ens${id}`, mac: nicOf(id).macAddress })),
	],
	{ routes: [{ family: 4, to: `${POD}/32`, link: CALI, table: 254, metric: 0, protocol: 3, type: 1, scope: 253, onlink: false }] },
)

const planned = (host: HostState, wish: Interface[], bases: Bases) =>
	plan(
		{
			...{ interfaces: settle(wish, { podNetworks: ['10.244.1.0/24'], bases }), nodeAddresses: [] },
			...{ kinds: new Set(['hardware']), failed: new Map() },
		},
		host,
		{},
	)

/** @returns each step after which packets from an address of an interface do not leave through the link of the pod */
function lost(host: HostState, steps: readonly Step[]): string[] {
	let now = host
	return steps.flatMap(step => {
		try {
			now = after(now, step)
		} catch {} // Mimics ip -force.
		const fib = fibOf(now)
		const held = now.links.flatMap(({ addresses }) => addresses.map(({ cidr }) => cidr.slice(0, cidr.indexOf('/'))))
		const away = held.filter(from => {
			const way = lookup(fib, { family: 4, from, to: POD })
			return !('route' in way && linksOf(way.route)[0] === CALI)
		})
		return away.map(from => `${from} after ${stepWords(step)}`)
	})
}

test.each<[title: string, wish: Interface[], bases: Bases]>([
	['a priority base that is five higher', IDS.map(id => nicOf(id)), { table: 100, priority: 10_005 }],
	['a priority base that is five lower', IDS.map(id => nicOf(id)), { table: 100, priority: 9_995 }],
	['a priority base and a table base that are three higher', IDS.map(id => nicOf(id)), { table: 103, priority: 10_003 }],
	['a cycle of ids', [nicOf(0, 3), nicOf(3, 5), nicOf(5, 8), nicOf(8, 0)], DEFAULT_BASES],
	['swapped addresses', [nicOf(0, 0, 3), nicOf(3, 3, 0), nicOf(5), nicOf(8)], DEFAULT_BASES],
	[
		'a config without one interface, in which another interface gets its id and address',
		[nicOf(3, 0, 0), nicOf(5), nicOf(8)],
		DEFAULT_BASES,
	],
])(
	'packets from each interface to a pod leave through the link of the pod after each step of a change to %s, and of its undo',
	(_, wish, bases) => {
		const host = planned(
			start,
			IDS.map(id => nicOf(id)),
			DEFAULT_BASES,
		).steps.reduce(after, start)
		const made = planned(host, wish, bases)
		expect([lost(host, made.steps), lost(made.steps.reduce(after, host), made.undo)]).toEqual([[], []])
		const removed = made.steps.flatMap(({ change }) => (change?.kind === 'removeRule' ? [ruleKey(change.rule)] : []))
		expect(removed).toEqual([...new Set(removed)])
	},
)
