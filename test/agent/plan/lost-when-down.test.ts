import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { NextHopObject, Route } from '../../../agent/model/route.ts'
import { addressAdditions, lostWhenDown, nextHopObjectsOn, routesOfMtu } from '../../../agent/plan/lost-when-down.ts'
import { hostWith } from '../simulated-host.ts'

/** What the kernel removes when a link goes down. */

const four: Address = { family: 4, cidr: '10.0.0.5/24', global: true, dynamic: false }
const six: Address = { family: 6, cidr: 'fd00::5/64', global: true, dynamic: false }
const linkLocal: Address = { family: 6, cidr: 'fe80::ff:fe00:3/64', global: false, dynamic: false }
const route: Route = { family: 6, to: 'fd07::/64', link: 3, table: 254, metric: 1024, protocol: 4, type: 1, scope: 0, onlink: false }
const objects = [
	{ id: 1, link: 2 },
	{ id: 2, link: 3 },
	{ id: 3, group: [{ id: 1 }] },
	{ id: 4, group: [{ id: 1 }, { id: 2 }] },
] as unknown as NextHopObject[]
const neighbours = [2, 3].map(link => ({ link, ip: `10.0.0.${link}`, mac: '02:00:00:00:00:07' }))
const host = {
	...hostWith(
		[2, 3].map(ifindex => ({ ifindex, name: `eth${ifindex}`, mac: `02:00:00:00:00:0${ifindex}`, addresses: [four, six, linkLocal] })),
		{ neighbours },
	),
	routes: [2, 3].map(link => ({ ...route, link })),
	nextHopObjects: objects,
}

test('the kernel removes the IPv6 addresses, neighbours, next hop objects and routes of the link, and of no other', () => {
	const link = host.links[1]
	expect(link && lostWhenDown(link, host)).toEqual([
		{ kind: 'addAddress', link: 3, address: six },
		{ kind: 'addNeighbour', neighbour: neighbours[1] },
		{ kind: 'addNextHop', object: objects[1] },
		{ kind: 'addNextHop', object: objects[3] },
		{ kind: 'addRoute', route },
	])
})

test('a link has no next hop objects on a host without any', () => {
	expect(nextHopObjectsOn(3, {})).toEqual([])
})

describe('an address is first added without duplicate address detection', () => {
	const nodad = (address: Address): Address => ({ ...address, flags: [...(address.flags ?? []), 'nodad'] })
	const flagged: Address = { ...six, flags: ['noprefixroute'] }
	test.each<[title: string, address: Address, source: string | undefined, added: Address[]]>([
		['if it is the source of a route', six, 'fd00::5', [nodad(six), six]],
		['and keeps its other flags', flagged, 'fd00::5', [nodad(flagged), flagged]],
		['but not if no route has it as its source', six, 'fd00::6', [six]],
		['but not if no route has a source', six, undefined, [six]],
		['but not if it already has the flag nodad', nodad(six), 'fd00::5', [nodad(six)]],
		['but not if it is an IPv4 address', four, '10.0.0.5', [four]],
	])('%s', (_, address, source, added) => {
		const routes = [source === undefined ? {} : { source }]
		expect(addressAdditions([address], 3, routes)).toEqual(added.map(one => ({ kind: 'addAddress', link: 3, address: one })))
	})
})

test.each<[title: string, more: Partial<Route>, isAgain: boolean]>([
	['that is IPv6 and has an MTU', { metrics: { mtu: '1400' } }, true],
	['that is IPv4 and has an MTU', { family: 4, metrics: { mtu: '1400' } }, false],
	['that is IPv6 and has another metric', { metrics: { advmss: '1200' } }, false],
	['that is IPv6 and has no metrics', {}, false],
])('a route %s is added again after a change of the MTU: %s', (_, more, isAgain) => {
	const one = { ...route, ...more } as Route
	expect(routesOfMtu([one])).toEqual(isAgain ? [{ kind: 'addRoute', route: one, replace: true }] : [])
})
