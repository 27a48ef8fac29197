import type { Bases } from '../../contract/bases.ts'
import type { Address } from '../model/address.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { isKernelRoute } from '../model/origin.ts'
import type { RecordedLink } from '../model/record.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'
import type { Released } from '../model/selection.ts'
import { staleAddresses } from './addresses.ts'
import { originalNetwork } from './original-network.ts'
import { staleRoutes } from './routes.ts'

/**
 * Predicts the state of released links after the run: MultiNIC no longer manages them, and they have their original addresses and routes.
 * Decisions based on this state remain valid after the run.
 */

type ReleasedLink = { ours: RecordedLink; link: Link }

/** @returns the host as it is after these links are released, with their restored addresses and routes */
export function afterReleases(released: readonly Released[], bases: readonly Bases[], host: HostState): HostState {
	const leaving = released.flatMap(({ ours, link }) => (link ? [{ ours, link }] : []))
	return leaving.reduce((state, one) => afterRelease(one, bases, state), host)
}

/** @returns the addresses of a released link after the run */
export function addressesAfterRelease({ ours, link }: ReleasedLink, host: HostState): Address[] {
	const { addresses } = originalNetwork(ours, link, host)
	const back = addresses.map(({ cidr }) => cidr)
	const taken = staleAddresses(link, back, ours)
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address] : [])))
	return [...link.addresses.filter(address => !goes.has(address) && !back.includes(address.cidr)), ...addresses]
}

function afterRelease(one: ReleasedLink, bases: readonly Bases[], host: HostState): HostState {
	const { ours, link } = one
	const after = { ...link, addresses: addressesAfterRelease(one, host) }
	const routes = ours.original.up
		? routesAfter(one, after, { bases, host })
		: host.routes.filter(route => !linksOf(route).includes(link.ifindex))
	return { ...host, links: host.links.map(other => (other.ifindex === link.ifindex ? after : other)), routes }
}

/** Omits the connected routes of restored addresses: the addresses imply them. */
function routesAfter({ ours, link }: ReleasedLink, after: Link, { bases, host }: { bases: readonly Bases[]; host: HostState }): Route[] {
	const { routes } = originalNetwork(ours, link, host)
	const remaining = after.addresses.map(({ cidr }) => cidr)
	const stale = staleRoutes(link, { routes, ours, remaining, bases }, host)
	const goes = new Set(stale.flatMap(change => (change.kind === 'removeRoute' ? [change.route] : [])))
	const isOfGone = (route: Route) => isKernelRoute(route, [link]) && !isKernelRoute(route, [after])
	const staying = host.routes.filter(route => !goes.has(route) && !isOfGone(route))
	const present = new Set(staying.map(routeKey))
	return [...staying, ...routes.filter(route => !present.has(routeKey(route)))]
}
