import { describe, expect, test } from 'vitest'
import { basesInUse, formerBases, isOurRule, isOurTable, isRuleOf, podPriorityOf, rememberedBases } from '../../../agent/model/bases.ts'
import type { Rule } from '../../../agent/model/host-state.ts'
import type { HostRecord } from '../../../agent/model/record.ts'
import { type Bases, DEFAULT_BASES } from '../../../contract/bases.ts'
import type { WantedInterface } from '../../../contract/interface.ts'

/** Which tables and rules MultiNIC manages. */

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
		['at its first priority', rule(10_000, 100), true],
		['at its last priority', rule(10_099, 109), true],
		['but not before', rule(9_999, 100), false],
		['but not after', rule(10_100, 100), false],
		['but not with another table', rule(10_000, 110), false],
		['but not with a table before', rule(10_000, 99), false],
		['but not at another priority with a managed table', rule(512, 101), false],
		['if it selects one address of IPv6', rule(10_000, 100, { family: 6, from: 'fd00::1/128' }), true],
		['but not if it selects a network', rule(10_000, 100, { from: '10.0.0.0/24' }), false],
		['but not if it selects a network of IPv6 that ends alike', rule(10_000, 100, { family: 6, from: 'fd00::/32' }), false],
		['but not if it has other selectors', rule(10_000, 100, { plain: false }), false],
		['but not if it selects a destination', rule(10_000, 100, pods), false],
		['if it leaves packets to pods to the main table', rule(9_990, 254, pods), true],
		['up to the first base', rule(9_999, 254, pods), true],
		['but not at the base', rule(10_000, 254, pods), false],
		['but not before the priorities for pods', rule(9_989, 254, pods), false],
		['but not if it leaves all packets to the main table', rule(9_990, 254), false],
	])('%s', (_, one, isOurs) => {
		expect(isOurRule(one, [DEFAULT_BASES])).toBe(isOurs)
		expect(isOurRule(one, [other, DEFAULT_BASES])).toBe(isOurs)
		expect(isOurRule(one, [other])).toBe(false)
	})
})

describe('a rule belongs to an interface', () => {
	test.each<[title: string, one: Rule, isIts: boolean]>([
		['with its priority and table', rule(10_001, 101), true],
		['but not with the priority of another', rule(10_002, 101), false],
		['but not with the table of another', rule(10_001, 102), false],
		['but not with a destination', rule(10_001, 101, pods), false],
		['if it leaves packets to pods to the main table at its priority', rule(9_991, 254, pods), true],
		['but not at the priority of another', rule(9_992, 254, pods), false],
		['but not if it selects a network', rule(10_001, 101, { from: '10.0.0.0/24' }), false],
	])('%s', (_, one, isIts) => {
		expect(isRuleOf(1, one, DEFAULT_BASES)).toBe(isIts)
	})

	test('and the rules for pods come before those of all interfaces', () => {
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
		['are not recorded if it only ever had the default ones', undefined, {}, undefined],
		['are not recorded if it is new and has the default ones', undefined, undefined, undefined],
		['are recorded if they are others', other, undefined, [other]],
		['are recorded before the former ones', other, {}, [other, DEFAULT_BASES]],
		['are recorded once', other, { bases: [other, DEFAULT_BASES] }, [other, DEFAULT_BASES]],
		['are recorded if they were others', undefined, { bases: [other] }, [DEFAULT_BASES, other]],
		['are the same only if both numbers are', { table: 100, priority: 20_000 }, {}, [{ table: 100, priority: 20_000 }, DEFAULT_BASES]],
		['are recorded up to the fourth', other, { bases: [DEFAULT_BASES, third, fourth, fifth] }, [other, DEFAULT_BASES, third, fourth]],
	])('%s', (_, wanted, recorded, remembered) => {
		expect(rememberedBases(nic(wanted), recorded)).toEqual(remembered ? { bases: remembered } : {})
	})

	test('are former ones unless they are desired', () => {
		expect(formerBases(nic(other), { bases: [DEFAULT_BASES, other] })).toEqual([DEFAULT_BASES])
	})
})

describe('the bases of a host', () => {
	test.each<[title: string, interfaces: WantedInterface[], known: HostRecord, bases: Bases[]]>([
		['are the default ones without an interface', [], record(), [DEFAULT_BASES]],
		['are those of its interfaces, each once', [nic(other), nic(other)], record(), [other]],
		['are those of its record, too', [nic(other)], record({}, { bases: [other] }), [other, DEFAULT_BASES]],
	])('%s', (_, interfaces, known, bases) => {
		expect(basesInUse(interfaces, known)).toEqual(bases)
	})
})
