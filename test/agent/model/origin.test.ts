import { describe, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import { connectedRoute, isGivenRoute, isKernelRoute, isMadeByKernel, isOnlyOver, isRecordable } from '../../../agent/model/origin.ts'
import type { Route } from '../../../agent/model/route.ts'

/** Which addresses and routes the kernel creates. */

const four: Address = { family: 4, cidr: '10.0.0.5/24', global: true, dynamic: false }
const six: Address = { family: 6, cidr: 'fd00::5/64', global: true, dynamic: false }
const links = [{ ifindex: 3, addresses: [four, six] }] as unknown as Link[]
const route = (more: Partial<Route> = {}): Route => ({
	...{ family: 4, to: '10.0.0.0/24', link: 3, table: 254, metric: 0, protocol: 2, type: 1, scope: 253, onlink: false },
	...more,
})

test.each<[mac: string, cidr: string, more: Partial<Address>, isMade: boolean]>([
	['fa:16:3e:00:00:01', 'fe80::f816:3eff:fe00:1/64', {}, true],
	['02:16:3e:00:00:01', 'fe80::16:3eff:fe00:1/64', {}, true],
	['02:00:3e:01:02:03', 'fe80::3eff:fe01:203/64', {}, true],
	['fa:16:3e:00:00:01', 'fe80::f816:3eff:fe00:1/128', {}, false],
	['fa:16:3e:00:00:01', 'fe80::f816:3eff:fe00:2/64', {}, false],
	['fa:16:3e:00:00:01', 'fd00::1/64', { temporary: true }, true],
])('for a link with MAC %s, the kernel creates %s (%o): %s', (mac, cidr, more, isMade) => {
	expect(isMadeByKernel({ ...six, cidr, ...more }, { mac })).toBe(isMade)
})

describe('the kernel creates a route', () => {
	const kernelSix = { family: 6, to: 'fd00::/64', metric: 256, scope: 0 } as const
	test.each<[title: string, one: Route, isKernels: boolean]>([
		['for the network of an address', route(), true],
		['for the network of an IPv6 address', route(kernelSix), true],
		['but not with the protocol of another program', route({ protocol: 4 }), false],
		['but not to a network without an address', route({ to: '10.1.0.0/24' }), false],
		['but not with a metric that is not the default', route({ metric: 100 }), false],
		['but not with a metric that is not the default for IPv6', route({ ...kernelSix, metric: 1_024 }), false],
		['to the link-local network', route({ ...kernelSix, to: 'fe80::/64' }), true],
		['to an address of the host', route({ type: 2, to: '10.9.9.9/32' }), true],
		['in the local table', route({ table: 255, to: '10.9.9.9/32' }), true],
		['from a router advertisement', route({ ...kernelSix, to: 'fd09::/64', expiresSeconds: 600 }), true],
		['over a link that no longer exists', route({ link: 9, to: '10.1.0.0/24' }), true],
	])('%s', (_, one, isKernels) => {
		expect(isKernelRoute(one, links)).toBe(isKernels)
	})

	test('but not for an address with noprefixroute', () => {
		const routeless = [{ ifindex: 3, addresses: [{ ...four, flags: ['noprefixroute'] }] }] as unknown as Link[]
		expect(isKernelRoute(route(), routeless)).toBe(false)
	})

	test('for an address with other flags', () => {
		const flagged = [{ ifindex: 3, addresses: [{ ...four, flags: ['home'] }] }] as unknown as Link[]
		expect(isKernelRoute(route(), flagged)).toBe(true)
	})
})

test.each<[title: string, address: Partial<Address> & Pick<Address, 'family' | 'cidr'>, made: Partial<Route>]>([
	['its network', four, { to: '10.0.0.0/24', metric: 0, scope: 253 }],
	['its network, with the default metric of IPv6', six, { to: 'fd00::/64', metric: 256, scope: 0 }],
	['its network, with the metric of the address', { ...four, metric: 7 }, { to: '10.0.0.0/24', metric: 7, scope: 253 }],
	['the network of its peer', { ...four, peer: '10.7.0.1' }, { to: '10.7.0.0/24', metric: 0, scope: 253 }],
])('the connected route of an address leads to %s', (_, address, made) => {
	expect(connectedRoute(address, 3)).toEqual({ ...route(), family: address.family, ...made })
})

describe('a route was added by a program', () => {
	test.each<[title: string, more: Partial<Route>, isGiven: boolean]>([
		['if it has the protocol of a program', { protocol: 4 }, true],
		['not if it has the protocol of the kernel', {}, false],
		['if it has the last type that uses a link', { protocol: 4, type: 5 }, true],
		['not if it drops packets', { protocol: 4, type: 6 }, false],
		['not if it has no type', { protocol: 4, type: 0 }, false],
	])('%s', (_, more, isGiven) => {
		expect(isGivenRoute(route(more), links)).toBe(isGiven)
	})
})

test.each([
	['a redirect', 1, false],
	['a router advertisement', 9, false],
	['BGP', 186, false],
	['EIGRP', 192, false],
	['the kernel', 2, true],
	['an administrator', 4, true],
	['DHCP', 16, true],
])('a route from %s (protocol %i) is recorded: %s', (_, protocol, isRecorded) => {
	expect(isRecordable(route({ protocol }))).toBe(isRecorded)
})

test('a route with next hops over two links is not only over one of them', () => {
	const { link: _, ...several } = route({ nextHops: [3, 4].map(link => ({ link, weight: 1, onlink: false })) })
	expect([isOnlyOver(route(), 3), isOnlyOver(route(), 4), isOnlyOver(several, 3)]).toEqual([true, false, false])
})
