import { parseIp } from '../../contract/ip.ts'
import { showRoutes } from '../ip/show-commands.ts'
import type { Check } from '../model/check.ts'
import { bestDefaults } from '../model/default-routes.ts'
import { ROUTER } from '../model/desired-network.ts'
import type { Family } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { linksOf, type Route } from '../model/route.ts'
import type { Question } from './preflight-input.ts'

/** Routes over a link that do not belong to this link alone. */

/**
 * A NIC managed by MultiNIC may carry one, because MultiNIC added it. A route that only a router announced is taken over like a lease,
 * unless the node needs it.
 */
export const holdsDefaultRoute: Check<Question> = {
	reason: 'InUse',
	when: 'the NIC is not managed by MultiNIC yet and carries a best default route of the node, alone or as one of several next hops: a static one or one by DHCP, or one by a router of the family of the InternalIP or the API server',
	see: 'ip route show default',
	find(question) {
		const { link, ours } = question
		const family = ours ? undefined : ([4, 6] as const).find(version => isNeeded(version, question))
		if (family === undefined) return
		return { says: `${link.name} carries the default route of this node`, see: showRoutes(family, 'default') }
	},
}

function isNeeded(family: Family, question: Question): boolean {
	const { link, host } = question
	const carried = bestDefaults(host.routes, family).filter(route => linksOf(route).includes(link.ifindex))
	return carried.some(route => !isOfRouter(route) || (isLivedBy(family, question) && !hasTwin(route, question)))
}

/** Whether the route comes from a router advertisement and uses this link alone. */
function isOfRouter(route: Route): boolean {
	return route.protocol === ROUTER && linksOf(route).length === 1
}

/** Whether Kubernetes knows the node by an address of this family, or the API server has one, or no other family leads outside. */
function isLivedBy(family: Family, { link, host, nodeAddresses, apiServer }: Question): boolean {
	const known = [...nodeAddresses, ...(apiServer === undefined ? [] : [apiServer])].filter(ip => parseIp(ip) !== undefined)
	if (known.length === 0 || known.some(ip => familyOf(ip) === family)) return true
	return !bestDefaults(host.routes, family === 4 ? 6 : 4).some(route => linksOf(route).some(other => other !== link.ifindex))
}

/** Whether a link not managed by MultiNIC has an equal route, as from a router that announces itself on several links. */
function hasTwin({ family, to }: Route, { host, own }: Question): boolean {
	return bestDefaults(host.routes, family).some(route => route.to === to && linksOf(route).every(link => !own.has(link)))
}

/** The kernel removes a next hop with its link, or the whole route: another link would carry the traffic of this one. */
export const sharesRoute: Check<Question> = {
	reason: 'InUse',
	when: 'the NIC is not managed by MultiNIC yet and is one of several next hops of a route, together with a link that is not requested',
	see: 'ip route show 10.50.0.0/16 table all',
	find({ link, host, ours, own }) {
		const shared = host.routes.find(route => {
			const links = linksOf(route)
			return links.includes(link.ifindex) && links.some(other => !own.has(other))
		})
		if (ours || !shared) return
		const names = host.links.flatMap(({ ifindex, name }) => (linksOf(shared).includes(ifindex) ? [name] : []))
		const see = showRoutes(shared.family, `${shared.to} table all`)
		return { says: `the route to ${shared.to} leads over ${names.join(' and ')}`, see }
	},
}
