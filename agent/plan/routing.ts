import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, contains, networkOf } from '../../contract/ip.ts'
import type { Family, Route } from '../host/state.ts'
import { basesOf, MAIN, tableOf } from './bases.ts'
import { cidrsOf, familyOf, full, ipOf, isLinkLocal } from './networks.ts'

export { MAIN } from './bases.ts'
export { familyOf, ipOf } from './networks.ts'

const STATIC = 4
const LINK_SCOPE = 253

/** Protocol of routes that a router announces (IPv6). */
export const ROUTER = 9

/** Protocols of automatic routes: router advertisements and DHCP. */
export const AUTOMATIC: ReadonlySet<number> = new Set([ROUTER, 16])

/** Bytes. @see RFC 8200, 5 */
export const IPV6_MIN_MTU = 1_280

const OWN_TRAFFIC = { 'ipv4/rp_filter': '2', 'ipv4/arp_ignore': '1', 'ipv4/arp_announce': '2' }
const NO_ROUTER = { 'ipv6/accept_ra': '0' }

/** Every setting of a link that a run may change, `family/key` → the value that it sets. */
export const SYSCTLS: Readonly<Record<string, string>> = { ...OWN_TRAFFIC, ...NO_ROUTER }
export const SYSCTL_KEYS: readonly string[] = Object.keys(SYSCTLS)
/** The kernel sets it to the link's MTU whenever that changes. @see addrconf_notify, NETDEV_CHANGEMTU */
export const IPV6_MTU = 'ipv6/mtu'

/** A requested default route never takes precedence over the one that the node depends on, which has metric 0, 100 or 1024. */
const DEFAULT_ROUTE_METRIC = 1_100

/**
 * @returns every address of an interface as it is on the link, as the kernel prints it, the fixed IP of the port first; without a connected
 * route each is a single address (/32, /128), because the kernel adds such a route for every shorter prefix
 */
export function addressesOf(nic: WantedInterface): string[] {
	const cidrs = cidrsOf(nic)
	return nic.connectedRoute ? cidrs : [...new Set(cidrs.map(cidr => (isLinkLocal(cidr) ? cidr : `${ipOf(cidr)}/${full(cidr)}`)))]
}

/** @returns the routes of an interface: its own table first, then the requested routes */
export function routesOf(nic: WantedInterface, link: number): Route[] {
	const own = nic.policyRouting ? tableOf(nic.id, basesOf(nic)) : MAIN
	const connected = nic.policyRouting ? [...new Set(cidrsOf(nic).map(networkOf))].map(to => ({ to, table: own })) : []
	const gateway = nic.gateway === undefined ? [] : [canonicalIp(nic.gateway)]
	const through = gateway.map(via => ({ to: via.includes(':') ? '::/0' : '0.0.0.0/0', via }))
	const asked = (nic.routes ?? []).map(({ to, via, table, metric }) => ({ to: networkOf(to), via, table: table ?? own, metric }))
	return [
		...connected,
		...through.filter(() => nic.policyRouting).map(route => ({ ...route, table: own })),
		...through.filter(() => nic.defaultRoute).map(route => ({ ...route, table: MAIN, metric: DEFAULT_ROUTE_METRIC + nic.id })),
		...asked,
	].map(route => toRoute(route, link, reachedBy(route, nic)))
}

/**
 * Settings of a link, `family/key` → value. Each of several NICs in one network must answer ARP for its own addresses only, a reply may
 * leave by another NIC than strict reverse path filtering expects, and a router must not add what the node config does not contain.
 */
export function sysctlsOf({ policyRouting }: WantedInterface): Record<string, string> {
	return { ...(policyRouting && OWN_TRAFFIC), ...NO_ROUTER }
}

type KeyOfRoute = Omit<Route, 'protocol' | 'scope' | 'onlink' | 'source'>

/** @returns the key that identifies a route, regardless of its origin: a protocol number does not survive a reboot */
export function routeKey(route: KeyOfRoute): string {
	const { family, to, via, link, table, metric, type } = route
	const plain = [family, to, via ?? '', link ?? '', table, metric, type].join(' ')
	const { tos, from, nextHops } = route
	return tos === undefined && from === undefined && nextHops === undefined ? plain : [plain, ...rareKeys(route)].join(' ')
}

function rareKeys({ tos, from, nextHops = [] }: KeyOfRoute): string[] {
	const hops = nextHops.map(({ via, link, weight }) => `nexthop ${via ?? ''} ${link ?? ''} ${weight}`)
	return [...(tos === undefined ? [] : [`tos ${tos}`]), ...(from === undefined ? [] : [`from ${from}`]), ...hops]
}

/** @returns the next hops of a route that has some, each with its link */
export function gatewaysOf({ via, link, nextHops }: Pick<Route, 'via' | 'link' | 'nextHops'>): { ip: string; link: number }[] {
	const hops = nextHops ?? [{ via, link }]
	return hops.flatMap(hop => (hop.via === undefined || hop.link === undefined ? [] : [{ ip: hop.via, link: hop.link }]))
}

/** @returns ifindexes of every link that a route uses: its own, and those of its next hops; each once */
export function linksOf({ link, nextHops }: Pick<Route, 'link' | 'nextHops'>): number[] {
	if (!nextHops) return link === undefined ? [] : [link]
	return [...new Set([link, ...nextHops.map(hop => hop.link)])].filter(index => index !== undefined)
}

/** @returns whether a route has an explicit metric; the default of the kernel is 0, or 1024 for IPv6 */
export function hasMetric({ family, metric }: Pick<Route, 'family' | 'metric'>): boolean {
	return metric !== plainMetric(family)
}

function plainMetric(family: Family): number {
	return family === 6 ? 1024 : 0
}

type Asked = { to: string; via?: string | undefined; table: number; metric?: number | undefined }

/**
 * Returns the networks in which the kernel finds a next hop: those of connected routes in the main table, and for IPv6 those in the table
 * of the route. Elsewhere the route needs `onlink`. For IPv6 the kernel refuses that if the main table leads to the next hop over another
 * link, for IPv4 never.
 */
function reachedBy({ to, table }: Asked, nic: WantedInterface): string[] {
	return familyOf(to) === 6 && nic.policyRouting && table === tableOf(nic.id, basesOf(nic)) ? cidrsOf(nic) : addressesOf(nic)
}

function toRoute({ to, via, table, metric }: Asked, link: number, networks: readonly string[]): Route {
	const family = familyOf(to)
	return {
		family,
		to,
		link,
		table,
		metric: metric || plainMetric(family),
		protocol: STATIC,
		type: 1,
		scope: via === undefined && family === 4 ? LINK_SCOPE : 0,
		onlink: via !== undefined && !networks.some(cidr => contains(cidr, via)) && !via.startsWith('fe80:'),
		...(via !== undefined && { via: canonicalIp(via) }),
	}
}
