import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import { asOurs, detailsOf, differing, relabelled, wantedAddress } from '../../../agent/plan/address-details.ts'
import { hostWith } from '../simulated-host.ts'

/** Attributes of an address other than its prefix. */

const four: Address = { family: 4, cidr: '10.0.0.5/24', global: true, dynamic: false }
const six: Address = { family: 6, cidr: 'fd00::5/64', global: true, dynamic: false }
const linkWith = (...addresses: Address[]) => hostWith([{ ifindex: 3, name: 'ens7', mac: '02:00:00:00:00:03', addresses }]).links[0] as Link

describe('an address on the link', () => {
	const added = (...cidrs: string[]) => ({ anew: cidrs, changed: [] })
	const replaced = (...cidrs: string[]) => ({ anew: [], changed: cidrs })
	test.each<[title: string, is: Address, wanted: Address, differs: ReturnType<typeof differing>]>([
		['that is desired does not differ', four, four, added()],
		['that is not desired is not compared', { ...four, cidr: '10.0.0.6/24', metric: 7 }, four, added()],
		['with another metric is replaced', { ...four, metric: 7 }, four, replaced(four.cidr)],
		['with the default metric equals one without a metric', { ...six, metric: 256 }, six, added()],
		['from a lease is replaced', { ...four, dynamic: true }, four, replaced(four.cidr)],
		['with a limited lifetime is replaced', { ...four, validSeconds: 5 }, four, replaced(four.cidr)],
		['that is deprecated is replaced', { ...four, preferredSeconds: 0 }, four, replaced(four.cidr)],
		[
			'with another remaining lifetime does not differ',
			{ ...four, validSeconds: 5, preferredSeconds: 1 },
			{ ...four, validSeconds: 9 },
			added(),
		],
		['with another label is removed and added again', { ...four, label: 'a' }, four, added(four.cidr)],
		['with another scope is removed and added again', { ...four, scope: 253 }, four, added(four.cidr)],
		['with the default scope equals one without a scope', { ...four, scope: 0 }, four, added()],
		['with another peer is removed and added again', { ...four, peer: '10.0.0.9' }, four, added(four.cidr)],
		['with another peer does not differ if it is IPv6', { ...six, peer: 'fd00::9' }, six, added()],
		['with other flags is removed and added again', { ...four, flags: ['home'] }, four, { anew: [four.cidr], changed: [four.cidr] }],
		['with other flags is replaced if it is IPv6', { ...six, flags: ['home'] }, six, replaced(six.cidr)],
		['with the flag optimistic equals one without it', { ...six, flags: ['optimistic'] }, six, added()],
		[
			'with the broadcast address of its network does not differ',
			{ ...four, broadcast: '10.0.0.255' },
			{ ...four, broadcast: '+' },
			added(),
		],
		['without a broadcast address is removed and added again', four, { ...four, broadcast: '+' }, added(four.cidr)],
		[
			'with another broadcast address is removed and added again',
			{ ...four, broadcast: '10.0.0.254' },
			{ ...four, broadcast: '+' },
			added(four.cidr),
		],
		[
			'with its network address as broadcast address is removed and added again',
			{ ...four, broadcast: '10.0.0.0' },
			{ ...four, broadcast: '+' },
			added(four.cidr),
		],
		[
			'with the broadcast address of its network instead of another is removed and added again',
			{ ...four, broadcast: '10.0.0.255' },
			{ ...four, broadcast: '10.0.0.254' },
			added(four.cidr),
		],
		['with a broadcast address instead of none is removed and added again', { ...four, broadcast: '10.0.0.255' }, four, added(four.cidr)],
		[
			'with the broadcast address of another network is removed and added again',
			{ ...four, broadcast: '10.0.1.255' },
			{ ...four, broadcast: '+' },
			added(four.cidr),
		],
	])('%s', (_, is, wanted, differs) => {
		expect(differing(linkWith(is), [wanted])).toEqual(differs)
	})

	test('with several peers is compared with the desired one with the same peer', () => {
		const peers = ['10.0.0.8', '10.0.0.9'].map((peer): Address => ({ ...four, peer }))
		expect(differing(linkWith(...peers), peers)).toEqual(added())
	})

	test('that the kernel added is not compared, unless it is temporary', () => {
		const made: Address = { ...six, cidr: 'fe80::ff:fe00:3/64', metric: 7 }
		const temporary: Address = { ...six, temporary: true, metric: 7 }
		const wanted = [made, temporary].map(({ metric: _, ...address }) => address)
		expect(differing(linkWith(made, temporary), wanted)).toEqual(replaced(six.cidr))
	})
})

test('only an IPv4 address has a broadcast address', () => {
	expect(wantedAddress('10.0.0.5/24')).toEqual({ ...four, broadcast: '+' })
	expect(wantedAddress('fd00::5/64')).toEqual(six)
})

describe('in the comparison of an address that a daemon has added at boot', () => {
	test.each<[title: string, address: Address, name: string, rest: Address]>([
		['a missing broadcast address equals that of the network', four, 'ens7', { ...four, broadcast: '+', flags: [] }],
		['another broadcast address differs', { ...four, broadcast: '10.9.9.9' }, 'ens7', { ...four, broadcast: '10.9.9.9', flags: [] }],
		['an IPv6 address has no broadcast address', six, 'ens7', { ...six, flags: [] }],
		[
			'noprefixroute is ignored, and so is its metric',
			{ ...six, flags: ['noprefixroute', 'home'], metric: 7 },
			'ens7',
			{ ...six, flags: ['home'] },
		],
		['the metric is compared', { ...six, metric: 7 }, 'ens7', { ...six, flags: [], metric: 7 }],
		['the scope is compared', { ...six, scope: 253 }, 'ens7', { ...six, flags: [], scope: 253 }],
		['the scope of a link-local address is ignored', { ...six, global: false, scope: 253 }, 'ens7', { ...six, global: false, flags: [] }],
		['a label is compared', { ...six, label: 'mine' }, 'ens7', { ...six, flags: [], label: 'mine' }],
		['a label that a rename created is ignored', { ...six, label: 'ens7:2' }, 'ens7', { ...six, flags: [] }],
		[
			'the label of the first address is ignored if the link is renamed',
			{ ...four, label: 'mine' },
			'multinic0',
			{ ...four, broadcast: '+', flags: [] },
		],
		[
			'the label of the first address is compared if the link is not renamed',
			{ ...four, label: 'mine' },
			'ens7',
			{ ...four, broadcast: '+', flags: [], label: 'mine' },
		],
	])('%s', (_, address, name, rest) => {
		expect(asOurs(address, linkWith(address), name)).toEqual(rest)
	})

	test('the label of the first IPv4 address is ignored if the link is renamed, even if an IPv6 address precedes it', () => {
		const labelled: Address = { ...four, label: 'mine' }
		expect(asOurs(labelled, linkWith(six, labelled), 'multinic0')).not.toHaveProperty('label')
	})

	test('the label of the second IPv4 address is compared even if the link is renamed', () => {
		const second: Address = { ...four, cidr: '10.0.0.6/24', label: 'mine' }
		expect(asOurs(second, linkWith(six, four, second), 'multinic0').label).toBe('mine')
	})
})

test('a rename changes the labels of all IPv4 addresses, except of a first one without a label', () => {
	const labelled: Address = { ...four, label: 'mine' }
	const second: Address = { ...four, cidr: '10.0.0.6/24' }
	expect(relabelled({ addresses: [six, four, second] })).toEqual([second])
	expect(relabelled({ addresses: [labelled, six] })).toEqual([labelled])
})

test.each<[title: string, more: Partial<Address>, words: string[]]>([
	['no default attribute', { broadcast: '+' }, []],
	['that it is a lease', { dynamic: true }, ['a lease']],
	['that another host has it', { duplicate: true }, ['another host has it']],
	['that it is deprecated', { preferredSeconds: 0 }, ['deprecated']],
	['no remaining lifetime', { preferredSeconds: 9 }, []],
	['its scope', { scope: 253 }, ['scope link']],
	['the scope host', { scope: 254 }, ['scope host']],
	['the number of a scope without a name', { scope: 200 }, ['scope 200']],
	['its label', { label: 'mine' }, ['label mine']],
	['no label that a rename created', { label: 'ens7:2' }, []],
	['no label with two digits that a rename created', { label: 'ens7:12' }, []],
	['a label that only resembles one of a rename', { label: 'ens7:2x' }, ['label ens7:2x']],
	['a label with two colons', { label: 'a:b:2' }, ['label a:b:2']],
	['its peer', { peer: '10.0.0.9' }, ['peer 10.0.0.9']],
	['its metric', { metric: 7 }, ['metric 7']],
	['no default metric', { metric: 0 }, []],
	['no metric with noprefixroute', { metric: 7, flags: ['noprefixroute'] }, ['noprefixroute']],
	['its broadcast address', { broadcast: '10.0.0.254' }, ['brd 10.0.0.254']],
	['no broadcast address of its network', { broadcast: '10.0.0.255' }, []],
	['its flags, except optimistic', { flags: ['home', 'optimistic'] }, ['home']],
])('a message about an address has %s', (_, more, words) => {
	expect(detailsOf({ ...four, ...more })).toEqual(words)
})
