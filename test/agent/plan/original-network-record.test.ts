import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import { differsFromOriginal, originalNetwork, recordable, restoredAddresses } from '../../../agent/plan/original-network.ts'
import { hostWith } from '../simulated-host.ts'

/** What the record keeps of the original state of a NIC, and how a removal restores it. */

const mac = '02:00:00:00:00:03'
const fixed: Address = { family: 4, cidr: '10.5.0.5/24', global: true, dynamic: false }
const made: Address = { family: 6, cidr: 'fe80::ff:fe00:3/64', global: false, dynamic: false }
const route: Route = { family: 4, to: '10.7.0.0/16', link: 3, table: 254, metric: 0, protocol: 4, type: 1, scope: 253, onlink: false }
const hostOf = (addresses: Address[], routes: Route[], more: Partial<HostState> = {}): HostState => ({
	...hostWith([{ ifindex: 3, name: 'ens7', mac, addresses }]),
	routes,
	...more,
})
const linkOf = ({ links }: HostState) => links[0] as Link

describe('the record keeps', () => {
	test.each<[title: string, host: HostState, recorded: ReturnType<typeof recordable>]>([
		['the ifindex', hostOf([], []), { ifindex: 3 }],
		['addresses', hostOf([fixed], []), { ifindex: 3, addresses: [fixed] }],
		['no address that the kernel creates', hostOf([made], []), { ifindex: 3 }],
		['routes', hostOf([], [route]), { ifindex: 3, routes: [route] }],
		['no route over another link', hostOf([], [{ ...route, link: 2 }]), { ifindex: 3 }],
		['no route from a router advertisement', hostOf([], [{ ...route, protocol: 9 }]), { ifindex: 3 }],
		['the time', hostOf([], [], { seconds: 0 }), { ifindex: 3, observed: 0 }],
	])('%s', (_, host, recorded) => {
		expect(recordable(linkOf(host), host)).toEqual(recorded)
	})

	test('no route that also uses another link', () => {
		const { link: _, ...several } = { ...route, nextHops: [3, 4].map(link => ({ link, weight: 1, onlink: false })) }
		const host = hostOf([], [several])
		expect(recordable(linkOf(host), host)).toEqual({ ifindex: 3 })
	})
})

describe('a removal', () => {
	const restored = (original: object, host = hostOf([], [], { seconds: 1_000 })) =>
		originalNetwork({ original: { name: 'ens7', up: true, ...original } } as unknown as RecordedLink, linkOf(host), host)
	const lease: Address = { ...fixed, dynamic: true, validSeconds: 600, preferredSeconds: 300 }

	test.each<[title: string, original: object, addresses: Address[]]>([
		['restores an address', { addresses: [fixed] }, [fixed]],
		[
			'restores a lease with its remaining time',
			{ addresses: [lease], observed: 900 },
			[{ ...lease, validSeconds: 500, preferredSeconds: 200 }],
		],
		[
			'restores a lease that is no longer preferred',
			{ addresses: [lease], observed: 600 },
			[{ ...lease, validSeconds: 200, preferredSeconds: 0 }],
		],
		['restores no expired lease', { addresses: [lease], observed: 400 }, []],
		['restores a lease in full if its time is not recorded', { addresses: [lease] }, [lease]],
		['restores a lease in full if the clock was set back', { addresses: [lease], observed: 2_000 }, [lease]],
		['leaves a lease to its daemon', { addresses: [lease, fixed], observed: 900, daemon: 'NetworkManager' }, [fixed]],
		['restores nothing if there was nothing', {}, []],
	])('%s', (_, original, addresses) => {
		expect(restored(original).addresses).toEqual(addresses)
	})

	test('restores a lease in full if the current time is unknown', () => {
		expect(restored({ addresses: [lease], observed: 900 }, hostOf([], [])).addresses).toEqual([lease])
	})

	const over = (...links: number[]): Route => {
		const { link: _, ...several } = route
		return { ...several, nextHops: links.map(link => ({ link, weight: 1, onlink: false })) }
	}
	const viaObject = { ...route, nextHopId: 7 }
	const object = { id: 7, link: 3 } as never
	test.each<[title: string, original: object, nextHopObjects: HostState['nextHopObjects'], routes: Route[]]>([
		['restores a route over the current ifindex', { ifindex: 9, routes: [{ ...route, link: 9 }] }, [], [route]],
		['keeps the link of a route over another link', { ifindex: 9, routes: [{ ...route, link: 8 }] }, [], [{ ...route, link: 8 }]],
		['leaves a route from DHCP to its daemon', { daemon: 'NetworkManager', routes: [{ ...route, protocol: 16 }] }, [], []],
		['restores a static route even if a daemon manages the link', { daemon: 'NetworkManager', routes: [route] }, [], [route]],
		['restores each next hop over the current ifindex', { ifindex: 9, routes: [over(9, 8)] }, [], [over(3, 8)]],
		['restores a route from DHCP without a daemon', { routes: [{ ...route, protocol: 16 }] }, [], [{ ...route, protocol: 16 }]],
		['restores a route with its next hop object', { routes: [viaObject] }, [object], [viaObject]],
		['restores no route if only another next hop object exists', { routes: [viaObject] }, [{ id: 8, link: 3 } as never], []],
		['restores no route if its next hop object no longer exists', { routes: [viaObject] }, [], []],
	])('%s', (_, original, nextHopObjects, routes) => {
		expect(restored(original, hostOf([], [], { nextHopObjects: nextHopObjects ?? [] })).routes).toEqual(routes)
	})

	test.each<[title: string, present: Address[], again: string[], added: string[]]>([
		['adds an address that is missing', [], [], [fixed.cidr]],
		['adds no address that exists', [fixed], [], []],
		['adds an address that may have been removed before', [fixed], [fixed.cidr], [fixed.cidr]],
	])('%s', (_, addresses, again, added) => {
		const link = linkOf(hostOf(addresses, []))
		const changes = restoredAddresses(link, { addresses: [fixed], routes: [] }, new Set(again))
		expect(changes.map(change => 'address' in change && change.address.cidr)).toEqual(added)
	})

	test('adds an IPv6 address that is the source of a route first without duplicate address detection', () => {
		const six: Address = { family: 6, cidr: 'fd00::5/64', global: true, dynamic: false }
		const changes = restoredAddresses(linkOf(hostOf([], [])), { addresses: [six], routes: [{ ...route, source: 'fd00::5' }] }, new Set())
		expect(changes).toEqual([{ ...six, flags: ['nodad'] }, six].map(address => ({ kind: 'addAddress', link: 3, address })))
	})

	test.each<[title: string, name: string, anew: string[]]>([
		['that does not rename the link ignores labels', 'ens7', []],
		['that renames the link compares labels, because it changes them', 'eth7', [fixed.cidr]],
	])('%s', (_, name, anew) => {
		const labelled: Address = { ...fixed, label: 'ens7:1' }
		const link = linkOf(hostOf([labelled], []))
		const ours = { original: { name } } as unknown as RecordedLink
		expect(differsFromOriginal(ours, link, { addresses: [labelled], routes: [] })).toEqual({ anew, changed: [] })
	})
})
