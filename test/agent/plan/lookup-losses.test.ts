import { describe, expect, test } from 'vitest'
import type { HostState, Rule } from '../../../agent/model/host-state.ts'
import type { Packet, Way } from '../../../agent/plan/fib.ts'
import { answerOf, type LookupAnswer, lookupLosses, NO_ROUTE, packetWords } from '../../../agent/plan/lookup-losses.ts'
import { hostWith } from '../simulated-host.ts'

/** Packets that take another route than before, and the messages about them. */

const address = (cidr: string) => ({ family: cidr.includes(':') ? (6 as const) : (4 as const), cidr, global: true, dynamic: false })
const host = hostWith([
	{ ifindex: 2, name: 'mgmt', mac: '02:00:00:00:00:02', up: true, addresses: [address('192.168.9.2/24'), address('fe80::2/64')] },
	{ ifindex: 3, name: 'ens7', mac: '02:00:00:00:00:03', up: true },
	{ ifindex: 4, name: 'br0', mac: '02:00:00:00:00:04', up: true },
])
const packet: Packet = { family: 4, to: '10.1.2.3' }
const lossesOf = (was: LookupAnswer, is: LookupAnswer, { on = host, one = packet }: { on?: HostState; one?: Packet } = {}) =>
	lookupLosses([one], { before: [was], after: [is] }, { touched: new Set([3]), needed: [], host: on }).map(({ words }) => words)

describe('a message names', () => {
	test.each<[title: string, more: Partial<Packet>, words: string]>([
		['the destination', {}, 'packets to 10.1.2.3'],
		['the source', { from: '10.0.0.5' }, 'packets from 10.0.0.5 to 10.1.2.3'],
		['the link on which they arrive', { from: '10.0.0.5', iif: 4 }, 'packets from 10.0.0.5 that arrive on br0 to 10.1.2.3'],
		['no unknown link', { iif: 9 }, 'packets to 10.1.2.3'],
		['the mark', { mark: 0x400 }, 'packets with mark 0x400 to 10.1.2.3'],
		['a mark of 0', { mark: 0 }, 'packets with mark 0x0 to 10.1.2.3'],
		['the user', { uid: 1_000 }, 'packets of user 1000 to 10.1.2.3'],
		['the protocol', { protocol: 6 }, 'packets of protocol 6 to 10.1.2.3'],
		[
			'everything in this order',
			{ from: '10.0.0.5', mark: 1, uid: 0, protocol: 17 },
			'packets from 10.0.0.5 with mark 0x1 of user 0 of protocol 17 to 10.1.2.3',
		],
	])('%s', (_, more, words) => {
		expect(packetWords({ ...packet, ...more }, { needed: [], links: host.links })).toBe(words)
	})

	test.each<[title: string, was: LookupAnswer, is: LookupAnswer, words: string]>([
		['both links', { links: [2] }, { links: [4] }, 'leave through mgmt before the change and leave through br0 after it'],
		['every link', { links: [2, 4] }, { links: [4] }, 'leave through mgmt and br0 before the change and leave through br0 after it'],
		[
			'a link without a name by its ifindex',
			{ links: [2] },
			{ links: [9] },
			'leave through mgmt before the change and leave through ifindex 9 after it',
		],
		[
			'the source',
			{ links: [2], source: '192.168.9.2' },
			{ links: [2], source: '10.9.9.9' },
			'leave through mgmt from 192.168.9.2 before the change and leave through mgmt from 10.9.9.9 after it',
		],
		['no link', { links: [2] }, { links: [] }, 'leave through mgmt before the change and leave through no link after it'],
		[
			'the error',
			{ links: [2] },
			{ error: NO_ROUTE },
			'leave through mgmt before the change and have no route (Network is unreachable) after it',
		],
	])('%s', (_, was, is, words) => {
		expect(lossesOf(was, is)).toEqual([`packets to 10.1.2.3 ${words}`])
	})
})

describe('another source', () => {
	const by = (source?: string): LookupAnswer => ({ links: [2], ...(source !== undefined && { source }) })
	const ruled = (more: Partial<Rule>): HostState => ({
		...host,
		rules: [{ family: 4, priority: 9_990, from: '10.0.0.23/32', to: '10.1.0.0/16', table: 254, plain: true, words: '', ...more }],
	})
	const several: HostState = { ...host, rules: [...ruled({ table: 100 }).rules, ...ruled({}).rules] }
	const withoutTo: HostState = { ...host, rules: ruled({}).rules.map(({ to: _, ...rule }) => rule) }
	test.each<[title: string, answers: [was: LookupAnswer, is: LookupAnswer], on: HostState, isLoss: boolean]>([
		['is a loss', [by('192.168.9.2'), by('10.0.0.23')], host, true],
		['is not a loss if it is the same', [by('192.168.9.2'), by('192.168.9.2')], host, false],
		['is not a loss if there was none before', [by(), by('10.0.0.23')], host, false],
		['is not a loss if there is none before and after', [by(), by()], host, false],
		['is a loss if there is no source after the change', [by('192.168.9.2'), by()], host, true],
		['is not a loss if the previous one no longer exists', [by('192.168.9.77'), by('10.0.0.23')], host, false],
		['is not a loss if the previous one was link-local', [by('fe80::2'), by('10.0.0.23')], host, false],
		['is not a loss if a rule sends its packets to the main table', [by('192.168.9.2'), by('10.0.0.23')], ruled({}), false],
		[
			'is a loss despite such a rule if the packets go to a next hop',
			[by('192.168.9.2'), { ...by('10.0.0.23'), far: true }],
			ruled({}),
			true,
		],
		[
			'is not a loss for a next hop if the previous one no longer exists',
			[by('192.168.9.77'), { ...by('10.0.0.23'), far: true }],
			host,
			false,
		],
		['is a loss if the rule is for every destination', [by('192.168.9.2'), by('10.0.0.23')], withoutTo, true],
		['is not a loss if one of several rules sends its packets to the main table', [by('192.168.9.2'), by('10.0.0.23')], several, false],
		['is a loss if the rule is for another source', [by('192.168.9.2'), by('10.0.0.24')], ruled({}), true],
		['is a loss if the rule is for another destination', [by('192.168.9.2'), by('10.0.0.23')], ruled({ to: '10.2.0.0/16' }), true],
		['is a loss if the rule is for another table', [by('192.168.9.2'), by('10.0.0.23')], ruled({ table: 100 }), true],
		['is a loss if the rule has other selectors', [by('192.168.9.2'), by('10.0.0.23')], ruled({ plain: false }), true],
		['is a loss if the rule is for every source', [by('192.168.9.2'), by('0.0.0.0')], ruled({ from: '0.0.0.0/0' }), true],
	])('%s', (_, [was, is], on, isLoss) => {
		expect(lossesOf(was, is, { on })).toHaveLength(isLoss ? 1 : 0)
	})
})

describe('a packet', () => {
	const refused: LookupAnswer = { error: 'Permission denied' }
	const none: LookupAnswer = { error: NO_ROUTE }
	test.each<[title: string, was: LookupAnswer, is: LookupAnswer, isLoss: boolean]>([
		['with another error than before is a loss', refused, { error: 'Invalid argument' }, true],
		['with the same error as before is not a loss', refused, { ...refused }, false],
		['with a route instead of an error is a loss', refused, { links: [2] }, true],
		['with no route instead of an error is a loss', refused, none, true],
		['with an error instead of no route is not a loss', none, refused, false],
		['with no route as before is not a loss', none, none, false],
		['over the same links in the same order is not a loss', { links: [2, 4] }, { links: [2, 4] }, false],
		['over fewer links than before is a loss', { links: [2, 4] }, { links: [2] }, true],
		['that left through several links, one of them of the run, is not a loss', { links: [2, 3] }, { links: [2] }, false],
		['that left through a link of the run from another source is not a loss', { links: [3], source: '192.168.9.2' }, { links: [3] }, false],
		['with other next hops than before is a loss', { links: [2, 4], whole: 'a' }, { links: [2, 4], whole: 'b' }, true],
		['with the same next hops is not a loss', { links: [2, 4], whole: 'a' }, { links: [2, 4], whole: 'a' }, false],
		['without a link before is a loss if it has one', { links: [] }, { links: [2] }, true],
		['is a loss if one of its links no longer exists', { links: [2, 9] }, { links: [2] }, true],
		['is not a loss if none of its links exists', { links: [8, 9] }, { links: [2] }, false],
	])('%s', (_, was, is, isLoss) => {
		expect(lossesOf(was, is)).toHaveLength(isLoss ? 1 : 0)
	})

	test.each<[title: string, more: Partial<Packet>, isLoss: boolean]>([
		['from an address of the host is a loss', { from: '192.168.9.2' }, true],
		['from an address that has disappeared is not a loss', { from: '192.168.9.77' }, false],
		['that arrives on a link is a loss, although its source is not on the host', { from: '10.0.0.5', iif: 4 }, true],
		['that arrives on a link that no longer exists is not a loss', { from: '10.0.0.5', iif: 9 }, false],
	])('%s', (_, more, isLoss) => {
		expect(lossesOf({ links: [2] }, { links: [4] }, { one: { ...packet, ...more } })).toHaveLength(isLoss ? 1 : 0)
	})

	test.each<[title: string, before: LookupAnswer[], after: LookupAnswer[]]>([
		['second', [{ links: [2] }], []],
		['first', [], [{ links: [2] }]],
	])('without a %s result is not a loss', (_, before, after) => {
		expect(lookupLosses([packet], { before, after }, { touched: new Set(), needed: [], host })).toEqual([])
	})
})

test.each<[title: string, needed: string[], isLoss: boolean]>([
	['that the node needs', ['10.9.9.9', '10.1.2.3'], true],
	['that the node does not need', ['10.9.9.9'], false],
])('a packet that left through a link of the run and has no route to an address %s: is a loss %j', (_, needed, isLoss) => {
	const answers = { before: [{ links: [3] }], after: [{ error: NO_ROUTE }] }
	expect(lookupLosses([packet], answers, { touched: new Set([3]), needed, host })).toHaveLength(isLoss ? 1 : 0)
})

test('a loss has the packet, both results and a key; other packets are not in the list', () => {
	const [before, after]: LookupAnswer[][] = [
		[{ links: [2] }, { links: [2] }],
		[{ links: [2] }, { links: [4] }],
	]
	const packets: Packet[] = [packet, { family: 4, to: '10.1.2.4', mark: 1 }]
	expect(lookupLosses(packets, { before: before ?? [], after: after ?? [] }, { touched: new Set([3]), needed: [], host })).toEqual([
		{
			key: 'way {"family":4,"to":"10.1.2.4","mark":1}',
			packet: packets[1],
			before: { links: [2] },
			after: { links: [4] },
			words: 'packets with mark 0x1 to 10.1.2.4 leave through mgmt before the change and leave through br0 after it',
		},
	])
})

test.each<[title: string, way: object, answer: LookupAnswer]>([
	['a route uses its link', { route: { link: 2, type: 1 } }, { links: [2] }],
	['a local route keeps it on the host', { route: { link: 2, type: 2 } }, { links: [2], local: true }],
	['a rule rejects it', { refused: true, rule: {} }, { error: 'rejected by a rule or a route' }],
	['no route matches', { refused: true }, { error: NO_ROUTE }],
])('the model reports that %s', (_, way, answer) => {
	expect(answerOf(way as Way)).toEqual(answer)
})
