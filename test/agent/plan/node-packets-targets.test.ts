import { describe, expect, test } from 'vitest'
import type { Route } from '../../../agent/model/route.ts'
import { type Case, check, type Expected, ENS7, base, gateway6, linesOf, MGMT, six, byDefault } from './look-ups-of-a-node.ts'
import { localRoute, route, rule } from './routing-objects.ts'

/** The destinations of the packets of a node that are looked up. */

test('destinations that the node depends on and destinations outside precede the other groups, which are interleaved', () => {
	expect(linesOf({})).toEqual([
		...['10.96.0.1', '169.254.169.254', '192.168.9.1', '9.9.9.9', '198.41.0.4'],
		...['10.96.0.1 from 192.168.9.2', '10.96.0.1 from 192.168.9.1 iif if2', '192.168.9.1 from 192.168.9.2'],
		...['169.254.169.254 from 192.168.9.2', '169.254.169.254 from 192.168.9.1 iif if2'],
		...['9.9.9.9 from 192.168.9.1 iif if2', '9.9.9.9 from 192.168.9.2'],
		...['198.41.0.4 from 192.168.9.1 iif if2', '198.41.0.4 from 192.168.9.2'],
	])
})

const hops = (...found: { via: string; link: number }[]) => ({ nextHops: found.map(hop => ({ ...hop, weight: 1, onlink: false })) })
const two = hops({ via: '192.168.9.1', link: MGMT }, { via: '192.168.9.9', link: MGMT })

describe('lookups to destinations that the node depends on', () => {
	test.each<[title: string, given: Case, expected: Expected]>([
		['exclude a name', {}, { hasNo: ['api.example.org'] }],
		['include the gateways of all next hops', { gateway: [route('0.0.0.0/0', two)] }, { has: ['fibmatch 9.9.9.9', '192.168.9.9'] }],
		[
			'exclude a gateway over a link that the run changes',
			{ routes: [{ ...byDefault, via: '192.168.8.1', link: ENS7, metric: 9 }] },
			{ hasNo: ['192.168.8.1'] },
		],
		['exclude a gateway in another table', { routes: [{ ...byDefault, via: '192.168.9.77', table: 77 }] }, { hasNo: ['192.168.9.77'] }],
		[
			'exclude the next hop of a network route',
			{ routes: [route('10.50.0.0/16', { via: '192.168.9.77', link: MGMT })] },
			{ has: ['10.50.0.1'], hasNo: ['192.168.9.77'] },
		],
		[
			'over IPv6 include the API server in canonical form, the metadata service and the gateway',
			{ routes: [gateway6('fd09::1')], about: { paths: ['FD00:96::0:1'] } },
			{ has: ['fd00:96::1', 'fd00:ec2::254', 'fd09::1', '2620:fe::fe', '9000::1'], hasNo: ['FD00:96::0:1'] },
		],
		['exclude a link-local gateway', { routes: [gateway6('fe80::1')] }, { has: ['9000::1'], hasNo: ['fe80::1'] }],
		['exclude IPv6 if it has no route', {}, { hasNo: ['9000::1', 'fd00:ec2::254'] }],
		[
			'exclude IPv6 if it has only local, link-local and multicast routes',
			{
				routes: [
					localRoute('fd09::2', MGMT),
					route('fe80::/64', { link: MGMT }),
					route('ff00::/8', { link: MGMT, table: 255 }),
					route('ff02::/16', { link: MGMT }),
				],
			},
			{ hasNo: ['9000::1', 'fd00:ec2::254'] },
		],
		[
			'exclude IPv4 if only IPv6 has a route',
			{ gateway: [gateway6('fd09::1')], addresses: [], links: [{ ifindex: ENS7, name: 'ens7' }], rules: [six] },
			{ has: ['9000::1'], hasNo: ['9.9.9.9'] },
		],
	])('%s', (_, given, expected) => {
		check(given, expected)
	})
})

test('no lookup goes to an address of the node', () => {
	const lines = linesOf({ about: { paths: ['192.168.9.2'] } })
	expect(lines.filter(line => line.split(' ')[0] === '192.168.9.2')).toEqual([])
})

describe('lookups to a network of the run that overlaps another route', () => {
	const over = (to: string, more: Partial<Route> = {}): Route => route(to, { via: '192.168.9.7', link: MGMT, ...more })
	const about = { networks: ['10.0.5.0/24'] }
	const many = Array.from({ length: 17 }, (_, at) => `10.0.${at + 1}.0/24`)
	test.each<[title: string, given: Case, expected: Expected]>([
		[
			'go to the narrower network, here that of the run',
			{ routes: [over('10.0.0.0/16')], about },
			{ has: ['10.0.5.1', '10.0.5.1 from 192.168.9.2'] },
		],
		[
			'go to the narrower network, here that of the route',
			{ routes: [over('10.0.5.64/26', { type: 7, via: '' })], about },
			{ has: ['10.0.5.65'] },
		],
		['do not exist if the route does not contain the network', { routes: [over('10.0.0.0/22')], about }, { hasNo: ['10.0.5.1'] }],
		[
			'do not exist if the route uses a link that the run changes',
			{ routes: [over('10.0.0.0/16', { link: ENS7, via: '192.168.8.7' })], about: { networks: ['10.0.5.0/25'] } },
			{ hasNo: ['10.0.5.1'] },
		],
		[
			'do not exist if no rule looks up the table of the route',
			{ routes: [over('10.0.0.0/16', { table: 77 })], about },
			{ hasNo: ['10.0.5.1'] },
		],
		[
			'do not exist if only a route to half of the address space matches',
			{ routes: [over('10.0.0.0/16', { table: 77 }), over('0.0.0.0/1')], about },
			{ hasNo: ['10.0.5.1'] },
		],
		[
			'do not exist if the overlap is half of the address space',
			{ routes: [over('0.0.0.0/1')], about: { networks: ['0.0.0.0/1'] } },
			{ hasNo: ['0.0.0.1'] },
		],
		[
			'do not exist if the node has no route to the network',
			{ gateway: [], routes: [over('10.0.0.0/16', { table: 77 })], about },
			{ hasNo: ['10.0.5.1'] },
		],
		['exist if a route rejects the packets', { routes: [route('10.0.0.0/16', { type: 7 })], about }, { has: ['10.0.5.1'] }],
		[
			'exist if a rule rejects the packets',
			{ routes: [over('10.0.0.0/16', { table: 77 })], rules: [rule(5, { to: '10.0.0.0/16', action: 'prohibit' }), ...base], about },
			{ has: ['10.0.5.1'] },
		],
		[
			'go to an address that the node does not have',
			{ routes: [over('10.0.0.0/16')], about: { networks: ['192.168.8.0/24', '10.0.5.0/24'], given: ['10.0.5.1'] } },
			{ has: ['10.0.5.2'] },
		],
		[
			'do not exist for a network that has no other address',
			{ routes: [over('10.0.0.0/16')], about: { networks: ['10.0.5.1/32'], given: ['10.0.5.1'] } },
			{ hasNo: ['10.0.5.1'] },
		],
		[
			'cover at most 16 networks',
			{ routes: [over('10.0.0.0/16')], about: { networks: many } },
			{ has: ['10.0.2.1', '10.0.16.1'], hasNo: ['10.0.17.1'] },
		],
	])('%s', (_, given, expected) => {
		check(given, expected)
	})

	test.each([
		['224.0.0.0/8', '224.0.0.1'],
		['229.0.0.0/8', '229.0.0.1'],
		['230.0.0.0/8', '230.0.0.1'],
		['239.1.0.0/16', '239.1.0.1'],
	])('do not exist for multicast, such as %s', (network, ip) => {
		check({ routes: [route(network, { link: MGMT, type: 5 })], about: { networks: [network] } }, { hasNo: [ip] })
	})

	test.each([
		['223.0.0.0/8', '223.0.0.1'],
		['22.4.0.0/16', '22.4.0.1'],
		['23.1.0.0/16', '23.1.0.1'],
		['10.224.0.0/16', '10.224.0.1'],
		['64.0.0.0/2', '64.0.0.1'],
	])('exist for unicast, such as %s', (network, ip) => {
		check({ routes: [route(network, { type: 7 })], about: { networks: [network] } }, { has: [ip] })
	})

	test.each<[network: string, ip: string, has: boolean]>([
		['fd05::/64', 'fd05::1', true],
		['fe80::/64', 'fe80::1', false],
		['ff05::/64', 'ff05::1', false],
		['fd0f:ff00::/64', 'fd0f:ff00::1', true],
	])('to the IPv6 network %s go to %s: %j', (network, ip, has) => {
		const given = {
			routes: [gateway6('fd09::1'), route(network, { link: MGMT, type: 7 })],
			rules: [...base, six],
			about: { networks: [network] },
		}
		check(given, has ? { has: [ip] } : { hasNo: [ip] })
	})
})

test('an IPv6 network of the run that overlaps another route is looked up once', () => {
	const lines = linesOf({
		routes: [gateway6('fd09::1'), route('fd05::/64', { link: MGMT, type: 7 })],
		rules: [rule(5, { action: 'prohibit' }), ...base, six],
		about: { networks: ['fd05::/64'] },
	})
	expect(lines.filter(line => line === 'fd05::1')).toHaveLength(1)
})

test.each<[network: string, isShared: boolean]>([
	['10.0.0.0/12', true],
	['0.0.0.0/0', false],
])('a route inside the network %s of the run overlaps it: %j', (network, isShared) => {
	const lines = linesOf({ routes: [route('10.0.0.0/16', { via: '192.168.9.7', link: MGMT })], about: { networks: [network] } })
	expect(lines.includes('10.0.0.1 from 192.168.9.1 iif if2')).toBe(isShared)
})
