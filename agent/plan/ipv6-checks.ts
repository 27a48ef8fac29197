import type { WantedInterface } from '../../contract/interface.ts'
import type { RefusalCheck } from '../model/check.ts'
import { addressesOf } from '../model/desired-network.ts'
import { familyOf } from '../model/networks.ts'
import type { PreflightInput } from './preflight-input.ts'

/** Checks whether the kernel supports requested IPv6, in general and on the link. Everything else of an interface works without IPv6. */

export const kernelWithoutIpv6: RefusalCheck<PreflightInput> = {
	reason: 'InvalidConfig',
	when: 'an IPv6 address, gateway or route is requested, and the kernel was started with `ipv6.disable=1` or built without IPv6',
	see: 'cat /proc/cmdline',
	find({ nic, host }) {
		const six = ipv6Of(nic)
		if (six === undefined || host.ipv6) return
		return { says: `${six} needs IPv6, which the kernel does not support: it was started with ipv6.disable=1, or built without IPv6` }
	},
}

export const ipv6DisabledOnLink: RefusalCheck<PreflightInput> = {
	reason: 'InvalidConfig',
	when: 'an IPv6 address, gateway or route is requested, and `disable_ipv6` is 1 on the NIC',
	see: 'grep 1 /proc/sys/net/ipv6/conf/*/disable_ipv6',
	find({ nic, link }) {
		const six = ipv6Of(nic)
		if (six === undefined || !link.ipv6Disabled) return
		return { says: `${six} needs IPv6, which is disabled on ${link.name}` }
	},
}

/** @returns the first IPv6 address, gateway or route that an interface requests */
function ipv6Of(nic: WantedInterface): string | undefined {
	const routes = (nic.routes ?? []).flatMap(({ to, via }) => [to, via])
	return [...addressesOf(nic), nic.gateway, ...routes].find(ip => ip !== undefined && familyOf(ip) === 6)
}
