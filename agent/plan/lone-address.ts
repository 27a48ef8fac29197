import type { Address, Link } from '../host/state.ts'
import { hasNetwork, ipOf, isLinkLocal } from './networks.ts'

/** Addresses without a network of their own (/32, /128, the near end of a tunnel), as clouds and DHCPv6 give them. */

/** Kinds of links that stand on another one and are on its wire. */
const ON_THE_WIRE_BELOW: ReadonlySet<string> = new Set(['macvlan', 'ipvlan'])

/**
 * Whether an address of a link that is not ours tells by which link the node sends from it. On `lo` and on dummy links (`kube-ipvs0`) it does
 * not: no packet leaves by them, and what stands on a link of ours sends by ours.
 *
 * @param own ifindexes of the links that are ours
 */
export function isSending({ name, kind = '', lower = 0 }: Pick<Link, 'name' | 'kind' | 'lower'>, own: ReadonlySet<number>): boolean {
	return name !== 'lo' && kind !== 'dummy' && !(ON_THE_WIRE_BELOW.has(kind) && own.has(lower))
}

/** @returns the address, where the kernel gives it no network; not a link-local one */
export function loneIp({ cidr, peer }: Pick<Address, 'cidr' | 'peer'>): string | undefined {
	const isAlone = peer !== undefined || !hasNetwork(cidr)
	return isAlone && !isLinkLocal(cidr) ? ipOf(cidr) : undefined
}
