import { describe, expect, test } from 'vitest'
import type { HostState, Rule } from '../../agent/model/host-state.ts'
import { fibOf, lookup } from '../../agent/plan/fib.ts'
import { plan } from '../../agent/plan/plan.ts'
import { linksOf } from '../../agent/model/route.ts'
import type { Step } from '../../agent/model/change.ts'
import { type Bases, DEFAULT_BASES } from '../../contract/bases.ts'
import { type Interface, settle } from '../../contract/interface.ts'
import { stepWords } from '../../agent/ip/change-words.ts'
import { after, hostWith } from './simulated-host.ts'

/** Packets from the NIC to a pod of the node leave through the link of the pod after each step of a run and of its undo. */
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

/** @returns each step after which packets from an address of the NIC do not leave through the link of the pod */
function lost(host: HostState, steps: readonly Step[]): string[] {
	let now = host
	return steps.flatMap((step, at) => {
		try {
			now = after(now, step)
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
		return ways.map(([family]) => `${at} ${family} after ${stepWords(step)}`)
	})
}

describe('packets from an address of the NIC to a pod leave through the link of the pod after each step', () => {
	const wider = ['10.244.0.0/16', 'fd44::/16']
	test.each<[title: string, wish: Interface[], podNetworks: string[], bases: Bases]>([
		['of a change to larger pod networks', [nic], wider, DEFAULT_BASES],
		[
			'of a change to larger pod networks and a further address, which is probed first',
			[{ ...nic, addresses: ['fd00::23/64', '10.0.0.24/24'] }],
			wider,
			DEFAULT_BASES,
		],
		['of a change to another base', [nic], PODS, { table: 200, priority: 20_000 }],
		['of a change to a base less than ten away', [nic], PODS, { table: 100, priority: 10_005 }],
		['of a change to another id', [{ ...nic, id: 3 }], PODS, DEFAULT_BASES],
		['of a change to addresses without connected routes', [{ ...nic, connectedRoute: false }], PODS, DEFAULT_BASES],
		['of a removal', [], PODS, DEFAULT_BASES],
	])('%s, and after each step of the undo', (_, wish, podNetworks, bases) => {
		const host = planned(start, [nic], PODS).steps.reduce(after, start)
		const made = planned(host, wish, podNetworks, bases)
		expect([lost(host, made.steps), lost(made.steps.reduce(after, host), made.undo)]).toEqual([[], []])
	})
})

describe('a rule to the main table with the priority of pod rules', () => {
	const ruleFrom = (from: string): Rule => {
		const words = `from ${from} to 10.20.0.0/16 lookup 254`
		return { family: 4, priority: 9_990, from: `${from}/32`, to: '10.20.0.0/16', table: 254, plain: true, words }
	}
	const first = planned(start, [nic], PODS).steps.reduce(after, start)

	test.each<[title: string, from: string, wish: Interface[], stays: boolean]>([
		['stays if its address is not managed by MultiNIC', '192.168.9.2', [nic], true],
		['stays in a removal if its address is not managed by MultiNIC', '192.168.9.2', [], true],
		['is removed if its address is desired', '10.0.0.23', [nic], false],
		['is removed if its address was desired before', '10.0.0.23', [{ ...nic, address: '10.0.0.24' }], false],
	])('%s', (_, from, wish, stays) => {
		const host = { ...first, rules: [...first.rules, ruleFrom(from)] }
		const end = planned(host, wish, PODS).steps.reduce(after, host)
		expect(end.rules.some(({ to }) => to === '10.20.0.0/16')).toBe(stays)
	})
})

test('a route lookup skips the rules for other source addresses, even if there are thousands', () => {
	const ruleFrom = (from: string, priority: number): Rule => ({ family: 4, priority, from, table: 254, plain: true, words: '' })
	const rules = [
		...Array.from({ length: 1_000 }, (_, at) => ruleFrom(`10.${at >> 8}.${at & 255}.1/32`, 9_990)),
		{ ...ruleFrom('10.0.9.1/32', 5), inverted: true as const },
		ruleFrom('10.0.7.0/24', 9_999),
		ruleFrom('0.0.0.0/0', 32_766),
	]
	const { rulesFrom } = fibOf({ ...start, rules })
	expect(rulesFrom('10.0.7.1').map(({ priority }) => priority)).toEqual([5, 9_990, 9_999, 32_766])
	expect(rulesFrom(undefined).map(({ priority }) => priority)).toEqual([5, 9_999, 32_766])
})
