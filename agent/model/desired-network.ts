import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, contains, ipOf, networkOf } from '../../contract/ip.ts'
import { basesOf, tableOf } from './bases.ts'
import { cidrsOf, familyOf, full, isLinkLocal } from './networks.ts'
import { MAIN, plainMetric, type Route } from './route.ts'

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

/** Every sysctl of a link that a run may change, `family/key` → the value that the run sets. */
export const SYSCTLS: Readonly<Record<string, string>> = { ...OWN_TRAFFIC, ...NO_ROUTER }
export const SYSCTL_KEYS: readonly string[] = Object.keys(SYSCTLS)
/** The kernel sets this sysctl to the link's MTU whenever the MTU changes. @see addrconf_notify, NETDEV_CHANGEMTU */
export const IPV6_MTU = 'ipv6/mtu'

/** A requested default route never takes precedence over the one that the node depends on, which has metric 0, 100 or 1024. */
const DEFAULT_ROUTE_METRIC = 1_100

/**
 * @returns every address of an interface in the form that it has on the link, as the kernel prints it, the fixed IP of the port first;
 * without a connected route each has the prefix length /32 or /128, because the kernel adds a connected route for every shorter prefix
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
	const requested = (nic.routes ?? []).map(({ to, via, table, metric }) => ({ to: networkOf(to), via, table: table ?? own, metric }))
	return [
		...connected,
		...through.filter(() => nic.policyRouting).map(route => ({ ...route, table: own })),
		...through.filter(() => nic.defaultRoute).map(route => ({ ...route, table: MAIN, metric: DEFAULT_ROUTE_METRIC + nic.id })),
		...requested,
	].map(route => toRoute(route, link, reachedBy(route, nic)))
}

/**
 * Returns the desired sysctls of a link, `family/key` → value. With several NICs in one network, each must answer ARP only for its own
 * addresses, and a reply may leave through another NIC than strict reverse path filtering expects. A router must not add addresses or
 * routes that the node config does not contain.
 */
export function sysctlsOf({ policyRouting }: WantedInterface): Record<string, string> {
	return { ...(policyRouting && OWN_TRAFFIC), ...NO_ROUTER }
}

type RequestedRoute = { to: string; via?: string | undefined; table: number; metric?: number | undefined }

/**
 * Returns the networks in which the kernel finds a next hop: those of connected routes in the main table, and for IPv6 those in the table
 * of the route. For any other next hop the route needs `onlink`. The kernel rejects such an IPv6 route if the main table reaches the next
 * hop over another link; it never rejects such an IPv4 route.
 */
function reachedBy({ to, table }: RequestedRoute, nic: WantedInterface): string[] {
	return familyOf(to) === 6 && nic.policyRouting && table === tableOf(nic.id, basesOf(nic)) ? cidrsOf(nic) : addressesOf(nic)
}

function toRoute({ to, via, table, metric }: RequestedRoute, link: number, networks: readonly string[]): Route {
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
