import type { Address } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/host-state.ts'
import { familyOf, full, isLinkLocal } from '../../../agent/model/networks.ts'
import { plainMetric, type Route } from '../../../agent/model/route.ts'

/** Addresses, routes and rules, with default values for the fields that a test does not set. */

export function address(cidr: string, more: Partial<Address> = {}): Address {
	return { family: familyOf(cidr), cidr, global: !isLinkLocal(cidr), dynamic: false, ...more }
}

/** A static unicast route in the main table. */
export function route(to: string, more: Partial<Route> = {}): Route {
	const family = familyOf(to)
	return { family, to, table: 254, metric: plainMetric(family), protocol: 4, type: 1, scope: 0, onlink: false, ...more }
}

/** A route with several next hops, one over each of these links. */
export function routeOver(to: string, links: readonly number[], more: Partial<Route> = {}): Route {
	return route(to, { nextHops: links.map(link => ({ via: `10.${link}.0.1`, link, weight: 1, onlink: false })), ...more })
}

/** A route to an address of the host itself, in the local table. */
export function localRoute(ip: string, link: number, more: Partial<Route> = {}): Route {
	return route(`${ip}/${full(ip)}`, { link, table: 255, protocol: 2, type: 2, scope: 254, ...more })
}

/** By default, a rule that looks up the main table for every packet of its family. */
export function rule(priority: number, more: Partial<Rule> = {}): Rule {
	const { family = 4, table = 254 } = more
	return { family, priority, from: family === 4 ? '0.0.0.0/0' : '::/0', table, plain: true, words: `from all lookup ${table}`, ...more }
}
