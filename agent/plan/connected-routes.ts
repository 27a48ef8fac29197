import type { WantedInterface } from '../../contract/interface.ts'
import { ipOf, networkOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Change } from '../model/change.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf, networksOf } from '../model/networks.ts'
import { connectedRoute, isRouteless, KERNEL, metricOf } from '../model/origin.ts'
import { gatewaysOf, MAIN, type Route, routeKey } from '../model/route.ts'
import type { Accepted } from '../model/selection.ts'

/** The connected routes of an interface in the main table: the kernel adds one for each network of its addresses. */

/** @returns the desired connected routes of an interface */
export function connectedRoutesOf(nic: WantedInterface, link: number): Route[] {
	if (!nic.connectedRoute) return []
	return networksOf(nic).map(to => {
		const family = familyOf(to)
		const first = addressesOf(nic).find(cidr => networkOf(cidr) === to)
		const source = family === 4 && first !== undefined ? { source: ipOf(first) } : {}
		return { ...connectedRoute({ family, cidr: to }, link), ...source }
	})
}

/**
 * @returns the addresses of the link that have `noprefixroute` and whose connected route is desired but missing; a daemon that sets this
 * flag usually adds the route itself (NetworkManager)
 */
export function unroutedAddresses({ nic, link }: Accepted, host: HostState): string[] {
	const missing = new Set(missingOf({ nic, link }, host).map(({ to }) => to))
	return link.addresses.filter(address => isRouteless(address) && missing.has(networkOf(address.cidr))).map(({ cidr }) => cidr)
}

/** `taken`: the address removals of a run; `given`: its address additions. */
type AddressChanges = { taken: readonly Change[]; given: readonly Change[] }

/** @returns removals of routes to networks of an interface that are neither its connected routes nor requested */
export function staleConnected({ nic, link }: Accepted, { taken, given }: AddressChanges, host: HostState): Change[] {
	const requested = new Set(routesOf(nic, link.ifindex).map(routeKey))
	const wanted = connectedRoutesOf(nic, link.ifindex)
	const removed = [...addressesIn(taken), ...link.addresses.filter(address => isMoved(address, given))]
	return onLinkRoutes(nic, link, host)
		.filter(route => !requested.has(routeKey(route)) && !wanted.some(other => isSame(other, route, nic)))
		.filter(route => !removed.some(address => isRouteOf(address, route)))
		.map(route => ({ kind: 'removeRoute', route }))
}

/**
 * @param gone addresses that may have been removed before they are added again
 * @returns additions of missing connected routes whose addresses stay on the link, so that the kernel does not add the routes itself in
 * this run
 */
export function missingConnected({ nic, link }: Accepted, given: readonly Change[], gone: ReadonlySet<string>, host: HostState): Change[] {
	const staying = link.addresses.filter(
		address => !gone.has(address.cidr) && !isRouteless(address) && addressesOf(nic).includes(address.cidr),
	)
	const brought = networksBrought(link, given, gone)
	return missingOf({ nic, link }, host)
		.filter(({ to }) => link.up && !brought.has(to) && staying.some(({ cidr }) => networkOf(cidr) === to))
		.map(route => ({ kind: 'addRoute', route }))
}

/**
 * Returns the networks whose connected route the kernel adds together with an address: for IPv6 with each added address, for IPv4 with the
 * first address of a network, if it is new or gets another metric.
 */
function networksBrought(link: Link, given: readonly Change[], gone: ReadonlySet<string>): Set<string> {
	const isFirst = ({ cidr }: Address) => {
		const first = link.addresses.find(had => networkOf(had.cidr) === networkOf(cidr))
		return !first || gone.has(first.cidr) || isMoved(first, given)
	}
	const bringing = addressesIn(given).filter(address => address.family === 6 || isFirst(address))
	return new Set(bringing.map(({ cidr }) => networkOf(cidr)))
}

/** Whether an address gets another metric, so that the kernel replaces its connected route. */
function isMoved(address: Address, given: readonly Change[]): boolean {
	const isOther = (other: Address) => other.cidr === address.cidr && metricOf(other) !== metricOf(address)
	return !isRouteless(address) && addressesIn(given).some(isOther)
}

function addressesIn(changes: readonly Change[]): Address[] {
	return changes.flatMap(change => ('address' in change ? [change.address] : []))
}

function missingOf({ nic, link }: Pick<Accepted, 'nic' | 'link'>, host: HostState): Route[] {
	const present = onLinkRoutes(nic, link, host)
	return connectedRoutesOf(nic, link.ifindex).filter(wanted => !present.some(route => isSame(wanted, route, nic)))
}

function onLinkRoutes(nic: WantedInterface, { ifindex }: Link, { routes }: HostState): Route[] {
	const networks = new Set(networksOf(nic))
	return routes.filter(
		route => route.table === MAIN && route.link === ifindex && route.type === 1 && networks.has(route.to) && gatewaysOf(route).length === 0,
	)
}

/** Any address of the interface may be the source: which one is first depends on the order in which a daemon added them. */
function isSame(wanted: Route, route: Route, nic: WantedInterface): boolean {
	const isOurSource = route.source === undefined || addressesOf(nic).some(cidr => ipOf(cidr) === route.source)
	return routeKey(wanted) === routeKey(route) && wanted.scope === route.scope && isOurSource
}

/** Whether the kernel removes this route together with the address. */
function isRouteOf(address: Address, route: Route): boolean {
	const { to, metric } = connectedRoute(address, route.link ?? 0)
	return route.protocol === KERNEL && !isRouteless(address) && route.to === to && route.metric === metric
}
