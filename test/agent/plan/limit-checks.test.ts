import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limitsOf, notAllowed } from '../../../agent/plan/limit-checks.ts'
import { select } from '../../../agent/plan/select.ts'
import { type Interface, Interfaces, settle } from '../../../contract/interface.ts'
import { isInside, overlap } from '../../../contract/ip.ts'
import { hostWith } from '../simulated-host.ts'

/** What a node config may request outside the route tables of its interfaces, according to the lists of the chart. */

const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const nic: Partial<Interface> = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
const chart = {
	allowMainTableRoutes: ['10.50.0.0/16', '172.20.0.0/16', 'fd50::/32', '128.0.0.0/2'],
	protectedNetworks: ['10.96.0.0/12', '10.50.7.0/24'],
	podNetworks: ['10.244.1.0/24', '10.50.8.0/24'],
	nodeAddresses: ['192.168.9.2', '10.50.9.2'],
}
const main = (to: string, table = 254) => ({ routes: [{ to, via: '10.0.0.7', table }] })
const six = (to: string) => ({ addresses: ['fd00::23/64'], routes: [{ to, via: 'fd00::7', table: 254 }] })

function said(wish: Partial<Interface>, more: Partial<Parameters<typeof limitsOf>[0]> = {}): string | undefined {
	const interfaces = settle(Interfaces.parse([{ ...nic, ...wish }]))
	const refusal = notAllowed(interfaces, limitsOf({ ...chart, ...more }, '10.50.10.1')).get(0)
	if (refusal) expect(refusal).toMatchObject({ reason: 'NotAllowed', message: expect.stringMatching(/ \(kubectl get [^()]+\)$/) })
	return refusal?.message.replace(/ \([^()]*\)$/, '')
}

const unlisted = (route: string) => `the route to ${route} is not allowed by the chart: no prefix of runs.allowMainTableRoutes contains it`

describe('a node config', () => {
	test.each<[title: string, wish: Partial<Interface>, more?: Partial<Parameters<typeof limitsOf>[0]>]>([
		['with addresses, a gateway and routes in its own table', { routes: [{ to: '0.0.0.0/0', via: '10.0.0.7', metric: 5 }] }],
		['that names its own table', main('0.0.0.0/1', 100)],
		['with a route within a listed prefix', main('10.50.3.0/24')],
		['with the listed prefix itself, written with host bits', main('172.20.3.1/16')],
		['with a listed IPv6 route', six('fd50:0:1::/48')],
		['without policyRouting and without routes', { policyRouting: false }],
		['with a default route, where the chart allows it', { defaultRoute: true }, { allowDefaultRoute: true }],
		['with a route to a quarter of all addresses, where the chart allows it', main('64.0.0.0/2'), { allowMainTableRoutes: ['64.0.0.0/2'] }],
		['with a link-local address', { address: '169.254.7.7', cidr: '169.254.7.0/24', gateway: undefined }],
		['without a default route, where the chart allows it', {}, { allowDefaultRoute: true }],
	])('%s is allowed', (_, wish, more) => {
		expect(said(wish, more)).toBe(undefined)
	})

	test.each<[title: string, wish: Partial<Interface>, why: string, more?: Partial<Parameters<typeof limitsOf>[0]>]>([
		[
			'with a default route',
			{ defaultRoute: true },
			'multinic0 requests defaultRoute, and the chart does not allow it: set runs.allowDefaultRoute',
		],
		[
			'with a route to half of all addresses',
			main('0.0.0.0/1'),
			'the route to 0.0.0.0/1 in table main is a default route or half of one: set defaultRoute',
		],
		[
			'with a route to the other half',
			main('128.0.0.0/1'),
			'the route to 128.0.0.0/1 in table main is a default route or half of one: set defaultRoute',
		],
		[
			'with an address in the Service network',
			{ address: '10.97.0.10', cidr: '10.97.0.0/24', gateway: undefined },
			'multinic0 requests 10.97.0.10, which is in 10.96.0.0/12, a network of runs.protectedNetworks',
		],
		[
			'with an additional address in a pod network',
			{ addresses: ['10.244.1.5/32'] },
			'multinic0 requests 10.244.1.5, which is in 10.244.1.0/24, a pod network',
		],
		[
			'with a route to all IPv6 addresses',
			six('::/0'),
			'the route to ::/0 in IPv6 table main is a default route or half of one: set defaultRoute',
		],
		[
			'with a route to the Service network',
			main('10.96.0.0/16'),
			'the route to 10.96.0.0/16 in table main overlaps 10.96.0.0/12, a network of runs.protectedNetworks',
		],
		[
			'with a route to a network that contains the node',
			main('10.0.0.0/8'),
			'the route to 10.0.0.0/8 in table main overlaps 10.50.9.2/32, this node',
		],
		[
			'with a listed route to a protected network',
			main('10.50.7.9/32'),
			'the route to 10.50.7.9/32 in table main overlaps 10.50.7.0/24, a network of runs.protectedNetworks',
		],
		[
			'with a listed route to a pod network',
			main('10.50.8.0/25'),
			'the route to 10.50.8.0/25 in table main overlaps 10.50.8.0/24, a pod network',
		],
		['with a listed route to the node', main('10.50.9.2/32'), 'the route to 10.50.9.2/32 in table main overlaps 10.50.9.2/32, this node'],
		[
			'with a listed route to the API server',
			main('10.50.10.0/30'),
			'the route to 10.50.10.0/30 in table main overlaps 10.50.10.1/32, the API server',
		],
		[
			'with a route to the metadata address',
			main('169.254.169.254/32'),
			'the route to 169.254.169.254/32 in table main overlaps 169.254.0.0/16, which is link-local',
		],
		[
			'with a listed route that contains the link-local network',
			main('160.0.0.0/4'),
			'the route to 160.0.0.0/4 in table main overlaps 169.254.0.0/16, which is link-local',
		],
		['with an unlisted route in the main table', main('10.60.0.0/24'), unlisted('10.60.0.0/24 in table main')],
		['with an unlisted route in table default', main('10.60.0.0/24', 253), unlisted('10.60.0.0/24 in table default')],
		['with an unlisted route in any other table', main('10.60.0.0/24', 700), unlisted('10.60.0.0/24 in table 700')],
		['with an unlisted route in the table of another interface', main('10.60.0.0/24', 101), unlisted('10.60.0.0/24 in table 101')],
		['with a route that is wider than the listed prefix', six('fd50::/31'), unlisted('fd50::/31 in IPv6 table main')],
		[
			'without policyRouting, and with a route that names no table',
			{ policyRouting: false, routes: [{ to: '10.60.0.0/24' }] },
			unlisted('10.60.0.0/24 in table main'),
		],
		[
			'without policyRouting, and with a route in the table that it would have',
			{ policyRouting: false, ...main('10.60.0.0/24', 100) },
			unlisted('10.60.0.0/24 in table 100'),
		],
		[
			'with a route, in a run without a list',
			main('10.50.3.0/24'),
			unlisted('10.50.3.0/24 in table main'),
			{ allowMainTableRoutes: undefined },
		],
		['with a route, if the chart allows none', main('10.50.3.0/24'), unlisted('10.50.3.0/24 in table main'), { allowMainTableRoutes: [] }],
		[
			'with a default route, in a run without the setting',
			{ defaultRoute: true },
			'multinic0 requests defaultRoute, and the chart does not allow it: set runs.allowDefaultRoute',
			{ allowDefaultRoute: undefined },
		],
	])('%s is not allowed', (_, wish, why, more) => {
		expect(said(wish, more)).toBe(why)
	})

	test('never has a route outside its own table that is unlisted or overlaps a protected network', () => {
		const octet = fc.constantFrom(0, 7, 10, 50, 96, 128, 169, 244, 254)
		const to = fc
			.tuple(octet, octet, octet, fc.constant(0), fc.integer({ min: 0, max: 32 }))
			.map(([a, b, c, d, length]) => `${a}.${b}.${c}.${d}/${length}`)
		const table = fc.option(fc.constantFrom(100, 101, 253, 254, 500), { nil: undefined })
		const routes = fc.array(fc.record({ to, table }), { maxLength: 4 })
		fc.assert(
			fc.property(routes, fc.boolean(), fc.boolean(), (wanted, policyRouting, defaultRoute) => {
				const asked = wanted.map(route => ({ to: route.to, ...(route.table !== undefined && { table: route.table }) }))
				const isAllowed = said({ policyRouting, defaultRoute, routes: asked }) === undefined
				const beside = asked.filter(route => !policyRouting || (route.table ?? 100) !== 100).map(route => route.to)
				const known = [
					...chart.protectedNetworks,
					...chart.podNetworks,
					'169.254.0.0/16',
					'192.168.9.2/32',
					'10.50.9.2/32',
					'10.50.10.1/32',
				]
				const isRight = (cidr: string) =>
					chart.allowMainTableRoutes.some(prefix => isInside(cidr, prefix)) &&
					!known.some(network => overlap(network, cidr)) &&
					!/\/[01]$/.test(cidr)
				expect(isAllowed).toBe(!defaultRoute && beside.every(isRight))
			}),
		)
	})
})

test('the limits of a run contain each network with its description', () => {
	const linkLocal = ['169.254.0.0/16', 'fe80::/10'].map(network => ({ network, what: 'which is link-local', mayHoldAddresses: true }))
	const settings = {
		allowMainTableRoutes: ['10.50.0.0/16'],
		allowDefaultRoute: true,
		protectedNetworks: ['10.96.0.7/12'],
		podNetworks: ['10.244.1.7/24'],
		nodeAddresses: ['192.168.9.2', 'fd00::2'],
	}
	expect(limitsOf(settings, 'fd00::1')).toEqual({
		allowMainTableRoutes: ['10.50.0.0/16'],
		allowDefaultRoute: true,
		protectedNetworks: [
			{ network: '10.96.0.0/12', what: 'a network of runs.protectedNetworks' },
			{ network: '10.244.1.0/24', what: 'a pod network' },
			...linkLocal,
		],
		own: [
			{ network: '192.168.9.2/32', what: 'this node' },
			{ network: 'fd00::2/128', what: 'this node' },
			{ network: 'fd00::1/128', what: 'the API server' },
		],
	})
	const nothing = { allowMainTableRoutes: [], allowDefaultRoute: false, protectedNetworks: linkLocal, own: [] }
	for (const apiServer of ['api.example.com', undefined]) expect(limitsOf({ nodeAddresses: [] }, apiServer)).toEqual(nothing)
})

test('each interface is checked, and its routes by its own base', () => {
	const routes = [{ to: '10.60.0.0/24', table: 501 }]
	const nics = [0, 1, 2].map(id => ({
		id,
		macAddress: mac(id),
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		...(id > 0 && { routes }),
	}))
	const interfaces = settle(Interfaces.parse(nics), { bases: { table: 500, priority: 5_000 } })
	const found = notAllowed(interfaces, limitsOf({ nodeAddresses: [] }, undefined))
	expect([...found].map(([id, { message }]) => [id, message])).toEqual([
		[2, `${unlisted('10.60.0.0/24 in table 501')} (kubectl get multinicnodeconfigs -o yaml)`],
	])
})

describe('a connected route', () => {
	const host = hostWith([{ ifindex: 3, name: 'ens3', mac: 'fa:16:3e:00:00:00' }])
	const selected = (wish: Partial<Interface>) => {
		const { protectedNetworks } = limitsOf(chart, undefined)
		const interfaces = settle(Interfaces.parse([{ ...nic, gateway: undefined, ...wish }]))
		return select({ interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map(), protectedNetworks }, host)
	}

	test.each<[title: string, wish: Partial<Interface>, why: string | undefined]>([
		['of an ordinary network is in the main table', {}, undefined],
		[
			'of a network that contains the Service network is not',
			{ address: '10.100.0.5', cidr: '10.0.0.0/8' },
			'the network overlaps 10.96.0.0/12, a network of runs.protectedNetworks',
		],
		[
			'of a part of a pod network is not',
			{ address: '10.244.1.5', cidr: '10.244.1.0/28' },
			'the network overlaps 10.244.1.0/24, a pod network',
		],
		[
			'of a link-local network is not',
			{ address: '169.254.5.5', cidr: '169.254.0.0/16' },
			'the network overlaps 169.254.0.0/16, which is link-local',
		],
		['of an eighth of all addresses is not', { address: '95.0.0.5', cidr: '64.0.0.0/3' }, 'the network is too wide for the main table'],
		['of a public /16 network is in the main table', { address: '95.0.0.5', cidr: '95.0.0.0/16' }, undefined],
		['of all of 172.16.0.0/12 is in the main table', { address: '172.16.0.5', cidr: '172.16.0.0/12' }, undefined],
		[
			'of half of all addresses is not',
			{ address: '200.0.0.5', cidr: '128.0.0.0/1' },
			'the network overlaps 169.254.0.0/16, which is link-local',
		],
		['of half of all IPv6 addresses is not', { address: '4000::5', cidr: '::/1' }, 'the network is too wide for the main table'],
	])('%s', (_, wish, why) => {
		const { accepted, shared } = selected(wish)
		expect(shared.get(0)?.says).toBe(why)
		expect(accepted.map(one => one.nic.connectedRoute)).toEqual([why === undefined])
	})

	test('causes a refusal if the interface has no other table for it', () => {
		const { refused } = selected({ policyRouting: false, address: '10.244.1.5', cidr: '10.244.1.0/28' })
		expect(refused[0]?.refusal).toMatchObject({ reason: 'InUse', message: expect.stringContaining('set policyRouting to true') })
	})
})

describe('the network of a bridge, within a listed prefix', () => {
	const links = [0, 1, 2, 3, 4].map(id => ({ ifindex: 3 + id, name: `ens${id}`, mac: mac(id) }))
	const own = { family: 4 as const, cidr: '10.50.3.1/24', global: true, dynamic: false }
	const host = hostWith([...links, { ifindex: 20, name: 'br0', kind: 'bridge', mac: mac(9), up: true, addresses: [own] }])
	const thief = (to: string) => ({ ...nic, ...main(to) })
	const refusal = (to: string, ...more: Partial<Interface>[]) => {
		const interfaces = settle(Interfaces.parse([...more, thief(to)]))
		const found = select({ interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, host)
		return found.refused.find(one => one.nic.id === 0)?.refusal
	}
	const others = (of: (id: number) => Partial<Interface>) => [1, 2, 3, 4].map(id => ({ id, macAddress: mac(id), ...of(id) }))

	test.each<[title: string, to: string, more: Partial<Interface>[]]>([
		['a route to a network that contains it', '10.50.0.0/16', []],
		['a route to a part of it', '10.50.3.128/25', []],
		['a route to a network that contains it, although an interface requests its MAC', '10.50.0.0/16', [{ id: 9, macAddress: mac(9) }]],
		[
			'a route to a part whose first addresses are requested',
			'10.50.3.128/25',
			others(id => ({ addresses: Array.from({ length: 8 }, (_, at) => `10.50.3.${129 + 8 * (id - 1) + at}/32`) })),
		],
		[
			"a route to a part, next to many overlapping routes in another interface's own table",
			'10.50.3.128/25',
			[
				{
					id: 1,
					macAddress: mac(1),
					address: '10.0.1.23',
					cidr: '10.0.1.0/24',
					routes: Array.from({ length: 16 }, (_, at) => ({ to: `10.50.3.${at + 17}/32` })),
				},
			],
		],
	])('%s is refused', (_, to, more) => {
		expect(refusal(to, ...more)).toEqual({
			reason: 'InUse',
			message: `the route to ${to} in table main overlaps 10.50.3.0/24, which this node reaches over another link (ip route show 10.50.3.0/24)`,
		})
	})
})

describe('a link not managed by MultiNIC', () => {
	const address = (cidr: string) => ({ family: 4 as const, cidr, global: true, dynamic: false })
	const connected = (to: string, link: number, source: string) => ({
		family: 4 as const,
		to,
		link,
		table: 254,
		protocol: 2,
		type: 1,
		onlink: false,
		metric: 0,
		scope: 253,
		source,
	})
	const host = hostWith(
		[
			{ ifindex: 2, name: 'mgmt', mac: mac(8), up: true, addresses: [address('192.168.9.2/24')] },
			{ ifindex: 3, name: 'ens0', mac: mac(0) },
		],
		{ routes: [connected('192.168.9.0/24', 2, '192.168.9.2')] as never },
	)

	test('stays unmanaged if its MAC is in the config and that interface is also refused for another reason', () => {
		const decoy = { id: 1, macAddress: mac(8), defaultRoute: true, address: '10.9.9.9', cidr: '10.9.9.0/24' }
		const wish = { id: 0, macAddress: mac(0), address: '192.168.9.77', cidr: '192.168.9.0/24' }
		const interfaces = settle(Interfaces.parse([wish, decoy]))
		const failed = notAllowed(interfaces, limitsOf({ nodeAddresses: [] }, undefined))
		const found = select({ interfaces, nodeAddresses: ['192.168.9.2'], kinds: new Set(['hardware']), failed }, host)
		expect(found.refused.map(({ refusal }) => refusal.reason)).toEqual(['InUse'])
		expect(found.shared.get(0)?.says).toBe('mgmt has 192.168.9.2/24')
	})

	test.each<[title: string, ip: string, needed: string[], isRefused: boolean]>([
		['a nameserver', '10.20.0.3', ['10.20.0.3'], true],
		['the API server', '10.96.0.1', ['10.96.0.1'], true],
		['the metadata service', '169.254.169.254', [], true],
		['an unknown host', '10.20.0.4', ['10.20.0.3', 'api.example.com'], false],
	])('does not have the desired address of %s', (_, ip, needed, isRefused) => {
		const interfaces = settle(Interfaces.parse([{ id: 0, macAddress: mac(0), address: ip, cidr: `${ip}/32` }]))
		const { refused } = select({ interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map(), needed }, host)
		expect(refused.map(({ refusal }) => refusal.reason)).toEqual(isRefused ? ['InUse'] : [])
	})
})
