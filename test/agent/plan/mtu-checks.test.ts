import { describe, expect, test } from 'vitest'
import { mtuOutOfRange, mtuTooSmallForIpv6 } from '../../../agent/plan/mtu-checks.ts'
import { inputOf, type OneNic, recordedNic } from './one-nic.ts'

/** MTUs that a driver or IPv6 does not support. */

const six = { addresses: ['fd00::23/64'] }

describe('the driver', () => {
	test.each<[title: string, one: OneNic, says: string | undefined]>([
		['supports its smallest MTU', { nic: { mtu: 1000 }, link: { minMtu: 1000 } }, undefined],
		['does not support a smaller one', { nic: { mtu: 999 }, link: { minMtu: 1000 } }, 'ens7 supports an MTU of 1000 or more, not 999'],
		['supports its largest MTU', { nic: { mtu: 9000 }, link: { maxMtu: 9000 } }, undefined],
		['does not support a larger one', { nic: { mtu: 9001 }, link: { maxMtu: 9000 } }, 'ens7 supports an MTU of 9000 or less, not 9001'],
		['supports any MTU if it specifies no limit', { nic: { mtu: 9000 }, link: { maxMtu: 0 } }, undefined],
		['is not checked if the interface has no MTU', { link: { minMtu: 2000, maxMtu: 1000 } }, undefined],
	])('%s', (_, one, says) => {
		expect(mtuOutOfRange.find(inputOf(one))).toEqual(says && { says, see: 'ip -d link show dev ens7' })
	})
})

describe('IPv6', () => {
	test.each<[title: string, one: OneNic, bytes: number | undefined]>([
		['works with an MTU of 1280', { nic: { ...six, mtu: 1280 } }, undefined],
		['does not work with a smaller one', { nic: { ...six, mtu: 1279 } }, 1279],
		['is not needed without an IPv6 address', { nic: { mtu: 1279 } }, undefined],
		['does not work on a NIC that keeps such an MTU', { nic: six, link: { mtu: 1000 } }, 1000],
		['works on a NIC that gets a larger MTU', { nic: { ...six, mtu: 1500 }, link: { mtu: 1000 } }, undefined],
		[
			'works on a NIC whose original MTU is restored',
			{ nic: six, link: { mtu: 1000 }, ours: recordedNic({ mtu: 1000, original: { mtu: 1500 } }) },
			undefined,
		],
		[
			'does not work on a NIC whose original MTU is too small',
			{ nic: six, link: { mtu: 1500 }, ours: recordedNic({ mtu: 1500, original: { mtu: 1200 } }) },
			1200,
		],
	])('%s', (_, one, bytes) => {
		const says = `fd00::23/64 needs an MTU of 1280 or more, not ${bytes}`
		expect(mtuTooSmallForIpv6.find(inputOf(one))).toEqual(bytes && { says, see: 'ip -d link show dev ens7' })
	})
})
