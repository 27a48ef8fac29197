import { ipOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Change } from '../model/change.ts'
import { ruleKey } from '../model/desired-rules.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { full, hasNetwork } from '../model/networks.ts'
import { connectedRoute, isKernelRoute, isRouteless, KERNEL } from '../model/origin.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'
import type { Selection } from '../model/selection.ts'
import { LOCAL, LOCAL_TABLE } from './own-packets.ts'
import { phasesOf } from './phases.ts'

/** RT_SCOPE number of routes that stay on this host. @see rtnetlink(7) */
const HOST_SCOPE = 254

/**
 * Predicts the links, rules and routes after a selection is applied: what it requests, and what the kernel adds.
 *
 * @returns the host itself if they do not change
 */
export function predictedHost(selection: Selection, host: HostState): Pick<HostState, 'links' | 'routes' | 'rules'> {
	const { accepted, released } = selection
	const { take, give, leave } = phasesOf(selection, host)
	const changes = [...take, ...give, ...leave].map(({ change }) => change)
	if (changes.length === 0 && accepted.every(({ link }) => link.up) && released.length === 0) return host
	const owners = [
		...accepted.map(({ link }) => ({ link, up: true })),
		...released.map(({ link, ours }) => ({ link, up: ours.original.up })),
	]
	const upAfter = new Map(owners.flatMap(({ link, up }) => (link ? [[link.ifindex, up] as const] : [])))
	const links = host.links.map(link => {
		const up = upAfter.get(link.ifindex)
		return up === undefined ? link : { ...link, up, addresses: addressesAfter(link, changes) }
	})
	return {
		links,
		rules: rulesAfter(host, changes),
		routes: routesAfter(
			host,
			changes,
			links.filter(({ ifindex }) => upAfter.has(ifindex)),
		),
	}
}

/** A run may add an address twice, first with other attributes: the last ones apply. A link may have an address once for each peer. */
function addressesAfter(link: Link, changes: readonly Change[]): Address[] {
	const ofLink = changes.flatMap(change => ('address' in change && change.link === link.ifindex ? [change] : []))
	const given = ofLink.flatMap(({ kind, address }) => (kind === 'addAddress' ? [address] : []))
	const last = new Map(given.map(address => [`${address.cidr} ${address.peer}`, address]))
	const replaced = new Set(ofLink.map(({ address }) => address.cidr))
	return [...link.addresses.filter(({ cidr }) => !replaced.has(cidr)), ...last.values()]
}

function rulesAfter({ rules }: HostState, changes: readonly Change[]): HostState['rules'] {
	const ofRules = changes.flatMap(change => ('rule' in change ? [change] : []))
	const gone = new Set(ofRules.flatMap(({ kind, rule }) => (kind === 'removeRule' ? [ruleKey(rule)] : [])))
	const given = ofRules.flatMap(({ kind, rule }) => (kind === 'addRule' ? [rule] : []))
	return [...rules.filter(rule => !gone.has(ruleKey(rule))), ...given]
}

function routesAfter(host: HostState, changes: readonly Change[], links: readonly Link[]): Route[] {
	const ofRoutes = changes.flatMap(change => ('route' in change ? [change] : []))
	const given = ofRoutes.flatMap(({ kind, route }) => (kind === 'addRoute' ? [route] : []))
	const replaced = new Set(ofRoutes.map(({ route }) => routeKey(route)))
	const changed = new Map(links.map(({ ifindex, up }) => [ifindex, up]))
	const stays = (route: Route) => {
		const isChanged = linksOf(route).some(link => changed.has(link))
		const isMade = isChanged && isKernelRoute(route, host.links)
		const isDown = isChanged && linksOf(route).every(link => changed.get(link) === false)
		return !isMade && !isDown && !replaced.has(routeKey(route))
	}
	return [
		...host.routes.filter(stays),
		...links.filter(({ up }) => up).flatMap(link => [...connectedRoutes(link), ...localRoutes(link)]),
		...given,
	]
}

/** @returns the routes that the kernel adds to the main table for the addresses of a link */
export function connectedRoutes({ ifindex, addresses }: Pick<Link, 'ifindex' | 'addresses'>): Route[] {
	return addresses.filter(address => hasNetwork(address.cidr) && !isRouteless(address)).map(address => connectedRoute(address, ifindex))
}

/** @returns the routes that the kernel adds to the local table for the addresses of a link */
export function localRoutes({ ifindex, addresses }: Pick<Link, 'ifindex' | 'addresses'>): Route[] {
	const common = { link: ifindex, table: LOCAL_TABLE, metric: 0, protocol: KERNEL, type: LOCAL, scope: HOST_SCOPE, onlink: false }
	return addresses.map(({ family, cidr }) => ({ ...common, family, to: `${ipOf(cidr)}/${full(cidr)}` }))
}
