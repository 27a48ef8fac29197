import { ipOf } from '../../contract/ip.ts'
import type { Address } from '../model/address.ts'
import type { Change } from '../model/change.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { isMadeByKernel } from '../model/origin.ts'
import type { NextHopObject, Route } from '../model/route.ts'
import { routesOn } from './routes.ts'

/**
 * Returns additions of what the kernel removes when a link goes down: IPv6 addresses, permanent neighbours, next hop objects, routes of
 * all tables.
 */
export function lostWhenDown(link: Link, host: HostState): Change[] {
	const { ifindex } = link
	const routes = routesOn(link, host)
	const addresses = link.addresses.filter(address => address.family === 6 && !isMadeByKernel(address, link))
	return [
		...addressAdditions(addresses, ifindex, routes),
		...host.neighbours.filter(neighbour => neighbour.link === ifindex).map((neighbour): Change => ({ kind: 'addNeighbour', neighbour })),
		...nextHopObjectsOn(ifindex, host).map((object): Change => ({ kind: 'addNextHop', object })),
		...routes.map((route): Change => ({ kind: 'addRoute', route })),
	]
}

/**
 * The kernel rejects a route whose source is an IPv6 address that is still in duplicate address detection, which takes a second. The host
 * had these addresses before, so such a source is first added with `nodad`, and then with its original flags.
 *
 * @param routes routes that are added after the addresses
 */
export function addressAdditions(addresses: readonly Address[], link: number, routes: readonly Pick<Route, 'source'>[]): Change[] {
	const sources = new Set(routes.map(({ source }) => source))
	return addresses.flatMap(address => {
		const { family, cidr, flags = [] } = address
		const isAsked = family === 6 && !flags.includes('nodad') && sources.has(ipOf(cidr))
		const given: readonly Address[] = isAsked ? [{ ...address, flags: [...flags, 'nodad'] }, address] : [address]
		return given.map((one): Change => ({ kind: 'addAddress', link, address: one }))
	})
}

/**
 * The kernel changes the MTU of an IPv6 route when the MTU of its link changes. @see rt6_mtu_change_route
 *
 * @param routes the desired routes
 * @returns additions of the IPv6 routes with an explicit MTU
 */
export function routesOfMtu(routes: readonly Route[]): Change[] {
	return routes
		.filter(({ family, metrics }) => family === 6 && metrics?.mtu !== undefined)
		.map(route => ({ kind: 'addRoute', route, replace: true }))
}

/** @returns the next hop objects of a link, then the groups that contain one of them: the kernel deletes a group without members */
export function nextHopObjectsOn(ifindex: number, { nextHopObjects = [] }: Pick<HostState, 'nextHopObjects'>): NextHopObject[] {
	const own = nextHopObjects.filter(({ link }) => link === ifindex)
	const ids = new Set(own.map(({ id }) => id))
	return [...own, ...nextHopObjects.filter(({ group }) => group?.some(({ id }) => ids.has(id)))]
}
