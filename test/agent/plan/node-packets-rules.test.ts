import { describe, expect, test } from 'vitest'
import type { HostState, Rule } from '../../../agent/model/host-state.ts'
import type { Packet } from '../../../agent/plan/fib.ts'
import { fibOf } from '../../../agent/plan/fib.ts'
import { lookupsOf, packetsOf } from '../../../agent/plan/node-packets.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { hostWith } from '../simulated-host.ts'
import { address, route, rule } from './routing-objects.ts'

/** The rules of a node for which packets are looked up. */

const subject = {
	touched: new Set([3]),
	networks: ['10.0.0.0/24'],
	given: ['10.0.0.23'],
	paths: ['10.96.0.1'],
	pods: [],
	bases: [DEFAULT_BASES],
}
const link = { ifindex: 2, name: 'mgmt', mac: '02:00:00:00:00:02', up: true, addresses: [address('192.168.9.2/24')] }
const hostOf = (rules: Rule[]): HostState =>
	hostWith([link], { routes: [route('0.0.0.0/0', { via: '192.168.9.1', link: 2 })], rules: [...rules, rule(32_766)] })
const packetsFor = (rules: Rule[]) => {
	const host = hostOf(rules)
	return packetsOf(host, subject, fibOf(host))
}
const isMarked = ({ mark }: Packet) => mark !== undefined
const marked = (value: number, words: string, more: Partial<Rule> = {}): Rule =>
	rule(100, { mark: { value, mask: 0xffff }, table: 9, plain: false, words, ...more })

describe('a rule', () => {
	const ours = rule(10_000, { from: '192.168.9.77/32', table: 100 })
	test.each<[title: string, one: Rule, has: boolean]>([
		['of another program has packets', { ...ours, priority: 5 }, true],
		['of MultiNIC has no packets', ours, false],
		['of MultiNIC has packets if it has other selectors', { ...ours, plain: false }, true],
	])('%s', (_, one, has) => {
		expect(packetsFor([one]).packets.some(({ from }) => from === '192.168.9.77')).toBe(has)
	})

	test('of MultiNIC with an earlier base has no packets', () => {
		const host = hostOf([{ ...ours, priority: 20_000, table: 200 }])
		const bases = [DEFAULT_BASES, { table: 200, priority: 20_000 }]
		expect(packetsOf(host, { ...subject, bases }, fibOf(host)).packets.some(({ from }) => from === '192.168.9.77')).toBe(false)
	})
})

describe('if there are 101 rules', () => {
	/** Together with the rule for the main table, these are 100 rules. */
	const many = Array.from({ length: 99 }, (_, at) => marked(at + 1, `from 10.0.${at}.1 lookup 9`))
	const marksOf = (rules: Rule[]) => [
		...new Set(
			packetsFor(rules)
				.packets.filter(isMarked)
				.map(({ mark }) => mark),
		),
	]
	const note = 'rules that differ only in an address are represented by one of them'

	test('100 rules are all looked up', () => {
		expect(marksOf(many)).toHaveLength(99)
		expect(packetsFor(many).notes).toEqual([])
	})

	test.each<[title: string, one: Rule, marks: number[]]>([
		['the first one represents all', marked(500, 'from 10.9.9.9 lookup 9'), [1]],
		['one with an IPv6 source is not separate', marked(500, 'from fd00::9 lookup 9'), [1]],
		['one with another priority is separate', marked(500, 'from 10.9.9.9 lookup 9', { priority: 101 }), [1, 500]],
		['one with another table is separate', marked(500, 'from 10.9.9.9 lookup 8'), [1, 500]],
		['one with a destination is separate', marked(500, 'from 10.9.9.9 to 10.8.8.8 lookup 9'), [1, 500]],
		['one for a destination is separate', marked(500, 'to 10.9.9.9 lookup 9'), [1, 500]],
		['one of the other family is separate', marked(500, 'from 10.9.9.9 lookup 9', { family: 6, to: 'fd00::/64' }), [1, 500]],
	])('%s', (_, one, marks) => {
		expect(marksOf([...many, one])).toEqual(marks)
		expect(packetsFor([...many, one]).notes).toEqual([note])
	})

	test('one also represents all that differ only in a network', () => {
		const networks = Array.from({ length: 101 }, (_, at) => marked(at + 1, `from all to 10.${at}.0.0/16 lookup 9`))
		expect(marksOf(networks)).toEqual([1])
	})

	test('all are separate if they also differ in the table', () => {
		const tables = Array.from({ length: 101 }, (_, at) => marked(at + 1, `from 10.0.0.1 lookup ${at + 1}`))
		expect(marksOf(tables)).toHaveLength(101)
		expect(packetsFor(tables).notes).toEqual([])
	})
})

describe('a lookup requests the whole route', () => {
	const hops = (count: number) =>
		Array.from({ length: count }, (_, at) => ({ via: `192.168.9.${at + 1}`, link: 2, weight: 1, onlink: false }))
	test.each<[title: string, count: number, isWhole: boolean]>([
		['if the route has two next hops', 2, true],
		['not if the route has one next hop', 1, false],
	])('%s', (_, count, isWhole) => {
		const host = { ...hostOf([]), routes: [route('0.0.0.0/0', { nextHops: hops(count) })] }
		const lookups = lookupsOf(host, subject).lookups
		expect(new Set(lookups.map(({ whole }) => whole))).toEqual(new Set([isWhole ? true : undefined]))
	})
})
