import type { Bases } from '../../contract/bases.ts'
import { contains, ipOf } from '../../contract/ip.ts'
import { isOurTable } from '../model/bases.ts'
import type { Change } from '../model/change.ts'
import { AUTOMATIC } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { isGivenRoute, LOCAL, UNICAST } from '../model/origin.ts'
import type { RecordedLink } from '../model/record.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'

/** Which routes a run removes from a link, which it adds, and which it adds again. */

/** @returns the routes of a link that are not from the kernel, of all tables, in an order in which they can be added again */
export function routesOn({ ifindex }: Link, { routes, links }: Pick<HostState, 'routes' | 'links'>): Route[] {
	return routes.filter(route => linksOf(route).includes(ifindex) && isGivenRoute(route, links)).toSorted(byReach)
}

/**
 * The order in which routes can be added. A route with a next hop comes after those by which the next hop is reached; for IPv6 these may
 * have several next hops, one being the link itself. A broadcast route or the like comes last, because the kernel refuses a next hop that
 * such a route of the same table matches. It accepts a next hop that an IPv4 local route matches, and may have no other route to it.
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

/** `remaining`: the addresses that the link has afterwards. */
type StaleInput = { routes: readonly Route[]; ours: RecordedLink | undefined; remaining: readonly string[]; bases: readonly Bases[] }

/** @returns removals of routes that are no longer desired, that DHCP or a router added, or that would lead nowhere */
export function staleRoutes(link: Link, { routes, ours, remaining, bases }: StaleInput, host: HostState): Change[] {
	const keys = new Set(routes.map(routeKey))
	const given = new Set(ours?.routes.map(route => recordedKey(route, link.ifindex)))
	const isOurs = (route: Route) =>
		given.has(routeKey(route)) || AUTOMATIC.has(route.protocol) || isOurTable(route.table, bases) || losesNextHop(route, link, remaining)
	return routesOn(link, host)
		.filter(route => !keys.has(routeKey(route)) && isOurs(route))
		.map(route => ({ kind: 'removeRoute', route }))
}

/** Whether a route loses its next hop, because the run removes the only address that reaches it, or loses its source address. */
function losesNextHop({ via, onlink, source, nextHops }: Route, { addresses }: Link, remaining: readonly string[]): boolean {
	const isLost = (reaches: (cidr: string) => boolean) => addresses.some(({ cidr }) => reaches(cidr)) && !remaining.some(reaches)
	const isLostHop = (hop: { via?: string | undefined; onlink: boolean }) => {
		const { via: ip } = hop
		return ip !== undefined && !hop.onlink && isLost(cidr => contains(cidr, ip))
	}
	return (nextHops ?? [{ via, onlink }]).some(isLostHop) || isLost(cidr => ipOf(cidr) === source)
}

/** @returns the addresses of a link, with prefix length, once some are removed and others added */
export function addressesAfter({ addresses }: Link, taken: readonly Change[], wanted: readonly string[]): string[] {
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address] : [])))
	return [...wanted, ...addresses.flatMap(address => (goes.has(address) ? [] : [address.cidr]))]
}

function recordedKey({ to, via, table, metric }: RecordedLink['routes'][number], link: number): string {
	return routeKey({ family: familyOf(to), to, table, metric, link, type: 1, ...(via !== undefined && { via }) })
}

/**
 * `along`: addresses that may be gone for a moment; `first`: those gone at the same time; `remaining`: those that the link has afterwards.
 */
type FlushInput = {
	along: ReadonlySet<string>
	first?: ReadonlySet<string>
	stale: readonly Change[]
	routes: readonly Route[]
	remaining: readonly string[]
}

/**
 * With its last IPv4 address a link loses its IPv4 routes of all tables, and with each address the routes that have it as their source, on
 * any link. Those that stay are added again.
 */
export function routesFlushedWithLastAddress(
	link: Link,
	{ along, first = along, stale, routes, remaining }: FlushInput,
	host: HostState,
): Change[] {
	const four = link.addresses.filter(({ family }) => family === 4)
	const isBare = four.length > 0 && four.every(({ cidr }) => first.has(cidr))
	const sources = new Set(remaining.map(ipOf).filter(ip => [...along].some(cidr => ipOf(cidr) === ip)))
	const leaves = new Set(stale.flatMap(change => (change.kind === 'removeRoute' ? [change.route] : [])))
	const found = [
		...(isBare ? routesOn(link, host) : []),
		...host.routes.filter(route => sources.has(route.source ?? '') && isGivenRoute(route, host.links)),
	]
	return [...new Set(found)]
		.filter(route => route.family === 4 && !leaves.has(route))
		.map(route => ({ kind: 'addRoute', route: asWanted(route, routes), replace: true }))
}

/** @returns the desired form of a route that stays: its next hop may no longer be on a network of the link */
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

/** In a table managed by MultiNIC a route is replaced if only these attributes differ. */
function isSame({ scope, source, onlink }: Route, found: Route): boolean {
	const isPlain = found.metrics === undefined && found.encap === undefined && found.nextHopId === undefined
	return isPlain && found.scope === scope && found.source === source && found.onlink === onlink
}
