import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { lossesOf, touchedBy } from '../../../agent/plan/fingerprint.ts'
import { hostOf, linkOf, nicOf, oursOf, ruleOf, selected } from './selected.ts'

/** What a run itself changes, or causes the kernel to change, is not a loss. */

const host = hostOf()
const bases = [
	{ table: 200, priority: 20_000 },
	{ table: 100, priority: 10_000 },
]
const accepted = [
	{ nic: nicOf({ addresses: ['10.0.0.23/24'] }), link: linkOf(host), ours: oursOf({ addresses: ['10.0.0.99/24'] }) },
	{ nic: nicOf({ id: 1, addresses: ['10.0.1.23/24'] }), link: linkOf(host), ours: undefined },
]
const released = [{ ours: oursOf({ id: 2, addresses: ['10.0.2.23/24'] }), link: linkOf(host) }]
const words = (plan: Selection, before: HostState, after: HostState) => lossesOf(plan, before, after).map(loss => loss.words)

test('a run touches the links that it configures, renames and restores', () => {
	const link = (ifindex: number): Link => ({ ...linkOf(host), ifindex })
	const plan = selected({
		accepted: [{ nic: nicOf(), link: link(3), ours: undefined }],
		moves: [{ link: 4, from: 'a', to: 'b' }],
		released: [
			{ ours: oursOf(), link: link(5) },
			{ ours: oursOf(), link: undefined },
		],
	})
	expect(touchedBy(plan)).toEqual(new Set([3, 4, 5]))
})

describe('a rule that disappears', () => {
	const rule = (more: Partial<Rule>) => ruleOf({ priority: 512, words: 'a', ...more })
	test.each<[title: string, rule: Rule, isLost: boolean]>([
		['is not a loss if it looks up the table of an interface for an address of that interface', rule({}), false],
		['is not a loss if it is for an earlier address', rule({ from: '10.0.0.99/32' }), false],
		[
			'is not a loss if it looks up the table of a second interface for an address of that interface',
			rule({ from: '10.0.1.23/32', table: 101 }),
			false,
		],
		['is not a loss if it is for an address that the run removes', rule({ from: '10.0.2.23/32', table: 102 }), false],
		['is not a loss if it looks up a former table', rule({ table: 200 }), false],
		['is a loss if it looks up the table of another interface', rule({ table: 101 }), true],
		['is a loss if it looks up a foreign table', rule({ table: 77 }), true],
		['is a loss if it is for another address', rule({ from: '10.0.0.24/32' }), true],
		['is a loss if it selects a destination', rule({ to: '10.9.0.0/16' }), true],
		['is a loss if it has other selectors', rule({ plain: false }), true],
	])('%s', (_, one, isLost) => {
		const plan = selected({ accepted, released, bases })
		expect(words(plan, { ...host, rules: [one] }, host)).toEqual(isLost ? ['rule 512: a'] : [])
	})

	test('is a loss if the run configures and removes nothing', () => {
		expect(words(selected({ bases }), { ...host, rules: [rule({})] }, host)).toEqual(['rule 512: a'])
	})
})

describe('a link on top of another', () => {
	const upper = (more: Partial<Link>): HostState => ({
		...host,
		links: [...host.links, { ...linkOf(host), ifindex: 7, name: 'v7', ...more }],
	})
	const [down, up] = ['v7, mtu 1500, down', 'v7, mtu 1500, up']
	test.each<[title: string, link: Partial<Link>, isUp: [before: boolean, after: boolean], words: string[]]>([
		['may come up if it is a VLAN on a link of the run', { kind: 'vlan', lower: 3 }, [false, true], []],
		['may stay up', { kind: 'vlan', lower: 3 }, [true, true], []],
		['may come up on another link', { kind: 'vlan', lower: 2 }, [false, true], []],
		['must not go down', { kind: 'vlan', lower: 3 }, [true, false], [`${up}; now ${down}`]],
		['must not come up on a link of the run if it is not a VLAN', { kind: 'macvlan', lower: 3 }, [false, true], [`${down}; now ${up}`]],
		['must not go down on another link', { kind: 'vlan', lower: 2 }, [true, false], [`${up}; now ${down}`]],
	])('%s', (_, link, [before, after], expected) => {
		const plan = selected({ accepted: accepted.slice(0, 1) })
		expect(words(plan, upper({ ...link, up: before }), upper({ ...link, up: after }))).toEqual(expected)
	})
})
