import type { Bases } from '../../contract/bases.ts'
import { contains, ipOf } from '../../contract/ip.ts'
import { isOurTable } from '../model/bases.ts'
import type { Address } from '../model/address.ts'
import type { Change } from '../model/change.ts'
import { AUTOMATIC } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { isGivenRoute, LOCAL, UNICAST } from '../model/origin.ts'
import type { RecordedLink } from '../model/record.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'

/** Determines which routes a run removes from a link, which it adds, and which it adds again. */

/** @returns the routes of a link in all tables that the kernel did not create, in an order in which they can be added again */
export function routesOn({ ifindex }: Link, { routes, links }: Pick<HostState, 'routes' | 'links'>): Route[] {
	return routes.filter(route => linksOf(route).includes(ifindex) && isGivenRoute(route, links)).toSorted(byReach)
}

/**
 * Sorts routes into an order in which they can be added. A route with a next hop comes after the routes through which that next hop is
 * reached; for IPv6 the latter may have several next hops, one of them the link itself. Broadcast and similar routes come last, because
 * the kernel rejects a next hop that such a route in the same table matches. IPv4 local routes come first: the kernel accepts a next hop
 * that a local route matches, and may have no other route to it.
 *
 * @see fib_check_nh_v4_gw of the kernel
 */
export function byReach(a: Route, b: Route): number {
	return rankOf(a) - rankOf(b)
}

function rankOf({ family, type, via, nextHops }: Route): number {
	if (type === LOCAL && family === 4) return 0
	if (type !== UNICAST) return 3
	const hops = nextHops ?? [{ via }]
	if (hops.every(hop => hop.via === undefined)) return 0
	return hops.some(hop => hop.via === undefined) ? 1 : 2
}

/** `remaining`: the addresses of the link after the run. */
type StaleInput = { routes: readonly Route[]; ours: RecordedLink | undefined; remaining: readonly string[]; bases: readonly Bases[] }

/**
 * @returns removals of routes that are no longer desired, that DHCP or a router added, or that would lose their next hop or source address
 */
export function staleRoutes(link: Link, { routes, ours, remaining, bases }: StaleInput, host: HostState): Change[] {
	const keys = new Set(routes.map(routeKey))
	const given = new Set(ours?.routes.map(route => recordedKey(route, link.ifindex)))
	const isOurs = (route: Route) =>
		given.has(routeKey(route)) || AUTOMATIC.has(route.protocol) || isOurTable(route.table, bases) || losesNextHop(route, link, remaining)
	return routesOn(link, host)
		.filter(route => !keys.has(routeKey(route)) && isOurs(route))
		.map(route => ({ kind: 'removeRoute', route }))
}

/** Whether a route loses its next hop, because the run removes the only address in whose network it is, or loses its source address. */
function losesNextHop({ via, onlink, source, nextHops }: Route, { addresses }: Link, remaining: readonly string[]): boolean {
	const isLost = (reaches: (cidr: string) => boolean) => addresses.some(({ cidr }) => reaches(cidr)) && !remaining.some(reaches)
	const isLostHop = (hop: { via?: string | undefined; onlink: boolean }) => {
		const { via: ip } = hop
		return ip !== undefined && !hop.onlink && isLost(cidr => contains(cidr, ip))
	}
	return (nextHops ?? [{ via, onlink }]).some(isLostHop) || isLost(cidr => ipOf(cidr) === source)
}

/** @returns the addresses of a link, with prefix length, after these removals and additions */
export function addressesAfter({ addresses }: Link, taken: readonly Change[], wanted: readonly string[]): string[] {
	const stays = (address: Address) => !taken.some(change => change.kind === 'removeAddress' && change.address === address)
	return [...wanted, ...addresses.filter(stays).map(({ cidr }) => cidr)]
}

function recordedKey({ to, via, table, metric }: RecordedLink['routes'][number], link: number): string {
	return routeKey({ family: familyOf(to), to, table, metric, link, type: 1, ...(via !== undefined && { via }) })
}

/**
 * `along`: addresses that may be temporarily absent; `first`: those absent at the same time; `remaining`: the addresses of the link after
 * the run.
 */
type FlushInput = {
	along: ReadonlySet<string>
	first?: ReadonlySet<string>
	stale: readonly Change[]
	routes: readonly Route[]
	remaining: readonly string[]
}

/**
 * Returns additions of the IPv4 routes that the kernel removes and the run keeps. With the last IPv4 address of a link, the kernel removes
 * its IPv4 routes in all tables; with any address, it removes the routes on all links that have this address as their source.
 */
export function routesFlushedWithLastAddress(
	link: Link,
	{ along, first = along, stale, routes, remaining }: FlushInput,
	host: HostState,
): Change[] {
	const four = link.addresses.filter(({ family }) => family === 4)
	const isBare = four.length > 0 && four.every(({ cidr }) => first.has(cidr))
	const sources = new Set(remaining.map(ipOf).filter(ip => [...along].some(cidr => ipOf(cidr) === ip)))
	const leaves = new Set(stale.filter(change => change.kind === 'removeRoute').map(({ route }) => route))
	const found = [
		...(isBare ? routesOn(link, host) : []),
		...host.routes.filter(route => route.source !== undefined && sources.has(route.source) && isGivenRoute(route, host.links)),
	]
	return [...new Set(found)]
		.filter(route => route.family === 4 && !leaves.has(route))
		.map(route => ({ kind: 'addRoute', route: asWanted(route, routes), replace: true }))
}

/** @returns the desired form of a route that stays: its next hop may no longer be in a network of the link */
export function asWanted(found: Route, wanted: readonly Route[]): Route {
	return wanted.find(route => routeKey(route) === routeKey(found)) ?? found
}

/** @returns additions of the desired routes that are missing */
export function missingRoutes(wanted: readonly Route[], bases: readonly Bases[], host: HostState): Change[] {
	const present = new Map(host.routes.map(route => [routeKey(route), route]))
	const isThere = (route: Route) => {
		const found = present.get(routeKey(route))
		return found !== undefined && (!isOurTable(route.table, bases) || isSame(route, found))
	}
	return wanted.filter(route => !isThere(route)).map(route => ({ kind: 'addRoute', route }))
}

/** In a table managed by MultiNIC, a route is also replaced if it differs only in these attributes. */
function isSame({ scope, source, onlink }: Route, found: Route): boolean {
	const isPlain = found.metrics === undefined && found.encap === undefined && found.nextHopId === undefined
	return isPlain && found.scope === scope && found.source === source && found.onlink === onlink
}
