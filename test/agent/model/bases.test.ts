import { describe, expect, test } from 'vitest'
import { basesInUse, formerBases, isOurRule, isOurTable, isRuleOf, podPriorityOf, rememberedBases } from '../../../agent/model/bases.ts'
import type { Rule } from '../../../agent/model/host-state.ts'
import type { HostRecord } from '../../../agent/model/record.ts'
import { type Bases, DEFAULT_BASES } from '../../../contract/bases.ts'
import type { WantedInterface } from '../../../contract/interface.ts'

/** The tables and rules that MultiNIC manages. */

const other: Bases = { table: 200, priority: 20_000 }
const rule = (priority: number, table: number, more: Partial<Rule> = {}): Rule => ({
	family: 4,
	priority,
	table,
	from: '10.0.0.23/32',
	plain: true,
	words: '',
	...more,
})
const pods = { to: '10.42.0.0/16' }
const nic = (bases?: Bases) => (bases ? { bases } : {}) as WantedInterface
const record = (...links: { bases?: Bases[] }[]) => ({ links }) as unknown as HostRecord

describe('a rule is managed by MultiNIC', () => {
	test.each<[title: string, one: Rule, isOurs: boolean]>([
		['with the first priority and table', rule(10_000, 100), true],
		['with the last priority and table', rule(10_099, 109), true],
		['but not with a priority below the first', rule(9_999, 100), false],
		['but not with a priority above the last', rule(10_100, 100), false],
		['but not with a table above the last', rule(10_000, 110), false],
		['but not with a table below the first', rule(10_000, 99), false],
		['but not with a managed table and another priority', rule(512, 101), false],
		['if it matches one IPv6 address', rule(10_000, 100, { family: 6, from: 'fd00::1/128' }), true],
		['but not if it matches a network', rule(10_000, 100, { from: '10.0.0.0/24' }), false],
		['but not if it matches an IPv6 network with prefix length 32', rule(10_000, 100, { family: 6, from: 'fd00::/32' }), false],
		['but not if it has other selectors', rule(10_000, 100, { plain: false }), false],
		['but not if it matches a destination', rule(10_000, 100, pods), false],
		['if it looks up the main table for packets to pods', rule(9_990, 254, pods), true],
		['if it looks up the main table with the last priority for pods', rule(9_999, 254, pods), true],
		['but not if it looks up the main table with the priority base', rule(10_000, 254, pods), false],
		['but not if it looks up the main table with a priority below those for pods', rule(9_989, 254, pods), false],
		['but not if it looks up the main table for packets to all destinations', rule(9_990, 254), false],
	])('%s', (_, one, isOurs) => {
		expect(isOurRule(one, [DEFAULT_BASES])).toBe(isOurs)
		expect(isOurRule(one, [other, DEFAULT_BASES])).toBe(isOurs)
		expect(isOurRule(one, [other])).toBe(false)
	})
})

describe('a rule belongs to an interface', () => {
	test.each<[title: string, one: Rule, isIts: boolean]>([
		['with its priority and table', rule(10_001, 101), true],
		['but not with the priority of another interface', rule(10_002, 101), false],
		['but not with the table of another interface', rule(10_001, 102), false],
		['but not with a destination', rule(10_001, 101, pods), false],
		['if it looks up the main table for packets to pods with its priority', rule(9_991, 254, pods), true],
		['but not if it looks up the main table with the priority of another interface', rule(9_992, 254, pods), false],
		['but not if it matches a network', rule(10_001, 101, { from: '10.0.0.0/24' }), false],
	])('%s', (_, one, isIts) => {
		expect(isRuleOf(1, one, DEFAULT_BASES)).toBe(isIts)
	})

	test('and the rules for pods have higher precedence than the rules of all interfaces', () => {
		expect([0, 9].map(id => podPriorityOf(id, DEFAULT_BASES))).toEqual([9_990, 9_999])
	})
})

test.each([
	[99, false],
	[100, true],
	[109, true],
	[110, false],
	[200, true],
])('table %i is managed by MultiNIC: %s', (table, isOurs) => {
	expect(isOurTable(table, [DEFAULT_BASES, other])).toBe(isOurs)
})

describe('the bases of an interface', () => {
	const [third, fourth, fifth] = [3, 4, 5].map(at => ({ table: at * 1_000, priority: at * 1_000 })) as [Bases, Bases, Bases]

	test.each<[title: string, wanted: Bases | undefined, recorded: { bases?: Bases[] } | undefined, remembered: Bases[] | undefined]>([
		['are not recorded if they were always the defaults', undefined, {}, undefined],
		['are not recorded if it is new and has the defaults', undefined, undefined, undefined],
		['are recorded if they are not the defaults', other, undefined, [other]],
		['are recorded before the former bases', other, {}, [other, DEFAULT_BASES]],
		['are recorded once', other, { bases: [other, DEFAULT_BASES] }, [other, DEFAULT_BASES]],
		['are recorded if they were not the defaults before', undefined, { bases: [other] }, [DEFAULT_BASES, other]],
		['are not the defaults if one number differs', { table: 100, priority: 20_000 }, {}, [{ table: 100, priority: 20_000 }, DEFAULT_BASES]],
		[
			'are recorded with at most three former bases',
			other,
			{ bases: [DEFAULT_BASES, third, fourth, fifth] },
			[other, DEFAULT_BASES, third, fourth],
		],
	])('%s', (_, wanted, recorded, remembered) => {
		expect(rememberedBases(nic(wanted), recorded)).toEqual(remembered ? { bases: remembered } : {})
	})

	test('are former bases unless they are desired', () => {
		expect(formerBases(nic(other), { bases: [DEFAULT_BASES, other] })).toEqual([DEFAULT_BASES])
	})
})

describe('the bases of a host', () => {
	test.each<[title: string, interfaces: WantedInterface[], known: HostRecord, bases: Bases[]]>([
		['are the defaults without an interface', [], record(), [DEFAULT_BASES]],
		['are those of its interfaces, each once', [nic(other), nic(other)], record(), [other]],
		['include those of its record', [nic(other)], record({}, { bases: [other] }), [other, DEFAULT_BASES]],
	])('%s', (_, interfaces, known, bases) => {
		expect(basesInUse(interfaces, known)).toEqual(bases)
	})
})
