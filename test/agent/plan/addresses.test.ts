import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Change } from '../../../agent/model/change.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import { missingAddresses, otherPrefixLengths, removedWithPrimary, staleAddresses } from '../../../agent/plan/addresses.ts'
import { addition, addressWith, linkWith, recordWith, removal } from './network-builders.ts'

/** The addresses that a run removes from a link, and those that it adds. */

const holding = (...addresses: (Address | string)[]) =>
	linkWith({ addresses: addresses.map(one => (typeof one === 'string' ? addressWith(one) : one)) })
const cidrsIn = (changes: readonly Change[]) => changes.flatMap(change => ('address' in change ? [change.address.cidr] : []))
const [first, second, third] = ['10.0.0.23/24', '10.0.0.24/24', '10.0.0.25/24'] as [string, string, string]
const [six, otherSix] = ['fd00::23/64', 'fd00::24/64'] as [string, string]
const lease = (cidr: string) => addressWith(cidr, { dynamic: true })

describe('a run removes', () => {
	type Case = [title: string, has: (Address | string)[], wanted: string[], removed: string[], ours?: Partial<RecordedLink>, anew?: string[]]
	test.each<Case>([
		['an address of the last config', [first, second], [second], [first], { addresses: [first] }],
		['an address of an earlier config', [first, second], [second], [first], { addresses: [second], former: [first] }],
		['a lease', [lease('172.16.0.9/24'), first], [first], ['172.16.0.9/24']],
		['no address of another program', ['172.16.0.9/24', first], [first], []],
		['no link-local address with a lifetime', [lease('fe80::7/64')], [first], []],
		['no desired address', [first, lease(second)], [first, second], []],
		['a desired address that another host has', [addressWith(six, { duplicate: true }), otherSix], [six, otherSix], [six]],
		['a desired address that must be added again', [first, second], [first, second], [second], {}, [second]],
		['the same address with another prefix length', ['10.0.0.23/32'], [first], ['10.0.0.23/32']],
		['the same address with another prefix length, next to desired addresses', ['10.0.0.23/32', second], [second, first], ['10.0.0.23/32']],
		['a link-local address of an earlier config', ['fe80::7/64'], [first], ['fe80::7/64'], { addresses: ['fe80::7/64'] }],
		[
			'no link-local address that the kernel derives from the MAC',
			['fe80::f816:3eff:fe00:0/64'],
			[first],
			[],
			{ addresses: ['fe80::f816:3eff:fe00:0/64'] },
		],
		[
			'the last address first',
			[first, lease('172.16.0.9/24'), second],
			[],
			[second, '172.16.0.9/24', first],
			{ addresses: [first, second] },
		],
	])('%s', (_, has, wanted, ...[removed, ours, anew]) => {
		const link = holding(...has)
		const changes = staleAddresses(link, wanted, ours && recordWith(ours), anew)
		expect(cidrsIn(changes)).toEqual(removed)
		expect(changes.every(change => change.kind === 'removeAddress' && change.link === 3 && link.addresses.includes(change.address))).toBe(
			true,
		)
	})

	test.each<Case>([
		['the first misplaced address and all that follow', [second, first], [first, second], [first, second], { addresses: [second, first] }],
		['no address before the first misplaced one', [first, third, second], [first, second, third], [second, third], { addresses: [first] }],
		['the address that a new one must precede', [second], [first, second], [second], { addresses: [second] }],
		['no address if they are in order', [first, second], [first, second], [], { addresses: [first] }],
		['no address if a new one follows', [first], [first, second], [], { addresses: [first] }],
		['no address if the config has not changed', [second, first], [first, second], [], { addresses: [first, second] }],
		['no address of a link that MultiNIC does not manage yet', [second, first], [first, second], []],
		['no IPv6 address', [otherSix, six], [six, otherSix], [], { addresses: [otherSix, six] }],
		['no address because of one in another network', ['10.9.0.1/24', first], [first, '10.9.0.1/24'], [], { addresses: [first] }],
		['no address because of one that is not desired', ['10.0.0.9/24', first], [first, second], [], { addresses: [first] }],
		[
			'the misplaced addresses of each network',
			[second, '10.9.0.2/24', first, '10.9.0.1/24'],
			[first, second, '10.9.0.1/24', '10.9.0.2/24'],
			['10.9.0.1/24', first, '10.9.0.2/24', second],
			{ addresses: [second] },
		],
	])('to change the order, %s', (_, has, wanted, ...[removed, ours]) => {
		expect(cidrsIn(staleAddresses(holding(...has), wanted, ours && recordWith(ours)))).toEqual(removed)
	})
})

describe('of an address whose prefix length changes, a run', () => {
	const alone = (cidr: string) => cidr.replace('/24', '/32')
	type Case = [title: string, has: string[], wanted: string[], taken: string[], forms: string[], room?: string[]]
	test.each<Case>([
		['adds the new prefix length first', [first], [alone(first)], [first], [alone(first)]],
		[
			'adds the new prefix length after the removals in its network',
			['10.0.0.9/24', '10.9.0.9/24', alone(first)],
			[first],
			[alone(first), '10.9.0.9/24', '10.0.0.9/24'],
			[first],
			['10.0.0.9/24'],
		],
		['adds no prefix length that exists', [first, alone(first)], [first], [alone(first)], []],
		['adds nothing early for a new address', [second], [first, second], [], []],
		['adds the new prefix length later if it is IPv6', ['fd00::23/128'], [six], ['fd00::23/128'], []],
		['adds the new prefix length later if a new address precedes it', [alone(second)], [first, second], [alone(second)], []],
		['adds the new prefix length first if a new address follows it', [alone(first)], [first, second], [alone(first)], [first]],
		[
			'adds the new prefix length first if a new address of another network precedes it',
			[alone(first)],
			['10.9.0.9/24', first],
			[alone(first)],
			[first],
		],
		[
			'adds the new prefix length first if the address that precedes it exists',
			[first, alone(second)],
			[first, second],
			[alone(second)],
			[second],
		],
		[
			'adds the new prefix length later if the address that precedes it is removed',
			[third, first, alone(second)],
			[first, second],
			[alone(second), third],
			[],
		],
		[
			'adds two new prefix lengths in their order',
			[alone(first), alone(second)],
			[first, second],
			[alone(second), alone(first)],
			[first, second],
		],
		[
			'adds the new prefix length later if the second address that precedes it is new',
			[first, alone(third)],
			[first, second, third],
			[alone(third)],
			[],
		],
	])('%s', (_, has, wanted, ...[taken, forms, room = []]) => {
		const found = otherPrefixLengths(
			holding(...has),
			wanted,
			taken.map(cidr => removal(cidr)),
		)
		expect(found).toEqual({ room: room.map(cidr => removal(cidr)), forms: forms.map(cidr => addition(cidr, { broadcast: '+' })) })
	})
})

test.each<[title: string, has: string[], taken: Change[], gone: string[]]>([
	[
		'the first one of a network is removed together with the others of that network',
		[first, second, '10.9.0.1/24'],
		[removal(first)],
		[first, second],
	],
	['any other one is removed alone', [first, second], [removal(second)], [second]],
	[
		'the first one of the second network is removed together with the others of that network',
		[first, '10.9.0.1/24', '10.9.0.2/24'],
		[removal('10.9.0.1/24')],
		['10.9.0.1/24', '10.9.0.2/24'],
	],
	['none is removed together with an IPv6 address', [six, otherSix], [removal(six)], []],
	['none is removed by an addition', [first, second], [addition(first)], []],
	['all stay without removals', [first, second], [], []],
])('of the IPv4 addresses of a link, %s', (_, has, taken, gone) => {
	expect([...removedWithPrimary(holding(...has), taken)]).toEqual(gone)
})

describe('a run adds', () => {
	const four = (cidr: string) => addition(cidr, { broadcast: '+' })
	test.each<[title: string, has: (Address | string)[], wanted: string[], again: string[], added: Change[]]>([
		['a missing address, with the broadcast address of its network', [first], [first, second], [], [four(second)]],
		['a missing IPv6 address, without a broadcast address', [], [six], [], [addition(six)]],
		['no address that exists', [first, six], [first, six], [], []],
		['an address that another host had', [addressWith(six, { duplicate: true })], [six], [], [addition(six)]],
		['an address that the run removes first', [first, second], [first, second], [second], [four(second)]],
		['an IPv4 address with another metric in one step', [addressWith(first, { metric: 7 })], [first], [first], [four(first)]],
		[
			'an IPv6 address with another metric in two steps, the first with its metric',
			[addressWith(six, { metric: 7, dynamic: true })],
			[six],
			[six],
			[addition(six, { metric: 7 }), addition(six, { metric: 256 })],
		],
		['an IPv6 address with the default metric in one step', [addressWith(six, { metric: 256 })], [six], [six], [addition(six)]],
		[
			'an IPv6 address in one step if only another address has another metric',
			[addressWith(otherSix, { metric: 7 })],
			[six],
			[],
			[addition(six)],
		],
	])('%s', (_, has, wanted, ...[again, added]) => {
		expect(missingAddresses(holding(...has), wanted, new Set(again))).toEqual(added)
	})
})
