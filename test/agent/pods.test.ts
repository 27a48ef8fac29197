import { describe, expect, test } from 'vitest'
import type { HostState, Rule } from '../../agent/model/host-state.ts'
import { fibOf, lookup } from '../../agent/plan/fib.ts'
import { plan } from '../../agent/plan/plan.ts'
import { linksOf } from '../../agent/model/route.ts'
import type { Change } from '../../agent/model/change.ts'
import { type Bases, DEFAULT_BASES } from '../../contract/bases.ts'
import { type Interface, settle } from '../../contract/interface.ts'
import { spell } from '../../agent/ip/format-change.ts'
import { after, hostWith } from './simulated-host.ts'

/** A pod of the node stays behind a link of the node after each step of a run and of its undo. */
const nic: Interface = {
	id: 0,
	macAddress: 'fa:16:3e:00:00:00',
	address: '10.0.0.23',
	cidr: '10.0.0.0/24',
	gateway: '10.0.0.1',
	addresses: ['fd00::23/64'],
	routes: [{ to: '::/0', via: 'fd00::1' }],
}
const PODS = ['10.244.1.0/24', 'fd44:1::/64']
const CALI = 4
const route = { link: CALI, table: 254, metric: 0, protocol: 3, type: 1, scope: 253, onlink: false }
const start = hostWith(
	[
		{
			ifindex: 2,
			name: 'mgmt',
			mac: '02:00:00:00:00:01',
			up: true,
			addresses: [{ family: 4, cidr: '192.168.9.2/24', global: true, dynamic: false }],
		},
		{ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:00:00' },
		{ ifindex: CALI, name: 'cali1', mac: '02:00:00:00:00:02', up: true },
	],
	{
		routes: [
			{ ...route, family: 4, to: '10.244.1.5/32' },
			{ ...route, family: 6, to: 'fd44:1::5/128', metric: 1024 },
		],
	},
)

const planned = (host: HostState, wish: Interface[], podNetworks: string[], bases: Bases = DEFAULT_BASES) =>
	plan(
		{ interfaces: settle(wish, { podNetworks, bases }), nodeAddresses: ['192.168.9.2'], kinds: new Set(['hardware']), failed: new Map() },
		host,
		{},
	)
const changesOf = ({ steps }: ReturnType<typeof planned>) => steps.map(({ change }) => change)

/** @returns each change after which packets from an address of the NIC leave by another link than that of the pod */
function lost(host: HostState, changes: readonly Change[]): string[] {
	let now = host
	return changes.flatMap((change, at) => {
		try {
			now = after(now, change)
		} catch {} // Mimics ip -force.
		const fib = fibOf(now)
		const ways = (
			[
				[4, '10.0.0.23', '10.244.1.5'],
				[6, 'fd00::23', 'fd44:1::5'],
			] as const
		).filter(([family, from, to]) => {
			const has = now.links.some(({ addresses }) => addresses.some(({ cidr }) => cidr.startsWith(`${from}/`)))
			const way = lookup(fib, { family, from, to })
			return has && !('route' in way && linksOf(way.route)[0] === CALI)
		})
		return ways.map(([family]) => `${at} ${family} after ${spell(change)?.line ?? change.kind}`)
	})
}

describe('a pod is reached from an address of the NIC after each step', () => {
	const wider = ['10.244.0.0/16', 'fd44::/16']
	test.each<[title: string, wish: Interface[], podNetworks: string[], bases: Bases]>([
		['that gives wider networks of pods', [nic], wider, DEFAULT_BASES],
		[
			'that gives them and an address, for which the wire is asked',
			[{ ...nic, addresses: ['fd00::23/64', '10.0.0.24/24'] }],
			wider,
			DEFAULT_BASES,
		],
		['to another base', [nic], PODS, { table: 200, priority: 20_000 }],
		['to a base less than ten away', [nic], PODS, { table: 100, priority: 10_005 }],
		['to another id', [{ ...nic, id: 3 }], PODS, DEFAULT_BASES],
		['to addresses alone', [{ ...nic, connectedRoute: false }], PODS, DEFAULT_BASES],
		['of a removal', [], PODS, DEFAULT_BASES],
	])('%s, and of its undo', (_, wish, podNetworks, bases) => {
		const host = changesOf(planned(start, [nic], PODS)).reduce(after, start)
		const made = planned(host, wish, podNetworks, bases)
		const changes = changesOf(made)
		expect([lost(host, changes), lost(changes.reduce(after, host), made.undo)]).toEqual([[], []])
	})
})

describe('a rule to main with the priority of pod rules', () => {
	const ruleFrom = (from: string): Rule => {
		const words = `from ${from} to 10.20.0.0/16 lookup 254`
		return { family: 4, priority: 9_990, from: `${from}/32`, to: '10.20.0.0/16', table: 254, plain: true, words }
	}
	const first = changesOf(planned(start, [nic], PODS)).reduce(after, start)

	test.each<[title: string, from: string, wish: Interface[], stays: boolean]>([
		['of an address of others is theirs', '192.168.9.2', [nic], true],
		['of an address of others is theirs, once nothing is wanted too', '192.168.9.2', [], true],
		['of an address that is wanted is ours', '10.0.0.23', [nic], false],
		['of an address that was ours is ours', '10.0.0.23', [{ ...nic, address: '10.0.0.24' }], false],
	])('%s', (_, from, wish, stays) => {
		const host = { ...first, rules: [...first.rules, ruleFrom(from)] }
		const end = changesOf(planned(host, wish, PODS)).reduce(after, host)
		expect(end.rules.some(({ to }) => to === '10.20.0.0/16')).toBe(stays)
	})
})
