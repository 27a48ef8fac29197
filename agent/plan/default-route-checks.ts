import { parseIp } from '../../contract/ip.ts'
import { showRoutes } from '../ip/show-commands.ts'
import type { RefusalCheck } from '../model/check.ts'
import { bestDefaults } from '../model/default-routes.ts'
import { ROUTER } from '../model/desired-network.ts'
import type { Family } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { linksOf, type Route } from '../model/route.ts'
import type { PreflightInput } from './preflight-input.ts'

/** Checks for routes over a link that the node needs or that other links share. */

/**
 * A NIC managed by MultiNIC may have a default route, because MultiNIC may have added it. On any other NIC, a default route from a router
 * advertisement is removed like a lease, unless the node needs it.
 */
export const holdsDefaultRoute: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the NIC is not managed by MultiNIC yet and has a best default route of the node, alone or as one of several next hops: a static route, one from DHCP, or one from a router advertisement in the address family of the InternalIP or the API server',
	see: 'ip route show default',
	find(question) {
		const { link, ours } = question
		const family = ours ? undefined : ([4, 6] as const).find(version => isNeeded(version, question))
		if (family === undefined) return
		return { says: `${link.name} has the default route of this node`, see: showRoutes(family, 'default') }
	},
}

function isNeeded(family: Family, question: PreflightInput): boolean {
	const { link, host } = question
	const carried = bestDefaults(host.routes, family).filter(route => linksOf(route).includes(link.ifindex))
	return carried.some(route => !isOfRouter(route) || (isLivedBy(family, question) && !hasTwin(route, question)))
}

/** Whether the route comes from a router advertisement and uses only this link. */
function isOfRouter(route: Route): boolean {
	return route.protocol === ROUTER && linksOf(route).length === 1
}

/**
 * Whether the node depends on this family: it is the family of a node address or of the API server, no such address is known, or the other
 * family has no default route over another link.
 */
function isLivedBy(family: Family, { link, host, nodeAddresses, apiServer }: PreflightInput): boolean {
	const known = [...nodeAddresses, apiServer].flatMap(ip => (ip !== undefined && parseIp(ip) ? [ip] : []))
	if (known.length === 0 || known.some(ip => familyOf(ip) === family)) return true
	return !bestDefaults(host.routes, family === 4 ? 6 : 4).some(route => linksOf(route).some(other => other !== link.ifindex))
}

/**
 * Whether a link not managed by MultiNIC has a default route to the same network, such as from a router that advertises itself on several
 * links.
 */
function hasTwin({ family, to }: Route, { host, own }: PreflightInput): boolean {
	return bestDefaults(host.routes, family).some(route => route.to === to && linksOf(route).every(link => !own.has(link)))
}

/** If this link is changed, the kernel removes its next hop or the whole route, so the other links would carry all the traffic. */
export const sharesRoute: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the NIC is not managed by MultiNIC yet and is one of several next hops of a route, together with a link that no interface requests',
	see: 'ip route show 10.50.0.0/16 table all',
	find({ link, host, ours, own }) {
		const shared = host.routes.find(route => {
			const links = linksOf(route)
			return links.includes(link.ifindex) && links.some(other => !own.has(other))
		})
		if (ours || !shared) return
		const names = host.links.flatMap(({ ifindex, name }) => (linksOf(shared).includes(ifindex) ? [name] : []))
		const see = showRoutes(shared.family, `${shared.to} table all`)
		return { says: `the route to ${shared.to} uses ${names.join(' and ')}`, see }
	},
}
