import { contains } from '../../contract/ip.ts'
import type { HostState, Link } from '../host/state.ts'
import { isSending } from './lone-address.ts'
import { hasNetwork } from './networks.ts'
import { familyOf, ipOf } from './routing.ts'
import type { Change } from './steps.ts'

/** Before a link is given IPv4 addresses: whether another host has them. Not for IPv6: the kernel asks by itself, and uses an address only then. */

/**
 * @param name what the link is called when it is asked on
 * @param wanted addresses with prefix length
 * @returns the question on the wire of the link itself
 */
export function questionOf(link: Link, name: string, wanted: readonly string[]): Change[] {
	const ips = newOf(link, wanted)
	return ips.length === 0 ? [] : [{ kind: 'ask', link: link.ifindex, name, ips, mac: link.mac }]
}

/**
 * @param touched ifindexes of the links that the run may change
 * @returns the questions on the wires of other links that have a network with such an address: what the node sends to whoever has it there would
 * stay on the node
 */
export function questionsBeside(link: Link, wanted: readonly string[], touched: ReadonlySet<number>, { links }: HostState): Change[] {
	const ips = newOf(link, wanted)
	return links
		.filter(other => !touched.has(other.ifindex) && isAsking(other) && isSending(other, touched))
		.flatMap(({ ifindex, name, addresses }) => {
			const networks = addresses.flatMap(({ cidr, peer }) => (peer === undefined && hasNetwork(cidr) ? [cidr] : []))
			const met = ips.filter(ip => networks.some(network => contains(network, ip)))
			return met.length === 0 ? [] : [{ kind: 'ask' as const, link: ifindex, name, ips: met, mac: link.mac }]
		})
}

function isAsking({ ethernet, up, carrier }: Link): boolean {
	return ethernet && up && carrier
}

function newOf({ addresses }: Link, wanted: readonly string[]): string[] {
	const held = new Set(addresses.map(({ cidr }) => ipOf(cidr)))
	return wanted.map(ipOf).filter(ip => familyOf(ip) === 4 && !held.has(ip))
}
