import { describe, expect, test } from 'vitest'
import type { HostState, Rule } from '../../../agent/model/host-state.ts'
import type { Packet, Way } from '../../../agent/plan/fib.ts'
import { answerOf, type LookupAnswer, lookupLosses, NO_ROUTE, packetWords } from '../../../agent/plan/lookup-losses.ts'
import { hostWith } from '../simulated-host.ts'

/** Packets that take another route than before, and their words. */

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
		['the link that they come in by', { from: '10.0.0.5', iif: 4 }, 'packets from 10.0.0.5 that come in by br0 to 10.1.2.3'],
		['no link that is unknown', { iif: 9 }, 'packets to 10.1.2.3'],
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
		['both links', { links: [2] }, { links: [4] }, 'leave by mgmt before the change and leave by br0 after it'],
		['every link', { links: [2, 4] }, { links: [4] }, 'leave by mgmt and br0 before the change and leave by br0 after it'],
		[
			'a link by its number if it has no name',
			{ links: [2] },
			{ links: [9] },
			'leave by mgmt before the change and leave by ifindex 9 after it',
		],
		[
			'the source',
			{ links: [2], source: '192.168.9.2' },
			{ links: [2], source: '10.9.9.9' },
			'leave by mgmt from 192.168.9.2 before the change and leave by mgmt from 10.9.9.9 after it',
		],
		['no link', { links: [2] }, { links: [] }, 'leave by mgmt before the change and leave by no link after it'],
		['the error', { links: [2] }, { error: NO_ROUTE }, 'leave by mgmt before the change and have no way (Network is unreachable) after it'],
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
		['is not a loss where there was none', [by(), by('10.0.0.23')], host, false],
		['is not a loss if there is none before and after', [by(), by()], host, false],
		['is a loss if there is no source after the change', [by('192.168.9.2'), by()], host, true],
		['is not a loss if the first one is gone', [by('192.168.9.77'), by('10.0.0.23')], host, false],
		['is not a loss if the first one was link-local', [by('fe80::2'), by('10.0.0.23')], host, false],
		['is not a loss if a rule sends its packets to the main table', [by('192.168.9.2'), by('10.0.0.23')], ruled({}), false],
		[
			'is a loss although a rule is for it, if the packets go to a next hop',
			[by('192.168.9.2'), { ...by('10.0.0.23'), far: true }],
			ruled({}),
			true,
		],
		['is not a loss behind a next hop if the first one is gone', [by('192.168.9.77'), { ...by('10.0.0.23'), far: true }], host, false],
		['is a loss if the rule is for every destination', [by('192.168.9.2'), by('10.0.0.23')], withoutTo, true],
		['is not a loss if one of several rules sends its packets there', [by('192.168.9.2'), by('10.0.0.23')], several, false],
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
		['with another refusal than before is a loss', refused, { error: 'Invalid argument' }, true],
		['with a refusal as before is no loss', refused, { ...refused }, false],
		['with a route instead of a refusal is a loss', refused, { links: [2] }, true],
		['with no route instead of a refusal is a loss', refused, none, true],
		['with a refusal instead of no route is no loss', none, refused, false],
		['with no route as before is no loss', none, none, false],
		['over the same links in the same order is no loss', { links: [2, 4] }, { links: [2, 4] }, false],
		['over fewer links than before is a loss', { links: [2, 4] }, { links: [2] }, true],
		['that left by a link of the run among others is no loss', { links: [2, 3] }, { links: [2] }, false],
		['that left by a link of the run from another source is no loss', { links: [3], source: '192.168.9.2' }, { links: [3] }, false],
		['with other next hops than before is a loss', { links: [2, 4], whole: 'a' }, { links: [2, 4], whole: 'b' }, true],
		['with the same next hops is no loss', { links: [2, 4], whole: 'a' }, { links: [2, 4], whole: 'a' }, false],
		['without a link before is a loss if it has one', { links: [] }, { links: [2] }, true],
		['one of whose links is gone is a loss', { links: [2, 9] }, { links: [2] }, true],
		['all of whose links are gone is no loss', { links: [8, 9] }, { links: [2] }, false],
	])('%s', (_, was, is, isLoss) => {
		expect(lossesOf(was, is)).toHaveLength(isLoss ? 1 : 0)
	})

	test.each<[title: string, more: Partial<Packet>, isLoss: boolean]>([
		['from an address of the host is a loss', { from: '192.168.9.2' }, true],
		['from an address that has disappeared is no loss', { from: '192.168.9.77' }, false],
		['that comes in by a link is a loss, although its source is not on the host', { from: '10.0.0.5', iif: 4 }, true],
		['that comes in by a link that is gone is no loss', { from: '10.0.0.5', iif: 9 }, false],
	])('%s', (_, more, isLoss) => {
		expect(lossesOf({ links: [2] }, { links: [4] }, { one: { ...packet, ...more } })).toHaveLength(isLoss ? 1 : 0)
	})

	test.each<[title: string, before: LookupAnswer[], after: LookupAnswer[]]>([
		['second', [{ links: [2] }], []],
		['first', [], [{ links: [2] }]],
	])('without a %s answer is no loss', (_, before, after) => {
		expect(lookupLosses([packet], { before, after }, { touched: new Set(), needed: [], host })).toEqual([])
	})
})

test.each<[title: string, needed: string[], isLoss: boolean]>([
	['that the node needs', ['10.9.9.9', '10.1.2.3'], true],
	['that the node does not need', ['10.9.9.9'], false],
])('a packet that left by a link of the run and has no route to an address %s: is a loss %j', (_, needed, isLoss) => {
	const answers = { before: [{ links: [3] }], after: [{ error: NO_ROUTE }] }
	expect(lookupLosses([packet], answers, { touched: new Set([3]), needed, host })).toHaveLength(isLoss ? 1 : 0)
})

test('a loss has the packet, both answers and a key; packets that are not lost have none', () => {
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
			words: 'packets with mark 0x1 to 10.1.2.4 leave by mgmt before the change and leave by br0 after it',
		},
	])
})

test.each<[title: string, way: object, answer: LookupAnswer]>([
	['a route leads over its link', { route: { link: 2, type: 1 } }, { links: [2] }],
	['a local route keeps it on the host', { route: { link: 2, type: 2 } }, { links: [2], local: true }],
	['a rule refuses it', { refused: true, rule: {} }, { error: 'refused by a rule or a route' }],
	['no route matches', { refused: true }, { error: NO_ROUTE }],
])('the model answers that %s', (_, way, answer) => {
	expect(answerOf(way as Way)).toEqual(answer)
})
