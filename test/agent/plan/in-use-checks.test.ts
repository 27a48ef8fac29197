import { describe, expect, test } from 'vitest'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { disturbedByChange, disturbedByDaemon, disturbedByRemoval, ruleNamesLink, usedByOthers } from '../../../agent/plan/in-use-checks.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { inputOf, type OneNic, recordedNic, rule } from './one-nic.ts'

/** Other users of a NIC. */

const vlan = { ifindex: 9, name: 'vlan5', kind: 'vlan', lower: 3 }
const macvlan = { ifindex: 10, name: 'mac0', kind: 'macvlan', lower: 3 }
const see = 'ip -d link show dev vlan5'
const multinic0 = { name: 'multinic0' }

describe('a NIC that is not managed by MultiNIC', () => {
	test('is refused because of the first link on top of it', () => {
		const found = usedByOthers.find(inputOf({ others: [vlan, macvlan] }))
		expect(found).toMatchObject({ says: 'vlan5 is on top of ens7', see })
		expect(disturbedByChange.find(inputOf({ others: [vlan] }))).toBe(undefined)
	})

	test('is not refused if no other link uses it', () => {
		expect(usedByOthers.find(inputOf({}))).toBe(undefined)
	})
})

describe('a NIC that is managed by MultiNIC', () => {
	const ours = recordedNic()

	test('is not refused because of a link on top of it', () => {
		expect(usedByOthers.find(inputOf({ others: [vlan], ours }))).toBe(undefined)
	})

	test.each<[title: string, one: OneNic, change: string | undefined]>([
		['is refused if it is renamed', { link: { name: 'lan0' } }, 'vlan5 is on top of lan0, and lan0 would be renamed to multinic0'],
		[
			'is refused if it gets a smaller MTU',
			{ link: multinic0, nic: { mtu: 1400 } },
			'vlan5 is on top of it, and it would get an MTU of 1400, but 1500 is used there',
		],
		[
			'is refused if it gets its original MTU again, which is smaller',
			{ link: multinic0, ours: recordedNic({ mtu: 1500, original: { mtu: 1400 } }) },
			'vlan5 is on top of it, and it would get an MTU of 1400, but 1500 is used there',
		],
		['is accepted if it comes up', { link: { ...multinic0, up: false } }, undefined],
		['is accepted if it stays up', { link: { ...multinic0, up: true } }, undefined],
	])('and has a VLAN %s', (_, one, says) => {
		expect(disturbedByChange.find(inputOf({ others: [vlan], ours, ...one }))).toEqual(says && { says, see })
	})

	test.each<[title: string, original: Partial<RecordedLink['original']>, says: string | undefined]>([
		['stays unchanged if it would get its original name', { up: true }, 'vlan5 is on top of it, and it would be renamed to ens7'],
		['stays unchanged if it would be set down', { name: 'multinic0' }, 'vlan5 is on top of it, and it would be set down'],
		['can be removed if the link would not change', { name: 'multinic0', up: true }, undefined],
	])('and is no longer desired %s', (_, original, says) => {
		const { link, host } = inputOf({ link: { ...multinic0, up: true }, others: [vlan] })
		expect(disturbedByRemoval.find({ ours: recordedNic({ original }), link, host })).toEqual(says && { says, see })
	})

	test('and is no longer desired can be removed if it has no link', () => {
		expect(disturbedByRemoval.find({ ours, link: undefined, host: inputOf({ others: [vlan] }).host })).toBe(undefined)
	})
})

test('a NIC that a rule names is refused only if it is renamed', () => {
	const rules = [rule({ iif: 'ens7', words: 'from all iif ens7 lookup 77' })]
	expect(ruleNamesLink.find(inputOf({ host: { rules } }))).toEqual({
		says: "the rule 'from all iif ens7 lookup 77' names ens7, and would not match its new name multinic0",
		see: 'ip rule show priority 600',
	})
	expect(ruleNamesLink.find(inputOf({ link: multinic0, host: { rules: [rule({ iif: 'multinic0' })] } }))).toBe(undefined)
})

describe('NetworkManager would have to release a NIC', () => {
	const theirs = { managedBy: 'NetworkManager' as const }
	const right = { ...multinic0, up: true }
	const without = { address: undefined, cidr: undefined, policyRouting: false } as unknown as NonNullable<OneNic['nic']>

	test.each<[title: string, one: OneNic, says: string | undefined]>([
		[
			'that has a VLAN, to change it',
			{ link: { ...right, ...theirs }, others: [vlan, macvlan] },
			'vlan5 is on top of it, and NetworkManager would have to release it',
		],
		[
			'with another name and a VLAN, to change it',
			{ link: { name: 'lan0', ...theirs }, others: [vlan] },
			'vlan5 is on top of lan0, and NetworkManager would have to release lan0',
		],
		['but a NIC without a VLAN can be changed', { link: { ...right, ...theirs } }, undefined],
		['but systemd-networkd would not have to', { link: { ...right, managedBy: 'systemd-networkd' }, others: [vlan] }, undefined],
		['but not if nothing changes', { nic: without, link: { ...right, ...theirs }, others: [vlan] }, undefined],
		[
			'but not if only its settings change',
			{ nic: without, link: { ...right, ...theirs, sysctls: { 'ipv6/accept_ra': '1' } }, others: [vlan] },
			undefined,
		],
		[
			'to set it up',
			{ nic: without, link: { ...right, up: false, ...theirs }, others: [vlan] },
			'vlan5 is on top of it, and NetworkManager would have to release it',
		],
	])('%s', (_, one, says) => {
		const { nic, link, host } = inputOf(one)
		const accepted = { nic, link, ours: recordedNic() }
		const selection: Selection = {
			accepted: [accepted],
			refused: [],
			released: [],
			kept: [],
			moves: [],
			shared: new Map(),
			bases: [DEFAULT_BASES],
		}
		expect(disturbedByDaemon.find({ accepted, selection, host })).toEqual(says && { says, see })
	})
})
