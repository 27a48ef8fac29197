import { ipOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Change } from '../model/change.ts'
import { AUTOMATIC } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { isMadeByKernel, isOnlyOver, isRecordable } from '../model/origin.ts'
import type { OriginalLink, RecordedLink } from '../model/record.ts'
import type { Route } from '../model/route.ts'
import { differing, type Differing, relabelled } from './address-details.ts'
import { addressAdditions, nextHopObjectsOn } from './lost-when-down.ts'
import { routesOn } from './routes.ts'

/** Addresses and routes that a NIC had before MultiNIC managed it: the record keeps them, and a removal restores them. */

export type OriginalNetwork = { addresses: readonly Address[]; routes: readonly Route[] }

/** @returns the addresses and routes to record, except those that the kernel, a router or a routing daemon adds again */
export function recordable(link: Link, host: HostState): Pick<OriginalLink, 'addresses' | 'routes' | 'observed' | 'ifindex'> {
	const addresses = link.addresses.filter(address => !isMadeByKernel(address, link))
	const routes = routesOn(link, host).filter(route => isRecordable(route) && isOnlyOver(route, link.ifindex))
	return {
		ifindex: link.ifindex,
		...(addresses.length > 0 && { addresses }),
		...(routes.length > 0 && { routes }),
		...(host.seconds !== undefined && { observed: host.seconds }),
	}
}

/**
 * @returns the addresses and routes that a removal restores; a leased address gets its remaining lifetime. A daemon that manages the link
 * again requests a lease itself, so in that case neither leased addresses nor their routes are restored. Omits routes whose source or next
 * hop object no longer exists.
 */
export function originalNetwork({ original }: RecordedLink, link: Link, host: HostState): OriginalNetwork {
	const { ifindex = link.ifindex, daemon } = original
	const elapsed = Math.max(0, (host.seconds ?? 0) - (original.observed ?? host.seconds ?? 0))
	const addresses = (original.addresses ?? []).flatMap(address =>
		daemon && address.dynamic ? [] : (remaining(address as Address, elapsed) ?? []),
	)
	const sources = sourcesAfter(addresses, link, host)
	const routes = (original.routes ?? [])
		.filter(({ protocol }) => !(daemon && AUTOMATIC.has(protocol)))
		.filter(({ source }) => source === undefined || sources.has(source))
		.filter(({ nextHopId }) => nextHopId === undefined || isThere(nextHopId, link, host))
	return { addresses, routes: routes.map(route => withIfindex(route as Route, ifindex, link.ifindex)) }
}

/** Next hop objects belong to the program that created them, and do not survive a reboot. */
function isThere(id: number, { ifindex }: Link, host: HostState): boolean {
	return nextHopObjectsOn(ifindex, host).some(object => object.id === id)
}

/** The kernel rejects a route whose source is not an address of the host. */
function sourcesAfter(back: readonly Address[], link: Link, { links }: HostState): Set<string> {
	const staying = links.flatMap(other => other.addresses.filter(address => other.ifindex !== link.ifindex || isMadeByKernel(address, link)))
	return new Set([...back, ...staying].map(({ cidr }) => ipOf(cidr)))
}

/** @param elapsed seconds since the address was observed @returns undefined if the address has expired */
function remaining(address: Address, elapsed: number): Address | undefined {
	const { validSeconds, preferredSeconds } = address
	if (validSeconds !== undefined && validSeconds <= elapsed) return undefined
	return {
		...address,
		...(validSeconds !== undefined && { validSeconds: validSeconds - elapsed }),
		...(preferredSeconds !== undefined && { preferredSeconds: Math.max(0, preferredSeconds - elapsed) }),
	}
}

/** A link may have another ifindex after a reboot. */
function withIfindex(route: Route, then: number, now: number): Route {
	const moved = <T extends { link?: number }>(one: T): T => (one.link === then ? { ...one, link: now } : one)
	return { ...moved(route), ...(route.nextHops && { nextHops: route.nextHops.map(moved) }) }
}

/**
 * @returns the original addresses that are on the link with different attributes. If the link is renamed, this includes addresses whose
 * labels change
 */
export function differsFromOriginal({ original }: RecordedLink, link: Link, before: OriginalNetwork): Differing {
	const losing = new Set(original.name === link.name ? [] : relabelled(link))
	return differing(link, before.addresses, address => (losing.has(address) ? { ...address, label: '' } : address))
}

/** @param again addresses that may have been removed by then, or differ @returns additions of these and of missing addresses */
export function restoredAddresses({ ifindex, addresses }: Link, before: OriginalNetwork, again: ReadonlySet<string>): Change[] {
	const present = new Set(addresses.map(({ cidr }) => cidr))
	const missing = before.addresses.filter(({ cidr }) => again.has(cidr) || !present.has(cidr))
	return addressAdditions(missing, ifindex, before.routes)
}
