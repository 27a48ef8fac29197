import type { RefusalCheck } from '../model/check.ts'
import { addressesOf, IPV6_MIN_MTU } from '../model/desired-network.ts'
import { familyOf } from '../model/networks.ts'
import type { PreflightInput } from './preflight-input.ts'
import { mtuAfter } from './record-link.ts'

/** Checks the MTU against the limits of the link and the minimum for IPv6. */

export const mtuOutOfRange: RefusalCheck<PreflightInput> = {
	reason: 'MtuRefused',
	when: 'the driver of the NIC does not support the desired MTU',
	see: 'ip -d link show dev ens7',
	find({ nic: { mtu }, link: { name, minMtu, maxMtu } }) {
		const see = `ip -d link show dev ${name}`
		if (mtu === undefined) return
		if (mtu < minMtu) return { says: `${name} supports an MTU of ${minMtu} or more, not ${mtu}`, see }
		if (maxMtu > 0 && mtu > maxMtu) return { says: `${name} supports an MTU of ${maxMtu} or less, not ${mtu}`, see }
	},
}

/** The kernel removes IPv6 from a link with an MTU below 1280 bytes. @see RFC 8200, 5 */
export const mtuTooSmallForIpv6: RefusalCheck<PreflightInput> = {
	reason: 'MtuRefused',
	when: 'an IPv6 address is requested and the MTU would be below 1280',
	see: 'ip -d link show dev ens7',
	find({ nic, link, ours }) {
		const bytes = mtuAfter(nic, link, ours)
		const six = addressesOf(nic).find(cidr => familyOf(cidr) === 6)
		if (six === undefined || bytes >= IPV6_MIN_MTU) return
		return { says: `${six} needs an MTU of ${IPV6_MIN_MTU} or more, not ${bytes}`, see: `ip -d link show dev ${link.name}` }
	},
}
