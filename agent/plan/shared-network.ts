import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, contains, ipOf, isInside, lengthOf, networkOf, overlap } from '../../contract/ip.ts'
import { showRoutes } from '../ip/show-commands.ts'
import type { Address } from '../model/address.ts'
import type { Cause } from '../model/check.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { familyOf, full, hasNetwork, networksOf } from '../model/networks.ts'
import { gatewaysOf, linksOf, MAIN, type Route } from '../model/route.ts'
import type { Protected } from './limit-checks.ts'
import { isSending, loneIp } from './lone-address.ts'
import { METADATA_SERVICE } from './metadata-address.ts'

/**
 * Decides which interface keeps the connected route of its network in the main table. The main table belongs to the node: if the node
 * reaches that network by another route, the connected route must not take precedence.
 */

export type SharingInput = {
	/** All desired interfaces, including those that this run cannot configure, so that the result does not depend on which of them fail. */
	interfaces: readonly WantedInterface[]
	host: HostState
	/** ifindexes of the links that are, or will be, managed by MultiNIC. */
	own: ReadonlySet<number>
	/** Addresses that the node needs: API server, nameservers. Host names are ignored. */
	needed: readonly string[]
	/** Addresses that Kubernetes lists for the node. */
	nodeAddresses: readonly string[]
	/** Networks of the cluster, each with a description. */
	protectedNetworks: readonly Protected[]
}

/** Something over which a connected route must not take precedence. */
type Obstacle = Cause & { meets(network: string): boolean }

/** @returns id → why the connected route of this interface must not be in the main table */
export function sharings({ interfaces, host, ...input }: SharingInput): Map<number, Cause> {
	const candidates = interfaces.filter(({ connectedRoute }) => connectedRoute).toSorted(byNeed)
	const networks = [...new Set(candidates.flatMap(networksOf))]
	const routes = host.routes.filter(({ table }) => table === MAIN)
	const foreign = obstaclesOf({ ...input, links: host.links, routes, networks })
	const found = new Map<number, Cause>()
	const first: Obstacle[] = []
	for (const nic of candidates) {
		const obstacle = [...foreign, ...first].find(({ meets }) => networksOf(nic).some(meets))
		if (obstacle) found.set(nic.id, { says: obstacle.says, see: obstacle.see })
		else first.push(...networksOf(nic).map(network => ownNetwork(nic, network)))
	}
	return found
}

/** Interfaces without their own table come first, because they have no other table for their network; then the lowest id. */
function byNeed(a: WantedInterface, b: WantedInterface): number {
	return Number(a.policyRouting) - Number(b.policyRouting) || a.id - b.id
}

function ownNetwork({ name }: WantedInterface, network: string): Obstacle {
	return { meets: other => overlap(network, other), says: `${name} is also in ${network}`, see: showing(network) }
}

/** `routes`: the routes of the main table. `networks`: the networks of all desired interfaces. */
type SharingNode = Pick<HostState, 'links' | 'routes'> & Omit<SharingInput, 'interfaces' | 'host'> & { networks: readonly string[] }

function obstaclesOf(node: SharingNode): Obstacle[] {
	return [...networksOfLinks(node), ...foreignRoutes(node), ...pathsOfNode(node), ...networksOfCluster(node), TOO_WIDE]
}

/**
 * Private ranges, each with the shortest prefix length with which a network keeps its connected route.
 * @see RFC 1918, RFC 6598, RFC 4193
 */
const PRIVATE: readonly [range: string, widest: number][] = [
	['10.0.0.0/8', 8],
	['172.16.0.0/12', 12],
	['192.168.0.0/16', 16],
	['100.64.0.0/10', 10],
	['fc00::/7', 32],
]
/** The same for all other networks, by family. */
const WIDEST = { 4: 16, 6: 48 } as const

/** With a connected route to such a network, the node would send packets for many unrelated hosts into the network of the port. */
const TOO_WIDE: Obstacle = {
	meets: network => lengthOf(network) < (PRIVATE.find(([range]) => isInside(network, range))?.[1] ?? WIDEST[familyOf(network)]),
	says: 'the network is too wide for the main table',
	see: 'ip route show',
}

function networksOfCluster({ protectedNetworks }: SharingNode): Obstacle[] {
	return protectedNetworks.map(({ network, what }) => ({
		meets: other => overlap(network, other),
		says: `the network overlaps ${network}, ${what}`,
		see: showing(network),
	}))
}

function networksOfLinks({ links, own, nodeAddresses }: SharingNode): Obstacle[] {
	const known = new Set(nodeAddresses.map(canonicalIp))
	const foreign = links.filter(({ ifindex }) => !own.has(ifindex))
	return foreign.flatMap(link =>
		link.addresses.map(address => {
			const lone = loneIp(address)
			const isSource = lone !== undefined && (known.has(lone) || isSending(link, own))
			const network = reached(address)
			const meets = (other: string) => (hasNetwork(network) && overlap(network, other)) || (isSource && contains(other, lone))
			return { meets, says: `${link.name} has ${shown(address)}`, see: `ip addr show dev ${link.name}` }
		}),
	)
}

function shown({ cidr, peer }: Address): string {
	return peer === undefined ? cidr : `${cidr} with peer ${peer}`
}

/** On a point-to-point link the prefix length applies to the peer. */
function reached({ cidr, peer }: Address): string {
	return networkOf(peer === undefined ? cidr : `${peer}/${lengthOf(cidr)}`)
}

/** A connected route takes precedence over a host route, or a route through a next hop, only if its prefix is as long or longer. */
function foreignRoutes({ routes, links, own, networks }: SharingNode): Obstacle[] {
	const around = routesAround(networks, routes)
	return routes
		.filter(route => (around.has(route) || isOnLink(route)) && lengthOf(route.to) > 1 && isForeign(route, own))
		.map(route => ({
			meets: network => (isOnLink(route) ? overlap(route.to, network) : isInside(network, route.to)),
			says: `the main table has a route to ${route.to}${over(route, links)}`,
			see: showing(route.to),
		}))
}

/** @returns the routes whose destinations contain one of these networks. Compares strings, because a node may have 100,000 routes */
function routesAround(networks: readonly string[], routes: readonly Route[]): Set<Route> {
	const lengths = [...new Set(routes.map(({ to }) => lengthOf(to)))]
	const wider = networks.flatMap(network =>
		lengths.filter(length => length <= lengthOf(network)).map(length => networkOf(`${ipOf(network)}/${length}`)),
	)
	const texts = new Set(wider)
	return new Set(routes.filter(({ to }) => texts.has(to)))
}

function isOnLink(route: Route): boolean {
	return gatewaysOf(route).length === 0 && route.type === 1 && linksOf(route).length === 1 && hasNetwork(route.to)
}

/** If the node reaches an address by a default route, any connected route that contains the address would take precedence. */
function pathsOfNode({ links, routes, own, networks, needed }: SharingNode): Obstacle[] {
	const hops = routes.filter(route => isForeign(route, own)).flatMap(gatewaysOf)
	const known = new Set([...needed, ...METADATA_SERVICE, ...hops.map(({ ip }) => ip)])
	const ips = [...known].filter(ip => networks.some(network => contains(network, ip)))
	const held = new Set(links.flatMap(({ addresses }) => addresses.map(({ cidr }) => ipOf(cidr))))
	return ips
		.filter(ip => !held.has(ip))
		.flatMap(ip => {
			const best = bestOf(routesAround([`${ip}/${full(ip)}`], routes))
			if (!best || !isForeign(best, own)) return []
			const meets = (network: string) => contains(network, ip) && lengthOf(best.to) <= lengthOf(network)
			return [{ meets, says: `this node reaches ${ip}${over(best, links)}`, see: `ip route get ${ip}` }]
		})
}

function bestOf(routes: ReadonlySet<Route>): Route | undefined {
	return [...routes].toSorted((a, b) => lengthOf(b.to) - lengthOf(a.to) || a.metric - b.metric)[0]
}

function isForeign(route: Route, own: ReadonlySet<number>): boolean {
	const links = linksOf(route)
	return links.length === 0 || links.some(link => !own.has(link))
}

/** @returns ` via 10.0.0.1 over mgmt`: the next hop and the links of a route, if it has them */
export function over(route: Route, links: readonly Link[]): string {
	const used = linksOf(route)
	const names = links.filter(({ ifindex }) => used.includes(ifindex)).map(({ name }) => name)
	return `${route.via === undefined ? '' : ` via ${route.via}`}${names.length > 0 ? ` over ${names.join(' and ')}` : ''}`
}

function showing(network: string): string {
	return showRoutes(familyOf(network), network)
}
