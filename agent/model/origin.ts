import { networkOf } from '../../contract/ip.ts'
import type { Address } from './address.ts'
import type { Link } from './host-state.ts'
import { linksOf, MAIN, type Route } from './route.ts'

/**
 * Determines the origin of an address or a route. Those that the kernel creates are never restored, because the kernel creates them again.
 */

/** RTPROT number of the routes that the kernel creates. */
export const KERNEL = 2
export const UNICAST = 1
export const LOCAL = 2
/** Route types up to this one deliver or forward packets; higher ones reject them. */
const LAST_LEADING_TYPE = 5
/** RT_SCOPE number of a network on a link. */
const LINK_SCOPE = 253
/** Default metric of a connected route. @see IP6_RT_PRIO_ADDRCONF */
const CONNECTED_METRIC = { 4: 0, 6: 256 } as const
/**
 * Protocols of redirects and router advertisements, which routers repeat, and of routing daemons, which add their routes again. @see
 * rtnetlink.h, RTPROT
 */
const DAEMONS: ReadonlySet<number> = new Set([1, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 42, 84, 186, 187, 188, 189, 192])

/** Whether the kernel creates this address: the link-local one derived from the MAC, or a temporary one (RFC 8981). */
export function isMadeByKernel({ cidr, temporary }: Address, { mac }: Pick<Link, 'mac'>): boolean {
	return temporary === true || cidr === `${linkLocalOf(mac)}/64`
}

/** @returns the link-local address of a MAC (RFC 4291, appendix A), as the kernel prints it */
function linkLocalOf(mac: string): string {
	const bytes = mac.split(':').map(byte => Number.parseInt(byte, 16))
	const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes
	const groups = [
		[a ^ 2, b],
		[c, 0xff],
		[0xfe, d],
		[e, f],
	].map(([high = 0, low = 0]) => ((high << 8) | low).toString(16))
	return groups[0] === '0' ? `fe80::${groups.slice(1).join(':')}` : `fe80::${groups.join(':')}`
}

/**
 * Whether the kernel creates this route because of an address or the link. Other programs may also add routes with the kernel's protocol
 * number.
 */
export function isKernelRoute(route: Route, links: readonly Link[]): boolean {
	const { protocol, type, table, expiresSeconds, to } = route
	if (protocol !== KERNEL) return false
	if (type !== UNICAST || table !== MAIN || expiresSeconds !== undefined || to === 'fe80::/64') return true
	const link = links.find(({ ifindex }) => ifindex === route.link)
	const isConnected = (address: Address) => !isRouteless(address) && isSameWay(connectedRoute(address, link?.ifindex ?? 0), route)
	return link?.addresses.some(isConnected) ?? true
}

/** @returns the route that the kernel adds to the main table for an address, unless the address has `noprefixroute` */
export function connectedRoute(address: Pick<Address, 'family' | 'cidr' | 'peer' | 'metric'>, link: number): Route {
	const { family } = address
	const common = {
		family,
		to: networkOf(reachOf(address)),
		link,
		table: MAIN,
		metric: metricOf(address),
		protocol: KERNEL,
		type: UNICAST,
		onlink: false,
	}
	return { ...common, scope: family === 4 ? LINK_SCOPE : 0 }
}

/** @returns the metric of the connected route of an address */
export function metricOf({ family, metric = CONNECTED_METRIC[family] }: Pick<Address, 'family' | 'metric'>): number {
	return metric
}

/** Whether an address has the flag that prevents the kernel from adding a connected route. */
export function isRouteless({ flags = [] }: Address): boolean {
	return flags.includes('noprefixroute')
}

function isSameWay(one: Route, other: Route): boolean {
	return one.family === other.family && one.to === other.to && one.metric === other.metric
}

/** @returns the address to which the prefix length applies */
function reachOf({ cidr, peer }: Pick<Address, 'cidr' | 'peer'>): string {
	return peer === undefined ? cidr : `${peer}${cidr.slice(cidr.indexOf('/'))}`
}

/** Whether a route delivers or forwards packets and was not created by the kernel. */
export function isGivenRoute(route: Route, links: readonly Link[]): boolean {
	return route.type >= UNICAST && !isRejecting(route) && !isKernelRoute(route, links)
}

/** Whether a route rejects packets (unreachable, blackhole, prohibit, throw). */
export function isRejecting({ type }: Pick<Route, 'type'>): boolean {
	return type > LAST_LEADING_TYPE
}

/** Whether MultiNIC has to restore this route, because neither a router nor a routing daemon adds it again. */
export function isRecordable({ protocol }: Route): boolean {
	return !DAEMONS.has(protocol)
}

/** Whether a route uses only this link. */
export function isOnlyOver(route: Route, ifindex: number): boolean {
	return linksOf(route).every(link => link === ifindex)
}
