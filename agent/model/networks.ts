import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, lengthOf, networkOf, parseCidr } from '../../contract/ip.ts'
import type { Family } from './host-state.ts'

/** The addresses of an interface from its node config, and their networks. */

/** @returns every address of an interface with the prefix length of the node config, the fixed IP of the port first */
export function cidrsOf({ address, cidr, addresses = [] }: WantedInterface): string[] {
	const fixed = address !== undefined && cidr !== undefined ? [`${address}/${parseCidr(cidr)?.length}`] : []
	return [...new Set([...fixed, ...addresses].map(canonicalCidr))]
}

/** @returns the networks of an interface that are wider than one address and not link-local, each once */
export function networksOf(nic: WantedInterface): string[] {
	return [...new Set(cidrsOf(nic).filter(hasNetwork).map(networkOf))]
}

/**
 * Whether an address with prefix length has a network: neither a single address nor link-local. The kernel adds a connected route for it.
 */
export function hasNetwork(cidr: string): boolean {
	return lengthOf(cidr) < full(cidr) && !isLinkLocal(cidr)
}

/** @returns the prefix length of a single address */
export function full(ip: string): number {
	return familyOf(ip) === 4 ? 32 : 128
}

/** Whether an address is in fe80::/10, which is a separate network on each link. */
export function isLinkLocal(ip: string): boolean {
	return /^fe[89ab]/.test(ip)
}

/** @param ip address or network, with or without prefix length */
export function familyOf(ip: string): Family {
	return ip.includes(':') ? 6 : 4
}

function canonicalCidr(cidr: string): string {
	const [ip = '', length] = cidr.split('/')
	return `${canonicalIp(ip)}/${length}`
}
