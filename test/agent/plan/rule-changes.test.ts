import { describe, expect, test } from 'vitest'
import type { Rule } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { knownSources, ruleChanges, staleRules } from '../../../agent/plan/rule-changes.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { address, inputOf, type OneNic, recordedNic, rule, wantedNic } from './one-nic.ts'

/** Rules that a run removes and adds. */

const own = rule({ priority: 10_000, table: 100, from: '10.0.0.23/32', plain: true, words: 'from 10.0.0.23 lookup 100' })
const pods = '10.244.0.0/16'
const toPods = { ...own, priority: 9_990, to: pods, table: 254, words: `from 10.0.0.23 to ${pods} lookup 254` }
const former = { table: 500, priority: 5_000 }
const atFormer = { ...own, priority: 5_000, table: 500 }

function changesOf(
	rules: readonly Rule[],
	{ bases, ...one }: OneNic & Pick<RecordedLink, 'bases'> = {},
	others: Selection['accepted'] = [],
) {
	const ours = bases ? recordedNic({ bases }) : one.ours
	const { nic, link, host } = inputOf({ ...one, host: { rules } })
	const accepted = { nic, link, ours }
	const selection: Selection = {
		accepted: [accepted, ...others],
		refused: [],
		released: [],
		kept: [],
		moves: [],
		shared: new Map(),
		bases: [DEFAULT_BASES, former],
	}
	const { take, give, leave } = ruleChanges(accepted, selection, host)
	const rulesIn = (changes: typeof take) => changes.map(change => 'rule' in change && change.rule)
	expect([...take, ...leave].every(({ kind }) => kind === 'removeRule')).toBe(true)
	expect(give.every(({ kind }) => kind === 'addRule')).toBe(true)
	return { take: rulesIn(take), give: rulesIn(give), leave: rulesIn(leave) }
}

describe('a run adds a rule', () => {
	test.each<[title: string, rules: Rule[], given: Rule[]]>([
		['that is missing', [rule()], [own]],
		['but not one that exists', [own], []],
		['even if another program has one with more selectors', [{ ...own, plain: false }], [own]],
	])('%s', (_, rules, given) => {
		expect(changesOf(rules).give).toEqual(given)
	})
})

describe('a run removes', () => {
	const addressOf = (last: number) => ({ ...own, from: `10.0.0.${last}/32` })
	const elsewhere = { ...own, priority: 20_000 }

	test.each<[title: string, rules: Rule[], one: OneNic & Pick<RecordedLink, 'bases'>, removed: { take?: Rule[]; leave?: Rule[] }]>([
		['no desired rule', [own], {}, {}],
		['the rule of another address', [own, addressOf(99)], {}, { take: [addressOf(99)] }],
		['no rule of another interface', [own, { ...addressOf(99), priority: 10_001, table: 101 }], {}, {}],
		[
			'a plain rule of its address and table at any priority, in reverse order',
			[own, elsewhere, addressOf(99)],
			{},
			{ take: [elsewhere, addressOf(99)] },
		],
		['no plain rule of its table for another address at another priority', [own, { ...elsewhere, from: '10.0.0.99/32' }], {}, {}],
		['no rule with other selectors', [own, { ...elsewhere, plain: false }], {}, {}],
		['no rule of its address for another table', [own, { ...elsewhere, table: 77 }], {}, {}],
		['the rules of its former base at the end', [own, atFormer], { bases: [DEFAULT_BASES, former] }, { leave: [atFormer] }],
		['no rules of a base that it never had', [own, atFormer], {}, {}],
		['no plain rule of its former table at another priority', [own, { ...atFormer, priority: 20_000 }], { bases: [former] }, {}],
		['the rule to pods of an address that stays, at the end', [own, toPods], {}, { leave: [toPods] }],
		['no desired rule to pods', [own, toPods], { ofNode: { podNetworks: [pods] } }, {}],
		[
			'the rule to pods of an address that is removed',
			[own, { ...toPods, from: '10.0.0.99/32' }],
			{ link: { addresses: [address('10.0.0.99/24')] } },
			{ take: [{ ...toPods, from: '10.0.0.99/32' }] },
		],
		['no rule to pods of an address that it never had', [own, { ...toPods, from: '10.0.0.99/32' }], {}, {}],
		['no rule to pods of another interface', [own, { ...toPods, priority: 9_991 }], {}, {}],
	])('%s', (_, rules, one, { take = [], leave = [] }) => {
		expect(changesOf(rules, one)).toEqual({ take, give: [], leave })
	})

	test('the rule to pods of an address that another interface gets, at the end', () => {
		const moved = { ...toPods, from: '10.0.1.23/32' }
		const { link } = inputOf({})
		const others = [{ nic: wantedNic({ id: 1, address: '10.0.1.23', cidr: '10.0.1.0/24' }), link, ours: undefined }]
		expect(changesOf([own, moved], {}, others)).toEqual({ take: [], give: [], leave: [moved] })
	})
})

test('rules are removed in reverse order of their priorities', () => {
	const rules = [7, 9, 8].map(priority => ({ ...own, priority }))
	const removals = staleRules(0, { wanted: [], bases: [DEFAULT_BASES], of: [own.from], known: new Set() }, { rules })
	expect(removals.map(({ kind, rule: { priority } }) => [kind, priority])).toEqual([9, 8, 7].map(priority => ['removeRule', priority]))
})

test('without sources, only a rule of the interface is removed', () => {
	const rules = [own, { ...own, priority: 20_000 }]
	const removals = staleRules(0, { wanted: [], bases: [DEFAULT_BASES], known: new Set() }, { rules })
	expect(removals.map(({ rule: { priority } }) => priority)).toEqual([10_000])
})

test('the known sources are the desired addresses, those of earlier configs, and those on the links', () => {
	const { link } = inputOf({ link: { addresses: [address('10.0.0.24/24')] } })
	const accepted = [
		{ nic: wantedNic({ addresses: ['fd00::23/64'] }), link, ours: recordedNic({ addresses: ['10.0.0.25/24'], former: ['10.0.0.26/24'] }) },
	]
	const released = [
		{ ours: recordedNic({ addresses: ['10.0.0.27/24'] }), link: undefined },
		{ ours: recordedNic({ addresses: [] }), link: { ...link, addresses: [address('10.0.0.28/24')] } },
	]
	expect([...knownSources({ accepted, released })].toSorted()).toEqual(
		['fd00::23/128', ...[23, 24, 25, 26, 27, 28].map(last => `10.0.0.${last}/32`)].toSorted(),
	)
})
