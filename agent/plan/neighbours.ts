import { contains, ipOf, lengthOf, networkOf } from '../../contract/ip.ts'
import type { Family, HostState } from '../model/host-state.ts'
import { hasNetwork, isLinkLocal } from '../model/networks.ts'
import { UNICAST } from '../model/origin.ts'
import { gatewaysOf, linksOf, type Route } from '../model/route.ts'
import { LOCAL_TABLE } from './own-packets.ts'
import { addressIn } from './sample-address.ts'
import { inTurns } from './take-turns.ts'

/** Finds sample addresses that are reached over links that a run does not change, directly or over next hops. */

/** Maximum number of similar host routes, such as routes to pods, and of similar routes through next hops. */
const MOST_ALIKE = 16
/** Maximum number of these routes of all kinds. */
const MOST = 128

/** `pods`: pod networks; the run has separate rules for these. */
type Known = { touched: ReadonlySet<number>; taken: ReadonlySet<string>; pods: readonly string[] }
export type Neighbour = { ip: string; link: number }

/**
 * @returns one address in each network that a route of any table attaches to a link that the run does not change; never an address of this
 * host
 */
export function neighbours(family: Family, host: HostState, known: Known): Neighbour[] {
	const onLink = routesOf(family, host, known).filter(route => gatewaysOf(route).length === 0 && !route.nextHops)
	const alone = firstOfEach(
		onLink.filter(({ to }) => !hasNetwork(to)),
		({ to }) => kindOf(to, known),
	)
	return [...onLink.filter(({ to }) => hasNetwork(to)), ...alone].flatMap(route => sampleOf(route, known))
}

/**
 * Returns addresses that are reached over next hops on links that the run does not change, such as addresses of pods on other nodes. If
 * such a link has no address, the kernel chooses a source address of another link, which the run may change.
 */
export function distant(family: Family, host: HostState, known: Known): Neighbour[] {
	const through = routesOf(family, host, known).filter(route => gatewaysOf(route).length > 0 && lengthOf(route.to) > 1)
	const kind = (route: Route) => `${linksOf(route)} ${route.source} ${route.table} ${kindOf(route.to, known)}`
	return firstOfEach(through, kind).flatMap(route => sampleOf(route, known))
}

function routesOf(family: Family, { routes }: HostState, { touched }: Known): Route[] {
	return routes.filter(route => {
		const isLeading = route.family === family && route.table !== LOCAL_TABLE && route.type === UNICAST
		return isLeading && !linksOf(route).some(link => touched.has(link)) && !isLinkLocal(route.to)
	})
}

function sampleOf(route: Route, { taken }: Known): Neighbour[] {
	const [link] = linksOf(route)
	const ip = route.to.endsWith('/0') ? undefined : addressIn(route.to, taken)
	return ip === undefined || link === undefined ? [] : [{ ip, link }]
}

/**
 * Groups addresses by /16 (IPv6: /48), because a pool of addresses is rarely wider, and by pod network, because the rules of a run
 * distinguish these.
 */
function kindOf(to: string, { pods }: Known): string {
	const wide = networkOf(`${ipOf(to)}/${to.includes(':') ? 48 : 16}`)
	return String([wide, ...pods.filter(network => contains(network, ipOf(to)))])
}

/** Returns a few routes of each kind, interleaved so that no kind crowds out the others. */
function firstOfEach(routes: readonly Route[], kind: (route: Route) => string): Route[] {
	const kinds = new Map<string, Route[]>()
	for (const route of routes) {
		const key = kind(route)
		const alike = kinds.get(key) ?? []
		if (alike.length < MOST_ALIKE) kinds.set(key, [...alike, route])
	}
	return [...inTurns<Route>(kinds.values())].slice(0, MOST)
}
