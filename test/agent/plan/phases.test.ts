import { describe, expect, test } from 'vitest'
import type { Rule } from '../../../agent/model/host-state.ts'
import type { Accepted } from '../../../agent/model/selection.ts'
import { phasesOf } from '../../../agent/plan/phases.ts'
import type { Bases } from '../../../contract/bases.ts'
import { hostOf, linkOf, nicOf, oursOf, routeOf, ruleOf, selected } from './selected.ts'

/** The steps of several links, by phase, and which link removes a rule that several could remove. */

const defaults = { table: 100, priority: 10_000 }
const rule = (id: number, from = `10.0.${id}.23/32`): Rule =>
	ruleOf({ priority: 10_000 + id, table: 100 + id, from, words: `from ${from.replace('/32', '')} lookup ${100 + id}` })
const link = linkOf(hostOf({ up: true }))
/** A NIC with this id, and the id that it had before. */
const nic = (
	id: number,
	former: number | undefined,
	{ bases, addresses = [] }: { bases?: Bases; addresses?: string[] } = {},
): Accepted => ({
	nic: nicOf({ id, addresses, connectedRoute: false }, bases && { bases }),
	link: { ...link, ifindex: 10 + id, name: `multinic${id}` },
	ours: former === undefined ? undefined : oursOf({ id: former }),
})
const removals = (selection: Parameters<typeof selected>[0], rules: Rule[]) =>
	phasesOf(selected(selection), hostOf({ up: true }, { rules })).take.flatMap(({ id, change }) =>
		change.kind === 'removeRule' ? [[id, change.rule.priority]] : [],
	)

describe('a NIC with a new id', () => {
	test.each<[title: string, nics: Accepted[], removals: [number, number][]]>([
		['removes the rules of its former id', [nic(0, 1)], [[0, 10_001]]],
		['removes nothing if it is new', [nic(0, undefined)], []],
		['removes nothing if it has the same id as before', [nic(0, 0)], []],
		['removes the rules of its former id if other NICs have other ids', [nic(0, 1), nic(2, 2)], [[0, 10_001]]],
		['leaves the rules to the NIC that now has the id', [nic(0, 1), nic(1, 1, { addresses: ['10.0.1.23/24'] })], []],
		[
			'removes the rules if the NIC that now has the id has another table',
			[nic(0, 1), nic(1, 1, { bases: { ...defaults, table: 200 } })],
			[[0, 10_001]],
		],
		[
			'removes the rules if the NIC that now has the id has another priority',
			[nic(0, 1), nic(1, undefined, { bases: { ...defaults, priority: 20_000 } })],
			[[0, 10_001]],
		],
	])('%s', (_, accepted, expected) => {
		expect(removals({ accepted }, [rule(1)])).toEqual(expected)
	})

	test('removes them before the rules of its own id', () => {
		expect(removals({ accepted: [nic(0, 1)] }, [rule(0), rule(1)])).toEqual([
			[0, 10_001],
			[0, 10_000],
		])
	})
})

describe('a removed NIC', () => {
	const released = [{ ours: oursOf({ id: 1 }), link: undefined }]
	test.each<[title: string, nics: Accepted[], bases: Bases[], removals: unknown[]]>([
		['removes the rules of its id', [], [defaults], [[undefined, 10_001]]],
		['removes the rules of its id if another NIC has another id', [nic(0, 0)], [defaults], [[undefined, 10_001]]],
		['leaves the rules to the NIC that now has its id', [nic(1, undefined, { addresses: ['10.0.1.23/24'] })], [defaults], []],
		[
			'leaves the rules to the NIC that now has its id, regardless of the bases of others',
			[nic(1, undefined, { addresses: ['10.0.1.23/24'] })],
			[{ table: 200, priority: 20_000 }, defaults],
			[],
		],
		[
			'removes the rules if the NIC that now has its id has other bases',
			[nic(1, undefined, { bases: { table: 200, priority: 20_000 } })],
			[{ table: 200, priority: 20_000 }, defaults],
			[[undefined, 10_001]],
		],
	])('%s', (_, accepted, bases, expected) => {
		expect(removals({ accepted, released, bases }, [rule(1)])).toEqual(expected)
	})

	test('removes its routes, even if another NIC now has its id', () => {
		const host = hostOf({ up: true, name: 'multinic1' }, { routes: [routeOf('10.9.0.0/16', { table: 101 })] })
		const plan = selected({ accepted: [nic(1, undefined)], released: [{ ours: oursOf({ id: 1 }), link: linkOf(host) }] })
		expect(phasesOf(plan, host).take).toEqual([{ change: { kind: 'removeRoute', route: host.routes[0] } }])
	})
})

test('of several NICs that would remove a rule, the last one does', () => {
	expect(removals({ accepted: [nic(0, 5), nic(1, 5), nic(2, 6)] }, [rule(5), rule(6)])).toEqual([
		[1, 10_005],
		[2, 10_006],
	])
})

test('the steps are cached per host', () => {
	const selection = selected({ accepted: [nic(0, 1)] })
	const [one, other] = [hostOf({ up: true }, { rules: [rule(1)] }), hostOf({ up: true })]
	const steps = phasesOf(selection, one)
	expect(phasesOf(selection, one)).toBe(steps)
	expect([steps, phasesOf(selection, other), phasesOf(selection, one)].map(({ take }) => take.length)).toEqual([1, 0, 1])
})

test('a step belongs to its interface, and that of a removed interface to the run', () => {
	const down = { ...link, up: false }
	const accepted = [{ ...nic(2, undefined, { addresses: ['10.0.2.23/24'] }), link: { ...down, ifindex: 4 } }]
	const released = [{ ours: oursOf(), link: down }]
	const { shape, probe, give, settings, leave } = phasesOf(selected({ accepted, released }), hostOf())
	expect(shape.map(({ id, change }) => [id, change.kind])).toEqual([
		[2, 'up'],
		[undefined, 'up'],
	])
	expect(probe.map(({ id, action }) => [id, action.kind])).toEqual([[2, 'checkDuplicates']])
	expect(give.map(({ id, change }) => [id, change.kind])).toEqual([
		[2, 'addAddress'],
		[2, 'addRoute'],
		[2, 'addRule'],
	])
	expect([settings, leave]).toEqual([[], []])
})
