import { lengthOf } from '../../contract/ip.ts'
import type { Family } from './host-state.ts'
import { linksOf, MAIN, type Route } from './route.ts'

/** The routes of the main table over which a node reaches destinations outside its networks. */

/**
 * @returns the best route to each network that is all or half of the address space. Routes to halves take precedence over a default route,
 * but the tunnel that they usually lead to still needs the default route
 */
export function bestDefaults(routes: readonly Route[], family: Family): Route[] {
	const outward = routes.filter(
		({ family: version, table, type, to }) => version === family && table === MAIN && type === 1 && lengthOf(to) <= 1,
	)
	const networks = new Set(outward.map(({ to }) => to))
	return [...networks].flatMap(network => bestOf(outward.filter(({ to }) => to === network)))
}

/** Among equal IPv4 routes the kernel uses the one that it lists first; among equal IPv6 routes it may use any. */
function bestOf(routes: readonly Route[]): Route[] {
	const [best, ...others] = routes.toSorted((a, b) => a.metric - b.metric)
	if (!best) return []
	return [best, ...others.filter(({ family, metric }) => family === 6 && metric === best.metric)]
}

/**
 * @returns the first link of the best IPv4 default route, or else of the best IPv6 one; routes to halves of the address space are ignored
 */
export function primaryLink(routes: readonly Route[]): number | undefined {
	const defaults = ([4, 6] as const).flatMap(family => bestDefaults(routes, family)).filter(({ to }) => lengthOf(to) === 0)
	return defaults.flatMap(linksOf)[0]
}
