import type { Bases } from '../../contract/bases.ts'
import type { Address } from '../model/address.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { isKernelRoute } from '../model/origin.ts'
import type { RecordedLink } from '../model/record.ts'
import { linksOf, type Route, routeKey } from '../model/route.ts'
import type { Released } from '../model/selection.ts'
import { staleAddresses } from './addresses.ts'
import { beforeUs } from './original-network.ts'
import { reachingAfter, staleRoutes } from './routes.ts'

/**
 * A released link after the run: MultiNIC no longer manages it, and it has its original addresses and routes. Decisions based on this state
 * stay valid after the run.
 */

type Leaving = { ours: RecordedLink; link: Link }

/** @returns the host after these links are released, with the addresses and routes that they have then */
export function afterReleases(released: readonly Released[], bases: readonly Bases[], host: HostState): HostState {
	const leaving = released.flatMap(({ ours, link }) => (link ? [{ ours, link }] : []))
	return leaving.reduce((state, one) => afterRelease(one, bases, state), host)
}

/** @returns the addresses of a released link after the run */
export function addressesAfterRelease({ ours, link }: Leaving, host: HostState): Address[] {
	const { addresses } = beforeUs(ours, link, host)
	const back = addresses.map(({ cidr }) => cidr)
	const taken = staleAddresses(link, back, ours)
	const goes = new Set(taken.flatMap(change => (change.kind === 'removeAddress' ? [change.address] : [])))
	return [...link.addresses.filter(address => !goes.has(address) && !back.includes(address.cidr)), ...addresses]
}

function afterRelease(one: Leaving, bases: readonly Bases[], host: HostState): HostState {
	const { ours, link } = one
	const after = { ...link, addresses: addressesAfterRelease(one, host) }
	const routes = ours.original.up
		? routesAfter(one, after, { bases, host })
		: host.routes.filter(route => !linksOf(route).includes(link.ifindex))
	return { ...host, links: host.links.map(other => (other.ifindex === link.ifindex ? after : other)), routes }
}

/** Omits the connected routes of restored addresses: the addresses imply them. */
function routesAfter({ ours, link }: Leaving, after: Link, { bases, host }: { bases: readonly Bases[]; host: HostState }): Route[] {
	const { routes } = beforeUs(ours, link, host)
	const reaching = reachingAfter(after, [], [])
	const stale = staleRoutes(link, { routes, ours, reaching, bases }, host)
	const goes = new Set(stale.flatMap(change => (change.kind === 'removeRoute' ? [change.route] : [])))
	const isOfGone = (route: Route) => linksOf(route).includes(link.ifindex) && isKernelRoute(route, [link]) && !isKernelRoute(route, [after])
	const staying = host.routes.filter(route => !goes.has(route) && !isOfGone(route))
	const present = new Set(staying.map(routeKey))
	return [...staying, ...routes.filter(route => !present.has(routeKey(route)))]
}
