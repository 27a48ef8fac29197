import { describe, expect, test } from 'vitest'
import type { Route } from '../../../agent/model/route.ts'
import { ownPackets } from '../../../agent/plan/own-packets.ts'
import { type Interface, Interfaces, type OfNode, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { address, localRoute, route } from './routing-objects.ts'

/** The packets that must work from each desired address of an interface. */

const mac = (id: number) => `fa:16:3e:00:00:0${id}`
type Case = { nics: Partial<Interface>[]; ofNode?: OfNode; addresses?: string[]; routes?: Route[] }

/** The node has the addresses on mgmt; the links of the interfaces are 7, 8 … */
function packetsOf({ nics, ofNode = {}, addresses = [], routes = [] }: Case) {
	const host = hostWith([{ ifindex: 2, name: 'mgmt', mac: '02:00:00:00:00:02', addresses: addresses.map(cidr => address(cidr)) }], {
		routes,
	})
	const wanted = settle(Interfaces.parse(nics.map((nic, id) => ({ id, macAddress: mac(id), ...nic }))), ofNode)
	return ownPackets(
		wanted.map(nic => ({ nic, link: { ifindex: 7 + nic.id } })),
		host,
	)
}

/** Each packet once: `to` or `to, a sample of …`. */
const destinationsOf = (given: Case, from = '10.0.0.23') => [
	...new Set(
		packetsOf(given)
			.filter(packet => !packet.local && packet.from === from)
			.map(({ to, sampleOf }) => (sampleOf === undefined ? to : `${to}, a sample of ${sampleOf}`)),
	),
]
const localOf = (given: Case, from = '10.0.0.23') =>
	packetsOf(given).flatMap(packet => (packet.local && packet.from === from ? [packet.to] : []))

const OUTSIDE = ['9.9.9.9, a sample of destinations outside', '198.41.0.4, a sample of destinations outside']
const NEIGHBOUR = '10.0.0.1, a sample of 10.0.0.0/24'

describe('an interface sends through its own link', () => {
	test.each<[title: string, given: Case, destinations: string[]]>([
		['packets to its network', { nics: [{ addresses: ['10.0.0.23/24'] }] }, [NEIGHBOUR]],
		[
			'packets to its network, its gateway and destinations outside',
			{ nics: [{ addresses: ['10.0.0.23/24'], gateway: '10.0.0.254' }] },
			[NEIGHBOUR, '10.0.0.254', ...OUTSIDE],
		],
		[
			'packets to a gateway that also represents its network',
			{ nics: [{ addresses: ['10.0.0.23/24'], gateway: '10.0.0.1' }] },
			['10.0.0.1', ...OUTSIDE],
		],
		[
			'only packets to its network if it has no table',
			{ nics: [{ addresses: ['10.0.0.23/24'], gateway: '10.0.0.254', policyRouting: false }] },
			[NEIGHBOUR],
		],
		[
			'only packets to its network if the gateway is of the other family',
			{ nics: [{ addresses: ['10.0.0.23/24', 'fd00::23/64'], gateway: 'fd00::1' }] },
			[NEIGHBOUR],
		],
		[
			'no packet to a gateway whose address the node has',
			{ nics: [{ addresses: ['10.0.0.23/24'], gateway: '10.0.0.254' }], addresses: ['10.0.0.254/24'] },
			[NEIGHBOUR, ...OUTSIDE],
		],
		[
			'packets to a neighbour whose address neither the node nor another interface has',
			{ nics: [{ addresses: ['10.0.0.23/24'] }, { addresses: ['10.0.0.2/24'] }], addresses: ['10.0.0.1/24'] },
			['10.0.0.3, a sample of 10.0.0.0/24'],
		],
		[
			'packets to a neighbour that is not a pod',
			{ nics: [{ addresses: ['10.0.0.23/24'] }], ofNode: { podNetworks: ['10.0.0.0/28'] } },
			['10.0.0.16, a sample of 10.0.0.0/24'],
		],
		[
			'packets to destinations outside that are not pods and have no specific route in the main table',
			{
				nics: [{ addresses: ['10.0.0.23/24'], gateway: '10.0.0.254' }],
				ofNode: { podNetworks: ['9.0.0.0/8'] },
				routes: [route('198.41.0.0/16', { link: 2 })],
			},
			[NEIGHBOUR, '10.0.0.254', '45.45.45.45, a sample of destinations outside', '151.101.0.1, a sample of destinations outside'],
		],
		['no packet to the network of a single address', { nics: [{ addresses: ['10.0.0.23/32'] }] }, []],
	])('%s', (_, given, destinations) => {
		expect(destinationsOf(given)).toEqual(destinations)
	})

	const six = ['2620:fe::fe, a sample of destinations outside', '9000::1, a sample of destinations outside']
	test.each<[title: string, gateway: string, destinations: string[]]>([
		['its gateway, in any notation', 'FD00:0::1', ['fd00::1', ...six]],
		[
			'destinations outside through a link-local gateway, but not to the gateway itself',
			'fe80::1',
			['fd00::1, a sample of fd00::/64', ...six],
		],
		['only its network if the gateway is IPv4', '10.0.0.1', ['fd00::1, a sample of fd00::/64']],
	])('IPv6 packets to %s', (_, gateway, destinations) => {
		expect(destinationsOf({ nics: [{ addresses: ['fd00::23/64', '10.0.0.23/24'], gateway }] }, 'fd00::23')).toEqual(destinations)
	})

	test('no packet from a link-local address', () => {
		expect(packetsOf({ nics: [{ addresses: ['fe80::23/64'] }], addresses: ['fd09::2/64'], routes: [localRoute('fd09::2', 2)] })).toEqual([])
	})
})

test('a packet has its interface, link, family and source', () => {
	const nics = [{ addresses: ['10.0.0.23/24'] }, { addresses: ['fd00::23/64'] }]
	expect(packetsOf({ nics })).toEqual([
		{ id: 0, link: 7, family: 4, from: '10.0.0.23', to: '10.0.0.1', sampleOf: '10.0.0.0/24' },
		{ id: 1, link: 8, family: 6, from: 'fd00::23', to: 'fd00::1', sampleOf: 'fd00::/64' },
	])
})

test('a packet to the node itself is local and not a sample', () => {
	const packets = packetsOf({ nics: [{ addresses: ['10.0.0.23/24'] }], routes: [localRoute('10.0.0.23', 7)] })
	expect(packets.slice(1)).toEqual([{ id: 0, link: 7, family: 4, from: '10.0.0.23', to: '10.0.0.23', local: true }])
})

describe('the node keeps packets', () => {
	const nics = [{ addresses: ['10.0.0.23/24', 'fd00::23/64'] }]
	const mgmt = ['192.168.9.2/24', '192.168.9.3/24', '10.244.0.1/24', 'fd09::2/64']
	const locals = mgmt.map(cidr => localRoute(cidr.replace(/\/.*/, ''), 2))
	const own = localRoute('10.0.0.23', 7)
	test.each<[title: string, given: Case, to: string[]]>([
		['to the address itself', { nics, routes: [own] }, ['10.0.0.23']],
		['to nothing if no address is local', { nics, addresses: mgmt }, []],
		['to nothing if the route is in another table', { nics, routes: [{ ...own, table: 254 }] }, []],
		['to nothing if the route has another type', { nics, routes: [{ ...own, type: 3 }] }, []],
		['to nothing if only the network is local', { nics, routes: [{ ...own, to: '10.0.0.0/24' }] }, []],
		['to the first other address of the family', { nics, addresses: mgmt, routes: locals }, ['192.168.9.2']],
		[
			'to the first address that is local',
			{ nics, addresses: mgmt, routes: locals.filter(({ to }) => to !== '192.168.9.2/32') },
			['192.168.9.3'],
		],
		['to the address itself and another one', { nics, addresses: mgmt, routes: [own, ...locals] }, ['10.0.0.23', '192.168.9.2']],
		[
			'also to one address of each pod network',
			{ nics, addresses: mgmt, routes: locals, ofNode: { podNetworks: ['10.244.0.0/24', '10.245.0.0/24'] } },
			['192.168.9.2', '10.244.0.1'],
		],
		[
			'only once to an address that is also the first one of a pod network',
			{ nics, addresses: mgmt, routes: locals, ofNode: { podNetworks: ['192.168.9.0/24'] } },
			['192.168.9.2'],
		],
		[
			'not to a loopback address',
			{ nics, addresses: ['127.0.0.1/8', ...mgmt], routes: [localRoute('127.0.0.1', 1), ...locals] },
			['192.168.9.2'],
		],
		[
			'to another interface only from that one',
			{
				nics: [...nics, { addresses: ['10.0.1.23/24'] }],
				addresses: ['10.0.1.23/24', ...mgmt],
				routes: [localRoute('10.0.1.23', 8), ...locals],
			},
			['192.168.9.2'],
		],
	])('%s', (_, given, to) => {
		expect(localOf(given)).toEqual(to)
	})

	test('over IPv6 to an IPv6 address that is not link-local', () => {
		const addresses = ['fe80::2/64', ...mgmt]
		expect(localOf({ nics, addresses, routes: [localRoute('fe80::2', 2), ...locals] }, 'fd00::23')).toEqual(['fd09::2'])
	})
})
