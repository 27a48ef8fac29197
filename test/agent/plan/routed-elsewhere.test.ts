import { describe, expect, test } from 'vitest'
import type { Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { Way } from '../../../agent/plan/fib.ts'
import type { OwnPacket } from '../../../agent/plan/own-packets.ts'
import { isOwnWay, routedElsewhere } from '../../../agent/plan/routed-elsewhere.ts'
import { hostWith } from '../simulated-host.ts'
import { address, route, rule } from './routing-objects.ts'

/** Whether packets of an interface take the route that it requires, and the cause if they do not. */

const packet: OwnPacket = { id: 0, link: 7, family: 4, from: '10.0.0.23', to: '10.0.0.1' }
const local: OwnPacket = { ...packet, to: '192.168.9.2', local: true }
const chosen = rule(110, { from: '10.0.0.0/24', table: 9, words: 'from 10.0.0.0/24 lookup 254' })
const by = (more: Partial<Route>): Way => ({ route: route('10.0.0.0/24', more), rule: chosen })
const hops = (...links: number[]) => ({ nextHops: links.map(link => ({ link, weight: 1, onlink: false })) })

describe('a packet takes the route of its interface', () => {
	test.each<[title: string, of: OwnPacket, way: Way, isOwn: boolean]>([
		['over its own link', packet, by({ link: 7 }), true],
		['not over another link', packet, by({ link: 2 }), false],
		['not over its own and another link', packet, by(hops(7, 2)), false],
		['over several next hops on its own link', packet, by(hops(7, 7)), true],
		['not if it stays on the node, even over its own link', packet, by({ link: 7, type: 2 }), false],
		['not if no route matches', packet, { refused: true }, false],
		['if it stays on the node and is to the node itself', local, by({ link: 1, type: 2 }), true],
		['not if it leaves through its own link and is to the node itself', local, by({ link: 7 }), false],
		['not if no route matches and it is to the node itself', local, { refused: true }, false],
	])('%s', (_, of, way, isOwn) => {
		expect(isOwnWay(way, of)).toBe(isOwn)
	})
})

function messageOf(of: OwnPacket, way: Way, { links = [], rules = [] }: { links?: Partial<Link>[]; rules?: Rule[] } = {}): string {
	const all = ['lo', 'mgmt', 'ens7'].map((name, at) => ({ ifindex: [1, 2, 7][at] ?? 0, name, mac: `02:00:00:00:00:0${at}` }))
	const host = hostWith(all.map(link => ({ ...link, ...links.find(({ ifindex }) => ifindex === link.ifindex) })))
	const { reason, message } = routedElsewhere(of, way, { ...host, rules })
	expect(reason).toBe('RoutedElsewhere')
	return message
}

describe('a packet from the interface', () => {
	const first = 'because rule 110 (from 10.0.0.0/24 lookup main) takes precedence (ip rule show priority 110)'
	const sample = { ...packet, sampleOf: '10.0.0.0/24' }
	const loop = (to: string, link = 1): Way => ({ route: route(to, { link, type: 2, table: 255 }), rule: chosen })
	const onLo = [{ ifindex: 1, addresses: [address('10.0.9.5/24'), address('10.0.0.5/24')] }]
	test.each<[title: string, given: [of: OwnPacket, way: Way, links?: Partial<Link>[]], message: string]>([
		[
			'leaves through the link of the first rule',
			[packet, by({ link: 2 })],
			`packets from 10.0.0.23 to 10.0.0.1 leave through mgmt ${first}`,
		],
		[
			'represents its network',
			[sample, by({ link: 2 })],
			`packets from 10.0.0.23 to 10.0.0.0/24 (such as 10.0.0.1) leave through mgmt ${first}`,
		],
		[
			'leaves through several links, and its own one has the name of the interface',
			[packet, by(hops(2, 7))],
			`packets from 10.0.0.23 to 10.0.0.1 leave through mgmt and multinic0 ${first}`,
		],
		['is rejected by a rule', [packet, { refused: true, rule: chosen }], `packets from 10.0.0.23 to 10.0.0.1 have no route ${first}`],
		[
			'has no route',
			[packet, { refused: true }],
			'packets from 10.0.0.23 to 10.0.0.1 have no route (ip route get 10.0.0.1 from 10.0.0.23)',
		],
		[
			'stays on the node because of an address of lo',
			[sample, loop('10.0.0.0/24'), onLo],
			'packets from 10.0.0.23 to 10.0.0.0/24 (such as 10.0.0.1) stay on this node because lo has 10.0.0.5/24 (ip addr show dev lo)',
		],
		[
			'stays on the node because of a local route over lo',
			[packet, loop('10.0.0.0/25'), onLo],
			"packets from 10.0.0.23 to 10.0.0.1 stay on this node because table local has the route 'local 10.0.0.0/25 dev lo' (ip route show table local 10.0.0.0/25)",
		],
		[
			'stays on the node because of a local route over an unknown link',
			[packet, loop('10.0.0.0/24', 9), onLo],
			"packets from 10.0.0.23 to 10.0.0.1 stay on this node because table local has the route 'local 10.0.0.0/24' (ip route show table local 10.0.0.0/24)",
		],
		[
			'has a link without a carrier',
			[packet, by({ link: 2 }), [{ ifindex: 7, ignored: [4] }]],
			'packets from 10.0.0.23 to 10.0.0.1 leave through mgmt because ens7 has no carrier and ignore_routes_with_linkdown is 1 (ip link show dev ens7)',
		],
		[
			'has a link without a carrier that only the other family ignores',
			[packet, by({ link: 2 }), [{ ifindex: 7, ignored: [6] }]],
			`packets from 10.0.0.23 to 10.0.0.1 leave through mgmt ${first}`,
		],
		[
			'leaves through a link without a carrier that is not its own',
			[packet, by({ link: 2 }), [{ ifindex: 2, ignored: [4] }]],
			`packets from 10.0.0.23 to 10.0.0.1 leave through mgmt ${first}`,
		],
	])('%s', (_, [of, way, links = []], message) => {
		expect(messageOf(of, way, { links })).toBe(message)
	})

	test('has no route if its own link has disappeared', () => {
		expect(messageOf({ ...packet, link: 8 }, { refused: true })).toMatch(/have no route \(ip route get/)
	})
})

describe('a packet to the node itself', () => {
	const first = 'packets from 10.0.0.23 to 192.168.9.2, an address of this node,'
	const locals = rule(32_000, { table: 255 })
	test.each<[title: string, way: Way, rules: Rule[], message: string]>([
		[
			'leaves the node because the rule of the local table was moved',
			by({ link: 7 }),
			[chosen, locals],
			`${first} leave through multinic0 because rule 110 takes precedence over rule 32000 (from all lookup local) (ip rule show priority 32000)`,
		],
		[
			'has no route although there is a rule for the local table',
			{ refused: true },
			[locals],
			`${first} have no route because rule 32000 (from all lookup local) (ip rule show priority 32000)`,
		],
		[
			'leaves the node because no rule looks up the local table',
			by({ link: 7 }),
			[chosen],
			`${first} leave through multinic0 because no rule looks up table local (ip rule show)`,
		],
		[
			'leaves the node because only IPv6 has a rule for the local table',
			by({ link: 7 }),
			[rule(0, { family: 6, table: 255, from: '0.0.0.0/0' })],
			`${first} leave through multinic0 because no rule looks up table local (ip rule show)`,
		],
		[
			'leaves the node because the rule for the local table is for other sources',
			by({ link: 7 }),
			[rule(0, { table: 255, from: '10.9.0.0/16' })],
			`${first} leave through multinic0 because no rule looks up table local (ip rule show)`,
		],
		[
			'leaves the node because the rule for the local table is for another link',
			by({ link: 7 }),
			[rule(0, { table: 255, iif: 'mgmt' }), locals],
			`${first} leave through multinic0 because rule 110 takes precedence over rule 32000 (from all lookup local) (ip rule show priority 32000)`,
		],
	])('%s', (_, way, rules, message) => {
		expect(messageOf(local, way, { rules })).toBe(message)
	})

	test('is shown with an IPv6 command if it is IPv6', () => {
		expect(messageOf({ ...local, family: 6, from: 'fd00::23', to: 'fd09::2' }, { refused: true })).toBe(
			'packets from fd00::23 to fd09::2, an address of this node, have no route because no rule looks up table local (ip -6 rule show)',
		)
	})
})
