import { expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Neighbour } from '../../../agent/model/host-state.ts'
import type { NextHopObject, Route } from '../../../agent/model/route.ts'
import { addressDetails, neighbourDetails, nextHopDetails, routeDetails } from '../../../agent/plan/fingerprint-words.ts'
import { addressOf, routeOf } from './selected.ts'

/** Objects as arguments of the command that would restore them. Every link here has the name `ens` and its index. */

const names = (ifindex: number) => `ens${ifindex}`
const lease: Address = addressOf('10.0.0.23/24', {
	dynamic: true,
	validSeconds: 60,
	preferredSeconds: 30,
	metric: 200,
	flags: ['noprefixroute'],
})
const { link: _, ...several } = routeOf('10.1.0.0/16', {
	nextHops: [3, 4].map(link => ({ via: `10.${link}.0.1`, link, weight: 1, onlink: false })),
	scope: 0,
})

test.each<[address: Address, words: string]>([
	[addressOf('10.0.0.23/24'), '10.0.0.23/24 on ens3'],
	[lease, '10.0.0.23/24 metric 200 noprefixroute on ens3, a lease'],
	[addressOf('fd00::5/64', { protocol: 18 }), 'fd00::5/64 on ens3 proto 18'],
])('an address without its lifetime: %j', (address, words) => {
	expect(addressDetails(address, 'ens3')).toBe(words)
})

test.each<[route: Route, words: string]>([
	[routeOf('10.1.0.0/16'), '10.1.0.0/16 dev ens3 table 254 scope 253 proto 4'],
	[routeOf('10.1.0.0/16', { via: '10.0.0.1', metric: 100, protocol: 16 }), '10.1.0.0/16 via 10.0.0.1 table 254 metric 100 proto 16'],
	[routeOf('10.1.0.0/16', { via: 'fd00::1' }), '10.1.0.0/16 via inet6 fd00::1 table 254 proto 4'],
	[several, '10.1.0.0/16 table 254 proto 4 nexthop via 10.3.0.1 weight 1 nexthop via 10.4.0.1 weight 1'],
	[routeOf('fd07::/64', { expiresSeconds: 60 }), 'fd07::/64 dev ens3 table 254 metric 1024 proto 4'],
])('a route without its lifetime, and without the link of a next hop: %j', (route, words) => {
	expect(routeDetails(route, names)).toBe(words)
})

test.each<[neighbour: Neighbour, words: string]>([
	[{ link: 3, ip: '10.0.0.9', mac: '02:00:00:00:00:09' }, '10.0.0.9 lladdr 02:00:00:00:00:09 nud permanent'],
	[{ link: 3, ip: '10.0.0.9', mac: '', proxy: true }, 'proxy 10.0.0.9'],
])('a neighbour without its link: %j', (neighbour, words) => {
	expect(neighbourDetails(neighbour)).toBe(words)
})

test.each<[object: Partial<NextHopObject>, words: string]>([
	[{ via: '10.0.0.1', link: 3 }, 'id 7 via 10.0.0.1 dev ens3'],
	[
		{
			group: [
				{ id: 1, weight: 1 },
				{ id: 2, weight: 5 },
			],
		},
		'id 7 group 1,1/2,5',
	],
])('a next hop object: %j', (object, words) => {
	expect(nextHopDetails({ id: 7, family: 4, onlink: false, protocol: 0, ...object }, names)).toBe(words)
})
