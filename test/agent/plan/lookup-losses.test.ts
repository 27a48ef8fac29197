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
		['the user', { uid: 1_000 }, 'packets of user 1000 to 10.1.2.3'],
		['the protocol', { protocol: 6 }, 'packets of protocol 6 to 10.1.2.3'],
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
	test.each<[title: string, answers: [was: LookupAnswer, is: LookupAnswer], on: HostState, isLoss: boolean]>([
		['is a loss', [by('192.168.9.2'), by('10.0.0.23')], host, true],
		['is not a loss if it is the same', [by('192.168.9.2'), by('192.168.9.2')], host, false],
		['is a loss where there was none', [by(), by('10.0.0.23')], host, true],
		['is a loss if there is no source after the change', [by('192.168.9.2'), by()], host, true],
		['is not a loss if the first one is gone', [by('192.168.9.77'), by('10.0.0.23')], host, false],
		['is not a loss if the first one was link-local', [by('fe80::2'), by('10.0.0.23')], host, false],
		['is not a loss if a rule sends its packets to the main table', [by('192.168.9.2'), by('10.0.0.23')], ruled({}), false],
		['is a loss if the rule is for another source', [by('192.168.9.2'), by('10.0.0.24')], ruled({}), true],
		['is a loss if the rule is for another destination', [by('192.168.9.2'), by('10.0.0.23')], ruled({ to: '10.2.0.0/16' }), true],
		['is a loss if the rule is for another table', [by('192.168.9.2'), by('10.0.0.23')], ruled({ table: 100 }), true],
		['is a loss if the rule has other selectors', [by('192.168.9.2'), by('10.0.0.23')], ruled({ plain: false }), true],
		['is a loss if the rule is for every source', [by('192.168.9.2'), by('0.0.0.0')], ruled({ from: '0.0.0.0/0' }), true],
	])('%s', (_, [was, is], on, isLoss) => {
		expect(lossesOf(was, is, { on })).toHaveLength(isLoss ? 1 : 0)
	})
})

test('another refusal than before is a loss', () => {
	expect(lossesOf({ error: 'Permission denied' }, { error: 'Invalid argument' })).toHaveLength(1)
})

test('a packet without a second answer is not judged', () => {
	const answers = { before: [{ links: [2] }], after: [] }
	expect(lookupLosses([packet], answers, { touched: new Set(), needed: [], host })).toEqual([])
})

test.each<[title: string, way: object, answer: LookupAnswer]>([
	['a route leads over its link', { route: { link: 2, type: 1 } }, { links: [2] }],
	['a local route keeps it on the host', { route: { link: 2, type: 2 } }, { links: [2], local: true }],
	['a rule refuses it', { refused: true, rule: {} }, { error: 'refused by a rule or a route' }],
	['no route matches', { refused: true }, { error: NO_ROUTE }],
])('the model answers that %s', (_, way, answer) => {
	expect(answerOf(way as Way)).toEqual(answer)
})
