import { expect, test } from 'vitest'
import type { Link } from '../../../agent/model/host-state.ts'
import { hardwareOnly, isRefusal, matchLink, matchRows } from '../../../agent/plan/match-link.ts'
import { linkWith, macOf } from './network-builders.ts'

/** The link of an interface, by its MAC. */

const mac = macOf(0)
const second = { ifindex: 4, name: 'ens8' }

test.each<[title: string, links: Link[], kinds: string[], found: string]>([
	['no link', [], ['hardware'], `WaitingForDevice: no link has MAC ${mac} yet (ip -br link)`],
	[
		'no link if the only one has another MAC',
		[linkWith({ mac: macOf(1) })],
		['hardware'],
		`WaitingForDevice: no link has MAC ${mac} yet (ip -br link)`,
	],
	['two links with that MAC', [linkWith(), linkWith(second)], ['hardware'], `Ambiguous: ens7 and ens8 have MAC ${mac} (ip -br link)`],
	[
		'two links with that permanent MAC',
		[
			linkWith({ permanentMac: mac }),
			linkWith({ ...second, mac: macOf(2), permanentMac: mac }),
			linkWith({ name: 'ens9', permanentMac: macOf(3) }),
		],
		['hardware'],
		`Ambiguous: ens7 and ens8 have MAC ${mac} (ip -br link)`,
	],
	['a link with that current MAC and another permanent one', [linkWith({ permanentMac: macOf(2) })], ['hardware'], 'ens7'],
	['a link of an accepted kind', [linkWith({ kind: 'veth' })], ['hardware', 'veth'], 'ens7'],
	['no hardware if only another kind is accepted', [linkWith()], ['veth'], `WaitingForDevice: no link has MAC ${mac} yet (ip -br link)`],
])('a MAC matches %s', (_, links, kinds, found) => {
	const result = matchLink(mac, links, new Set(kinds))
	expect(isRefusal(result) ? `${result.reason}: ${result.message}` : result.name).toBe(found)
})

test('MultiNIC accepts only hardware by default', () => {
	expect([...hardwareOnly]).toEqual(['hardware'])
})

test('each refusal has a row with its reason and the command that shows it', () => {
	expect(matchRows.map(({ reason, see }) => [reason, see])).toEqual([
		['WaitingForDevice', 'ip -br link'],
		['Ambiguous', 'ip -br link'],
	])
})
