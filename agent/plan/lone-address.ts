import { ipOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Link } from '../model/host-state.ts'
import { hasNetwork, isLinkLocal } from '../model/networks.ts'

/** Finds addresses without a network (/32, /128, the local end of a tunnel), such as those that clouds and DHCPv6 assign. */

/** Kinds of links that are on top of another link and share its layer 2 network. */
const ON_THE_WIRE_BELOW: ReadonlySet<string | undefined> = new Set(['macvlan', 'ipvlan'])

/**
 * Whether the node sends packets from the addresses of a link, which is not managed by MultiNIC, through that link. False for `lo` and for
 * dummy links (`kube-ipvs0`), because no packet leaves through them. False for a macvlan or ipvlan on top of a link managed by MultiNIC,
 * because it sends through the latter.
 *
 * @param own ifindexes of the links managed by MultiNIC
 */
export function isSending({ name, kind, lower = 0 }: Pick<Link, 'name' | 'kind' | 'lower'>, own: ReadonlySet<number>): boolean {
	return name !== 'lo' && kind !== 'dummy' && !(ON_THE_WIRE_BELOW.has(kind) && own.has(lower))
}

/** @returns the IP of an address that has a peer or no network; undefined for any other and for a link-local address */
export function loneIp({ cidr, peer }: Pick<Address, 'cidr' | 'peer'>): string | undefined {
	const isAlone = peer !== undefined || !hasNetwork(cidr)
	return isAlone && !isLinkLocal(cidr) ? ipOf(cidr) : undefined
}
