import { describe, expect, test } from 'vitest'
import { ipv6DisabledOnLink, kernelWithoutIpv6 } from '../../../agent/plan/ipv6-checks.ts'
import type { Interface } from '../../../contract/interface.ts'
import { inputOf } from './one-nic.ts'

/** The parts of an interface that need IPv6. */

const gateway = { connectedRoute: false, gateway: 'fd00::1' }

describe.each<[title: string, nic: Partial<Interface>, six: string | undefined]>([
	['an interface with an IPv6 address', { addresses: ['10.0.0.24/24', 'fd00::23/64', 'fd00::24/64'] }, 'fd00::23/64'],
	['an interface with an IPv6 route', { routes: [{ to: '10.9.0.0/16' }, { to: 'fd09::/64', via: 'fe80::1' }] }, 'fd09::/64'],
	['an interface with all of these', { ...gateway, addresses: ['fd00::23/64'], routes: [{ to: 'fd09::/64' }] }, 'fd00::23/128'],
	['an interface with IPv4 only', { gateway: '10.0.0.1', routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }] }, undefined],
	['an interface without a gateway or routes', {}, undefined],
])('%s', (_, nic, six) => {
	test(`is ${six ? 'refused' : 'accepted'} on a kernel without IPv6`, () => {
		const says = `${six} needs IPv6, which the kernel does not support: it was started with ipv6.disable=1, or built without IPv6`
		expect(kernelWithoutIpv6.find(inputOf({ nic, host: { ipv6: false } }))).toEqual(six && { says })
		expect(kernelWithoutIpv6.find(inputOf({ nic }))).toBe(undefined)
	})

	test(`is ${six ? 'refused' : 'accepted'} on a link without IPv6`, () => {
		const says = `${six} needs IPv6, which is disabled on ens7`
		expect(ipv6DisabledOnLink.find(inputOf({ nic, link: { ipv6Disabled: true } }))).toEqual(six && { says })
		expect(ipv6DisabledOnLink.find(inputOf({ nic }))).toBe(undefined)
	})
})
