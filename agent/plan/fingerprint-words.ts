import { addressToAdd } from '../ip/format-address.ts'
import { neighbourToAdd, nextHopObjectToAdd, routeToAdd } from '../ip/format-route.ts'
import type { Address } from '../model/address.ts'
import type { Neighbour } from '../model/host-state.ts'
import type { NextHopObject, Route } from '../model/route.ts'

/**
 * Describes addresses, routes and neighbours by the commands that would restore them, so that the comparison is as precise as the
 * restoration. Omits lifetimes, because they count down. Omits the link name where it is redundant, so that a renamed link is one loss and
 * not one per neighbour.
 */

export type Names = (ifindex: number) => string

/** @returns `10.0.0.23/24 metric 200 noprefixroute on ens7, a lease` */
export function addressDetails({ validSeconds: _, preferredSeconds: __, ...address }: Address, name: string): string {
	const words = addressToAdd(address, 0, () => name)
	return words.replace('addr replace ', '').replace(' dev ', ' on ') + (address.dynamic ? ', a lease' : '')
}

/** @returns `10.1.0.0/16 via 10.0.0.1 table 254 metric 100 proto 16` */
export function routeDetails({ expiresSeconds: _, ...route }: Route, names: Names): string {
	return routeToAdd(route, names).replaceAll(/( via (?:inet6 )?\S+) dev \S+/g, '$1')
}

/** @returns `10.0.0.9 lladdr 02:… nud permanent` */
export function neighbourDetails(neighbour: Neighbour): string {
	return neighbourToAdd(neighbour)
		.replace('neigh replace ', '')
		.replace(/ dev \S+/, '')
}

/** @returns `id 7 via 10.0.0.1 dev ens7` */
export function nextHopDetails(object: NextHopObject, names: Names): string {
	return nextHopObjectToAdd(object, names).replace('nexthop replace ', '')
}
