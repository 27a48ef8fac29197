import { ipOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Link } from '../model/host-state.ts'
import { hasNetwork, isLinkLocal } from '../model/networks.ts'

/** Addresses without a network (/32, /128, the near end of a tunnel), as clouds and DHCPv6 assign them. */

/** Kinds of links that are on top of another link and on its wire. */
const ON_THE_WIRE_BELOW: ReadonlySet<string> = new Set(['macvlan', 'ipvlan'])

/**
 * Whether an address of a link that is not managed by MultiNIC determines the link by which the node sends from it. On `lo` and on dummy
 * links (`kube-ipvs0`) it does not, because no packet leaves by them. Nor on a link on top of one managed by MultiNIC, because it sends
 * over the latter.
 *
 * @param own ifindexes of the links managed by MultiNIC
 */
export function isSending({ name, kind = '', lower = 0 }: Pick<Link, 'name' | 'kind' | 'lower'>, own: ReadonlySet<number>): boolean {
	return name !== 'lo' && kind !== 'dummy' && !(ON_THE_WIRE_BELOW.has(kind) && own.has(lower))
}

/** @returns the address if the kernel adds no network for it; undefined for a link-local one */
export function loneIp({ cidr, peer }: Pick<Address, 'cidr' | 'peer'>): string | undefined {
	const isAlone = peer !== undefined || !hasNetwork(cidr)
	return isAlone && !isLinkLocal(cidr) ? ipOf(cidr) : undefined
}
