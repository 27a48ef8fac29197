import type { HostState, Link, NextHopObject } from '../host/state.ts'
import { isMadeByKernel } from './origin.ts'
import { routesOn } from './routes.ts'
import type { Change } from './steps.ts'

/** What the kernel forgets of a link while it is down: IPv6 addresses, permanent neighbours, next hop objects, routes of every table. */
export function forgottenByDown(link: Link, host: HostState): Change[] {
	const { ifindex, addresses } = link
	return [
		...addresses
			.filter(address => address.family === 6 && !isMadeByKernel(address, link))
			.map((address): Change => ({ kind: 'addAddress', link: ifindex, address })),
		...host.neighbours.filter(neighbour => neighbour.link === ifindex).map((neighbour): Change => ({ kind: 'addNeighbour', neighbour })),
		...nextHopObjectsOn(ifindex, host).map((object): Change => ({ kind: 'addNextHop', object })),
		...routesOn(link, host).map((route): Change => ({ kind: 'addRoute', route })),
	]
}

/** @returns objects of a link, then the groups that one of them is a member of: a group without members is gone */
export function nextHopObjectsOn(ifindex: number, { nextHopObjects = [] }: Pick<HostState, 'nextHopObjects'>): NextHopObject[] {
	const own = nextHopObjects.filter(({ link }) => link === ifindex)
	const ids = new Set(own.map(({ id }) => id))
	return [...own, ...nextHopObjects.filter(({ group }) => group?.some(({ id }) => ids.has(id)))]
}
