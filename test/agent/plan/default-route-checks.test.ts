import { describe, expect, test } from 'vitest'
import type { Route } from '../../../agent/model/route.ts'
import { holdsDefaultRoute, sharesRoute } from '../../../agent/plan/default-route-checks.ts'
import { inputOf, type OneNic, recordedNic, route, routeOver, routeWithoutLink } from './one-nic.ts'

/** Routes over a NIC that the node needs, or that other links share. */

const others = [
	{ ifindex: 2, name: 'eth0' },
	{ ifindex: 4, name: 'ens8' },
]
const four = (link: number, more = {}) => route('0.0.0.0/0', { via: '192.168.9.1', link, ...more })
const six = (link: number, more = {}) => route('::/0', { via: 'fe80::1', link, ...more })
const byRouter = { protocol: 9 }
const host = (...routes: Route[]) => ({ others, host: { routes } })
const nodes = (...nodeAddresses: string[]) => ({ more: { nodeAddresses } })

describe('a NIC', () => {
	test.each<[title: string, one: OneNic, see: string | undefined]>([
		['has a static default route', host(four(3)), 'ip route show default'],
		['has a static IPv6 default route', host(six(3)), 'ip -6 route show default'],
		['has default routes of both families', host(six(3), four(3)), 'ip route show default'],
		['has a default route from DHCP', host(four(3, { protocol: 16 })), 'ip route show default'],
		['is one of two next hops of the default route', host(routeOver('0.0.0.0/0', [2, 3])), 'ip route show default'],
		[
			'is one of two next hops of a default route from a router advertisement',
			host(routeOver('::/0', [2, 3], byRouter)),
			'ip -6 route show default',
		],
		['has a route to half of all addresses', host(route('0.0.0.0/1')), 'ip route show default'],
		['has no default route', host(four(2)), undefined],
		['has a default route that is not the best one', host(four(2), four(3, { metric: 100 })), undefined],
		['has a default route and is managed by MultiNIC', { ...host(four(3)), ours: recordedNic() }, undefined],
	])('%s', (_, one, see) => {
		expect(holdsDefaultRoute.find(inputOf(one))).toEqual(see && { says: 'ens7 has the default route of this node', see })
	})
})

describe('the node needs a default route from a router advertisement', () => {
	const router = host(six(3, byRouter), four(2))

	test.each<[title: string, one: OneNic, isNeeded: boolean]>([
		['if it has no other default route', { ...host(six(3, byRouter)), ...nodes('192.168.9.2') }, true],
		['if no address of the node is known', router, true],
		['if the API server is known only by its name', { ...router, more: { apiServer: 'api.example.com' } }, true],
		['if the node has an address of this family', { ...router, ...nodes('192.168.9.2', 'fd00::2') }, true],
		[
			'if the API server has an address of this family',
			{ ...router, more: { nodeAddresses: ['192.168.9.2'], apiServer: 'fd00::1' } },
			true,
		],
		['but not if the node and the API server have addresses of the other family', { ...router, ...nodes('192.168.9.2') }, false],
		[
			'but not if only the address of the API server is known, in the other family',
			{ ...router, more: { apiServer: '192.168.9.1' } },
			false,
		],
		[
			'or a static one, even if the node has only addresses of the other family',
			{ ...host(six(3), four(2)), ...nodes('192.168.9.2') },
			true,
		],
		[
			'that also uses another link, even if the node has only addresses of the other family',
			{ ...host(routeOver('::/0', [2, 3], byRouter), four(2)), ...nodes('192.168.9.2') },
			true,
		],
		['but not if another link also has such a route', { ...host(six(3, byRouter), six(2, byRouter)), ...nodes('fd00::2') }, false],
		[
			'if MultiNIC manages the other link with such a route',
			{ ...host(six(3, byRouter), six(4, byRouter)), more: { nodeAddresses: ['fd00::2'], own: new Set([3, 4]) } },
			true,
		],
		[
			'if the other link has a route to half of all addresses',
			{ ...host(six(3, byRouter), route('::/1', { link: 2, ...byRouter })), ...nodes('fd00::2') },
			true,
		],
		[
			'if the other link is one of several next hops, together with a link managed by MultiNIC',
			{ ...host(six(3, byRouter), routeOver('::/0', [4, 2], byRouter)), more: { nodeAddresses: ['fd00::2'], own: new Set([3, 4]) } },
			true,
		],
	])('%s', (_, one, isNeeded) => {
		expect(holdsDefaultRoute.find(inputOf(one)) !== undefined).toBe(isNeeded)
	})

	test.each<[title: string, others: Route[], see: string | undefined]>([
		['if there is no IPv6 default route', [], 'ip route show default'],
		['if the IPv6 default route uses the same NIC', [six(3, byRouter)], 'ip route show default'],
		['but not if the IPv6 default route uses another link', [six(2)], undefined],
		['but only the IPv6 default route if another link is one of its next hops', [routeOver('::/0', [3, 2])], 'ip -6 route show default'],
	])('over IPv4 although its address is IPv6, %s', (_, more, see) => {
		expect(holdsDefaultRoute.find(inputOf({ ...host(four(3, byRouter), ...more), ...nodes('fd00::2') }))?.see).toBe(see)
	})
})

describe('a route over several links', () => {
	const to = '10.50.0.0/16'
	const own = new Set([3, 4])

	test.each<[title: string, one: OneNic, names: string | undefined]>([
		['uses the NIC and a link that no interface requests', host(routeOver(to, [2, 3])), 'ens7 and eth0'],
		['uses the NIC and two others', { ...host(routeOver(to, [2, 3, 4])), more: { own } }, 'ens7 and eth0 and ens8'],
		['uses the NIC, after other routes', host(routeOver('10.51.0.0/16', [2, 4]), route(to), routeOver(to, [3, 2])), 'ens7 and eth0'],
		['uses only links managed by MultiNIC', { ...host(routeOver(to, [3, 4])), more: { own } }, undefined],
		['uses only other links', host(routeOver(to, [2, 4])), undefined],
		['uses no link', host(routeWithoutLink(to)), undefined],
		['uses the NIC, which is managed by MultiNIC', { ...host(routeOver(to, [2, 3])), ours: recordedNic() }, undefined],
	])('%s', (_, one, names) => {
		const says = `the route to ${to} uses ${names}`
		expect(sharesRoute.find(inputOf(one))).toEqual(names && { says, see: `ip route show ${to} table all` })
	})

	test('is shown with an IPv6 command if it is IPv6', () => {
		expect(sharesRoute.find(inputOf(host(routeOver('fd50::/64', [2, 3]))))?.see).toBe('ip -6 route show fd50::/64 table all')
	})
})
