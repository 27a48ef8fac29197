import type { WantedInterface } from '../../contract/interface.ts'
import { contains, ipOf, lengthOf, networkOf, overlap } from '../../contract/ip.ts'
import { showRoutes } from '../ip/show-commands.ts'
import { tableWord } from '../ip/table-names.ts'
import { basesOf, tableOf } from '../model/bases.ts'
import type { Cause, Refusal, RefusalCheck } from '../model/check.ts'
import { routesOf } from '../model/desired-network.ts'
import type { HostState } from '../model/host-state.ts'
import { familyOf, hasNetwork, networksOf } from '../model/networks.ts'
import { isRejecting, KERNEL } from '../model/origin.ts'
import { linksOf, MAIN, type Route } from '../model/route.ts'
import type { Placed, Selection } from '../model/selection.ts'
import { afterReleases } from './after-release.ts'
import { routesBesideOwnTable } from './limit-checks.ts'
import { ownLinks } from './own-links.ts'
import { over, sharings } from './shared-network.ts'
import type { Wanted } from './wanted.ts'

/** Checks for interfaces whose network is shared with another link. */

export const inNoTable: RefusalCheck<Placed> = {
	reason: 'InUse',
	when: 'the interface has `policyRouting: false`, and its network is also that of another link or route, or contains the API server, a nameserver or the metadata service, which the node reaches over another link',
	see: 'ip addr show dev ens3',
	find({ accepted: { nic }, selection }) {
		const sharing = nic.policyRouting ? undefined : selection.shared.get(nic.id)
		if (!sharing) return
		const says = `${sharing.says}, so the network of ${nic.name} cannot be in the main table, and without policyRouting there is no other table for it: set policyRouting to true`
		return { says, see: sharing.see }
	},
}

/**
 * The kernel rejects an IPv6 next hop that the main table reaches over another link, with or without `onlink`. It ignores a route that
 * rejects packets, and one whose destination begins at `::`, such as a default route. @see ip6_route_check_nh_onlink
 */
export const nextHopElsewhere: RefusalCheck<Placed> = {
	reason: 'InUse',
	when: 'an IPv6 route outside its own table has a next hop that the main table reaches over another link',
	see: 'ip -6 route get fd00::1',
	find({ accepted: { nic, link }, selection, host }) {
		for (const { family, to, via, table, onlink } of routesOf(nic, link.ifindex)) {
			const holder = family === 6 && onlink && via !== undefined ? holderOf(via, link.ifindex, { selection, host }) : undefined
			if (holder === undefined) continue
			const says = `${via} is requested as the next hop of ${to} in table ${tableWord(table)} over ${nic.name}, but the main table reaches it over ${holder}`
			return { says, see: `ip -6 route get ${via}` }
		}
	},
}

/**
 * Refuses an overlap even if the other route is more specific and takes precedence, because that route may disappear. Checks every
 * network, because a limited number of samples may miss one.
 */
export const meetsRouteOfOthers: RefusalCheck<Placed> = {
	reason: 'InUse',
	when: 'one of its routes outside its own table overlaps the network of a link that MultiNIC does not manage, or a route over one',
	see: 'ip route show 10.244.1.0/24',
	find({ accepted: { nic }, selection, host }) {
		const requested = routesBesideOwnTable(nic)
		if (requested.length === 0) return
		const known = networksOfOthers(ownLinks(selection, host), afterReleases(selection.released, selection.bases, host))
		for (const { to, table } of requested) {
			const met = known.find(network => overlap(network, to))
			if (met === undefined) continue
			const says = `the route to ${to} in table ${tableWord(table)} overlaps ${met}, which this node reaches over another link`
			return { says, see: showRoutes(familyOf(met), met) }
		}
	},
}

/** Returns the networks of foreign links and of routes over them, except default routes and halves of them. */
function networksOfOthers(own: ReadonlySet<number>, { links, routes }: HostState): string[] {
	const isForeign = (used: readonly number[]) => used.length > 0 && used.every(link => !own.has(link))
	const addresses = links.filter(({ ifindex }) => !own.has(ifindex)).flatMap(link => link.addresses)
	const reached = routes.filter(route => route.table === MAIN && lengthOf(route.to) > 1 && isForeign(linksOf(route)))
	const cidrs = addresses.map(({ cidr }) => cidr).filter(hasNetwork)
	return [...cidrs.map(networkOf), ...reached.map(({ to }) => to)]
}

function holderOf(hop: string, own: number, { selection, host }: { selection: Selection; host: HostState }): string | undefined {
	const ours = selection.accepted.find(({ nic }) => nic.connectedRoute && networksOf(nic).some(network => contains(network, hop)))
	if (ours) return ours.nic.name
	// A kernel route for an address of an accepted link is removed with the address, or belongs to a network checked above.
	const accepted = new Set<number | undefined>(selection.accepted.map(({ link }) => link.ifindex))
	const isOfAccepted = ({ protocol, link }: Route) => protocol === KERNEL && accepted.has(link)
	const isToward = ({ table, to }: Route) => table === MAIN && ipOf(to) !== '::' && contains(to, hop)
	const routes = host.routes.filter(route => isToward(route) && !isOfAccepted(route))
	const [best] = routes.toSorted((a, b) => lengthOf(b.to) - lengthOf(a.to) || a.metric - b.metric)
	return best && !isRejecting(best) && !linksOf(best).includes(own) ? over(best, host.links).replace(/.* over /, '') : undefined
}

/** @returns the selection, in which an interface has a connected route only if it requests one and may keep it */
export function withSharing(
	selection: Selection,
	{
		interfaces,
		nodeAddresses,
		needed = [],
		protectedNetworks = [],
	}: Pick<Wanted, 'interfaces' | 'nodeAddresses' | 'needed' | 'protectedNetworks'>,
	host: HostState,
): Selection {
	const after = afterReleases(selection.released, selection.bases, host)
	const shared = sharings({ interfaces, host: after, own: ownLinks(selection, host), needed, nodeAddresses, protectedNetworks })
	const keeps = new Set(interfaces.flatMap(({ id, connectedRoute }) => (connectedRoute && !shared.has(id) ? [id] : [])))
	const accepted = selection.accepted.map(one => ({ ...one, nic: { ...one.nic, connectedRoute: keeps.has(one.nic.id) } }))
	return { ...selection, accepted, shared }
}

/** @returns the warning for an interface that is configured without a connected route */
export function sharingWarning({ says, see }: Cause, nic: Pick<WantedInterface, 'id' | 'bases'>): Refusal {
	const message = `${says}, so the network of this interface is in table ${tableOf(nic.id, basesOf(nic))} only and not in the main table (${see})`
	return { reason: 'SharedNetwork', message }
}
