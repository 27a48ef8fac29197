import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { fibOf, lookup, type Packet, selects } from '../../../agent/plan/fib.ts'
import { hostWith } from '../simulated-host.ts'

/** The model of the kernel's route lookup, case by case; `fib.kernel.test.ts` compares it with the kernel. */

const MAIN = 254
const route = (to: string, more: Partial<Route> = {}): Route => ({
	family: to.includes(':') ? 6 : 4,
	to,
	link: 2,
	table: MAIN,
	metric: 0,
	protocol: 4,
	type: 1,
	scope: 0,
	onlink: false,
	...more,
})
const rule = (priority: number, more: Partial<Rule> = {}): Rule => ({
	family: 4,
	priority,
	from: more.family === 6 ? '::/0' : '0.0.0.0/0',
	table: MAIN,
	plain: false,
	words: '',
	...more,
})
const all = [rule(32_766)]
/** A route with several next hops, each over one of the links. */
const over = (to: string, metric: number, ...found: number[]): Route => {
	const { link: _, ...several } = route(to, { metric, nextHops: found.map(link => ({ link, weight: 1, onlink: false })) })
	return several
}
const links: Partial<Link>[] = [{ up: true }, { up: true, group: 7 }, { up: false }]
const host = (routes: Route[], rules: Rule[] = all): HostState => {
	const state = hostWith(
		['eth0', 'ens7', 'ens8'].map((name, at) => ({ ifindex: at + 2, name, mac: `02:00:00:00:00:0${at}`, ...links[at] })),
	)
	return { ...state, routes, rules }
}
/** The metric identifies the route that a packet takes. */
const metricOf = (state: HostState, packet: Partial<Packet>) => {
	const way = lookup(fibOf(state), { family: 4, to: '10.1.2.3', ...packet })
	return 'route' in way ? way.route.metric : way.rule ? `rejected by ${way.rule.priority}` : 'no route'
}

describe('a packet takes the route', () => {
	test.each<[title: string, routes: Route[], packet: Partial<Packet>, metric: number | string]>([
		[
			'with the longest prefix, if it is last in the list',
			[route('10.0.0.0/8', { metric: 1 }), route('10.1.0.0/16', { metric: 2 })],
			{},
			2,
		],
		[
			'with the longest prefix, if it is first in the list',
			[route('10.1.0.0/16', { metric: 2 }), route('10.0.0.0/8', { metric: 1 })],
			{},
			2,
		],
		['only to its network', [route('10.2.0.0/16', { metric: 2 }), route('0.0.0.0/0', { metric: 1 })], {}, 1],
		['with the smallest metric', [route('10.1.0.0/16', { metric: 9 }), route('10.1.0.0/16', { metric: 3 })], {}, 3],
		['only of its family', [route('::/0', { metric: 1 })], {}, 'no route'],
		[
			'for its TOS rather than one for any TOS',
			[route('10.1.0.0/16', { metric: 1 }), route('10.1.0.0/16', { metric: 2, tos: 8 })],
			{ tos: 8 },
			2,
		],
		[
			'for any TOS, if the other one is for another TOS',
			[route('10.1.0.0/16', { metric: 2, tos: 8 }), route('10.1.0.0/16', { metric: 1 })],
			{},
			1,
		],
		['for any TOS, if none is for its TOS', [route('10.1.0.0/16', { metric: 1 }), route('10.0.0.0/8', { metric: 2 })], { tos: 8 }, 1],
		['over several links if one of them is up', [over('10.1.0.0/16', 1, 4, 3), route('10.0.0.0/8', { metric: 2 })], {}, 1],
		[
			'over several links if its socket is bound to one of them',
			[over('10.1.0.0/16', 1, 2, 3), route('10.0.0.0/8', { metric: 2 })],
			{ oif: 3 },
			1,
		],
		['but not over several links that are all down', [over('10.1.0.0/16', 1, 4, 5), route('10.0.0.0/8', { metric: 2 })], {}, 2],
		['but not over a link that is down', [route('10.1.0.0/16', { metric: 1, link: 4 }), route('10.0.0.0/8', { metric: 2 })], {}, 2],
		[
			'over the link to which its socket is bound',
			[route('10.1.0.0/16', { metric: 1 }), route('10.0.0.0/8', { metric: 2, link: 3 })],
			{ oif: 3 },
			2,
		],
		[
			'that rejects it, even if the link is down',
			[route('10.1.0.0/16', { metric: 1, link: 4, type: 7 }), route('0.0.0.0/0')],
			{},
			'rejected by 32766',
		],
		['but no other of the table after a throw route', [route('10.1.0.0/16', { type: 9 }), route('0.0.0.0/0')], {}, 'no route'],
	])('%s', (_, routes, packet, metric) => {
		expect(metricOf(host(routes), packet)).toBe(metric)
	})

	const ofSource = [
		route('fd00::/16', { metric: 1 }),
		route('fd00::/16', { metric: 2, from: 'fd01::/64' }),
		route('fd00::/16', { metric: 3, from: 'fd01::/32' }),
	]
	test.each<[title: string, from: string | undefined, metric: number]>([
		['for its source with the longest source prefix', 'fd01::5', 2],
		['for its source with a shorter source prefix', 'fd01:0:1::5', 3],
		['for any source, if its source is in no other', 'fd02::5', 1],
		['for any source, if it has no source yet', undefined, 1],
	])('%s', (_, from, metric) => {
		const packet = { family: 6 as const, to: 'fd00::1', ...(from !== undefined && { from }) }
		expect(metricOf(host(ofSource, [rule(32_766, { family: 6 })]), packet)).toBe(metric)
	})

	test('over a link whose routes are not ignored for its family', () => {
		const state = host([route('10.1.0.0/16', { metric: 1 }), route('fd00::/16', { metric: 2 })], [...all, rule(32_766, { family: 6 })])
		const ignored = { ...state, links: state.links.map(link => ({ ...link, ignored: [4] }) as Link) }
		expect([metricOf(ignored, {}), metricOf(ignored, { family: 6, to: 'fd00::1' })]).toEqual(['no route', 2])
	})
})

describe('rules apply in the order of their priorities', () => {
	const routes = [
		route('0.0.0.0/0', { metric: 1, table: 1 }),
		route('0.0.0.0/0', { metric: 2, table: 2 }),
		route('10.0.0.0/8', { metric: 3, table: 3, link: 3 }),
		route('10.0.0.0/8', { metric: 4, table: 4, link: 9, type: 2 }),
	]
	const [one, two, three] = [{ table: 1 }, { table: 2 }, { table: 3 }]

	test.each<[title: string, rules: Rule[], way: number | string]>([
		['regardless of the order of the list', [rule(20, two), rule(10, one)], 1],
		['a table without a matching route passes the packet to the next rule', [rule(10, { table: 9 }), rule(20, two)], 2],
		['a rule of the other family is skipped', [rule(10, { ...one, family: 6, from: '0.0.0.0/0' }), rule(20, two)], 2],
		['goto skips the rules between', [rule(10, { action: 'goto', goto: 30 }), rule(20, two), rule(30, one)], 1],
		['goto is skipped if its target is missing', [rule(10, { action: 'goto', goto: 40 }), rule(20, two), rule(30, one)], 2],
		[
			'goto is skipped if only the other family has its target',
			[rule(10, { action: 'goto', goto: 30 }), rule(20, two), rule(30, { ...one, family: 6 })],
			2,
		],
		[
			'goto ends the lookup if no further rule matches',
			[rule(10, { action: 'goto', goto: 30 }), rule(20, two), rule(30, { table: 9 })],
			'no route',
		],
		['a rule that does nothing (nop) is skipped', [rule(10, { action: 'nop' }), rule(20, two)], 2],
		['a rule for VRFs (l3mdev) is skipped', [rule(10, { action: 'l3mdev' }), rule(20, two)], 2],
		['a rule that rejects the packet ends the lookup', [rule(10, { action: 'prohibit' }), rule(20, two)], 'rejected by 10'],
		['the packet has no route if no rule finds one', [rule(10, { table: 9 })], 'no route'],
		['a route with a short prefix is suppressed', [rule(10, { ...one, suppressPrefixLength: 0 }), rule(20, two)], 2],
		['a route with a longer prefix is not suppressed', [rule(10, { ...three, suppressPrefixLength: 7 }), rule(20, two)], 3],
		['a route is not suppressed by a rule without suppression', [rule(10, one), rule(20, two)], 1],
		['a route over a link of a group is suppressed', [rule(10, { ...three, suppressGroup: 7 }), rule(20, two)], 2],
		['a route over a link of another group is not suppressed', [rule(10, { ...three, suppressGroup: 8 }), rule(20, two)], 3],
		['a route over an unknown link is in no group', [rule(10, { table: 4 }), rule(20, two)], 4],
		['a link without a group is in group 0', [rule(10, { ...one, suppressGroup: 0 }), rule(20, two)], 2],
	])('%s', (_, rules, way) => {
		expect(metricOf(host(routes, rules), {})).toBe(way)
	})

	test('a rejecting route is not suppressed', () => {
		const refusing = [route('0.0.0.0/0', { table: 1, type: 7 }), ...routes.slice(1)]
		expect(metricOf(host(refusing, [rule(10, { ...one, suppressPrefixLength: 0 }), rule(20, two)]), {})).toBe('rejected by 10')
	})

	test.each<[title: string, family: 4 | 6, way: number]>([
		['the first next hop of an IPv4 route', 4, 1],
		['every next hop of an IPv6 route', 6, 2],
	])('a suppressed group is compared with %s', (_, family, way) => {
		const to = family === 4 ? '0.0.0.0/0' : '::/0'
		const nextHops = [2, 3].map(link => ({ link, weight: 1, onlink: false }))
		const { link: __, ...several } = route(to, { metric: 1, table: 1, nextHops })
		const rules = [rule(10, { ...one, family, suppressGroup: 7 }), rule(20, { ...two, family })]
		expect(metricOf(host([several, route(to, { metric: 2, table: 2 })], rules), { family, to: family === 4 ? '9.9.9.9' : 'fd00::1' })).toBe(
			way,
		)
	})
})

describe('a rule selects a packet', () => {
	const names = new Map([[2, 'eth0']])
	test.each<[title: string, selector: Partial<Rule>, packet: Partial<Packet>, isMatch: boolean]>([
		['without selectors', {}, {}, true],
		['unless it has an unknown selector', { unknown: ['l3mdev'] }, {}, false],
		['unless it has an unknown selector, inverted or not', { unknown: ['l3mdev'], inverted: true }, {}, false],
		['from its network', { from: '10.0.0.0/24' }, { from: '10.0.0.9' }, true],
		['not from another network', { from: '10.0.0.0/24' }, { from: '10.0.1.9' }, false],
		['not without a source', { from: '10.0.0.0/24' }, {}, false],
		['from another network, if inverted', { from: '10.0.0.0/24', inverted: true }, { from: '10.0.1.9' }, true],
		['not from its network, if inverted', { from: '10.0.0.0/24', inverted: true }, { from: '10.0.0.9' }, false],
		['to its network', { to: '10.1.0.0/16' }, {}, true],
		['not to another network', { to: '10.2.0.0/16' }, {}, false],
		['to everything', { to: '0.0.0.0/0' }, {}, true],
		['that arrives on its link', { iif: 'eth0' }, { iif: 2 }, true],
		['not one from the host itself', { iif: 'eth0' }, {}, false],
		['from the host itself, if its link is lo', { iif: 'lo' }, {}, true],
		['not one that arrives on an unknown link', { iif: 'eth0' }, { iif: 9 }, false],
		['bound to its link', { oif: 'eth0' }, { oif: 2 }, true],
		['not one bound to another link', { oif: 'eth0' }, { oif: 9 }, false],
		['not one bound to no link', { oif: 'eth0' }, {}, false],
		['with its mark', { mark: { value: 1, mask: 0xff } }, { mark: 0x101 }, true],
		['not with another mark', { mark: { value: 1, mask: 0xff } }, { mark: 3 }, false],
		['not without a mark', { mark: { value: 1, mask: 0xff } }, {}, false],
		['without a mark, if the mark is 0', { mark: { value: 0, mask: 0xff } }, {}, true],
		['with its TOS', { tos: 8 }, { tos: 8 }, true],
		['not with another TOS', { tos: 8 }, {}, false],
		['of the first user of its range', { uids: [1_000, 2_000] }, { uid: 1_000 }, true],
		['of the last user of its range', { uids: [1_000, 2_000] }, { uid: 2_000 }, true],
		['not of the user before its range', { uids: [1_000, 2_000] }, { uid: 999 }, false],
		['not of the user after its range', { uids: [1_000, 2_000] }, { uid: 2_001 }, false],
		['without a user, which is treated as root', { uids: [0, 0] }, {}, true],
		['not one of root that arrives on a link', { uids: [0, 0] }, { iif: 2 }, false],
		['of its protocol', { protocol: 6 }, { protocol: 6 }, true],
		['of any protocol, if the rule names none', {}, { protocol: 17 }, true],
		['not of another protocol', { protocol: 6 }, { protocol: 17 }, false],
		['from its ports', { sport: [80, 90] }, { sport: 85 }, true],
		['not from another port', { sport: [80, 90] }, { sport: 91 }, false],
		['not without a port', { sport: [80, 90] }, {}, false],
		['to its ports', { dport: [80, 90] }, { dport: 80 }, true],
		['not to another port', { dport: [80, 90] }, { dport: 79 }, false],
	])('%s', (_, selector, packet, isMatch) => {
		expect(selects(rule(1, selector), { family: 4, to: '10.1.2.3', ...packet }, { names })).toBe(isMatch)
	})
})

describe('the rules that may apply to a packet', () => {
	const rules = [
		rule(1, { from: '10.0.0.1/32' }),
		rule(2, { from: '10.0.0.2/32' }),
		rule(3, { from: '10.0.0.1/32', inverted: true }),
		rule(4, { from: '10.0.0.0/24' }),
		rule(5),
		rule(6, { family: 6, from: 'fd00::1/128' }),
		rule(7, { family: 6, from: 'fd00::/32' }),
		rule(8, { family: 6 }),
	]
	test.each<[title: string, from: string | undefined, priorities: number[]]>([
		['from an IPv4 address are those for the address and for networks', '10.0.0.1', [1, 3, 4, 5, 7, 8]],
		['from an IPv6 address are those for the address and for networks', 'fd00::1', [3, 4, 5, 6, 7, 8]],
		['without a source are those for networks', undefined, [3, 4, 5, 7, 8]],
	])('%s', (_, from, priorities) => {
		expect(
			fibOf(host([], rules))
				.rulesFrom(from)
				.map(({ priority }) => priority),
		).toEqual(priorities)
	})

	test('are cached for at most 128 sources', () => {
		const { rulesFrom: known } = fibOf(host([], rules))
		const first = known('10.0.0.1')
		for (let at = 1; at < 128; at++) known(`10.0.1.${at}`)
		expect(known('10.0.0.1')).toBe(first)
		expect(known('10.0.1.1')).toBe(known('10.0.1.1'))
		expect(known('10.0.0.1')).toBe(first)
		known('10.0.2.1')
		expect(known('10.0.0.1')).not.toBe(first)
	})
})
