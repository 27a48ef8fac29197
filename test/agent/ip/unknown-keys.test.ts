import { describe, expect, test } from 'vitest'
import { distinctEncap } from '../../../agent/ip/parse-encap.ts'
import { parseNetwork } from '../../../agent/ip/parse-network.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { linksOf } from '../../../agent/model/route.ts'
import { hardwareOnly } from '../../../agent/plan/match-link.ts'
import { hostWith } from '../simulated-host.ts'

/** The output of `ip -j` is parsed completely, including keys that the agent does not know. */

const nic = { ifindex: 3, ifname: 'ens7', flags: ['UP'], mtu: 1500, link_type: '[1]', address: 'fa:16:3e:37:c3:f1', addr_info: [] }
const lo = { ifindex: 1, ifname: 'lo', flags: ['UP'], mtu: 1500, link_type: '[772]' }
const address = { family: 'inet', local: '169.254.0.5', prefixlen: 16, scope: '0', label: 'ens7' }
const route = { type: '1', dst: '10.1.0.0/16', dev: 'ens7', table: '254', protocol: '3', scope: '253', flags: [] }
const empty = { addresses: [lo, nic], routes: [], neighbours: [] }

describe('a key that the agent does not know', () => {
	test.each([
		['of the link', { ...empty, addresses: [lo, { ...nic, colour: 1 }] }, 'colour', 'ip -j -d addr show dev ens7'],
		[
			'of an address',
			{ ...empty, addresses: [lo, { ...nic, addr_info: [{ ...address, colour: 1 }] }] },
			'colour',
			'ip -j -d addr show dev ens7',
		],
		['of a route', { ...empty, routes: [{ ...route, colour: 1 }] }, 'colour', 'ip -j -d route show table main 10.1.0.0/16'],
		[
			'of an IPv6 route',
			{ ...empty, routes: [{ ...route, dst: 'fd00::/64', colour: 1 }] },
			'colour',
			'ip -j -d route show table main fd00::/64',
		],
		[
			'as a flag of a route',
			{ ...empty, routes: [{ ...route, flags: ['pervasive'] }] },
			'flag pervasive',
			'ip -j -d route show table main 10.1.0.0/16',
		],
		[
			'as a metric of a route',
			{ ...empty, routes: [{ ...route, metrics: [{ mtu: 1400, '23': 1 }] }] },
			'23',
			'ip -j -d route show table main 10.1.0.0/16',
		],
		['as an encapsulation', { ...empty, routes: [{ ...route, encap: 'bpf' }] }, 'encap bpf', 'ip -j -d route show table main 10.1.0.0/16'],
		[
			'of one of several next hops',
			{
				...empty,
				routes: [
					{
						...route,
						dev: undefined,
						nexthops: [
							{ dev: 'ens7', weight: 1, flags: [], colour: 1 },
							{ dev: 'ens7', weight: 2, flags: [] },
						],
					},
				],
			},
			'colour',
			'ip -j -d route show table main 10.1.0.0/16',
		],
		[
			'of a next hop object',
			{ ...empty, nextHops: [{ id: 7, dev: 'ens7', flags: [], colour: 1 }] },
			'colour',
			'ip -j -d nexthop show id 7',
		],
		[
			'of a neighbour',
			{ ...empty, neighbours: [{ dst: '10.0.0.9', dev: 'ens7', state: ['PERMANENT'], colour: 1 }] },
			'colour',
			'ip -j -d neigh show to 10.0.0.9',
		],
		[
			'of a neighbour proxy',
			{ ...empty, proxies: [{ dst: '10.0.0.9', dev: 'ens7', proxy: null, colour: 1 }] },
			'colour',
			'ip -j -d neigh show proxy',
		],
	])('%s makes the agent refuse the NIC, and the message contains the key and the command', (_, documents, key, see) => {
		const { links, routes } = parseNetwork(documents)
		expect(links.map(({ unknown }) => unknown?.[0])).toContainEqual({ key, see })
		const { refused } = plan(wantedOn(nic.address), hostWith(links, { routes }), {})
		expect(refused.map(({ refusal }) => refusal)).toEqual([{ reason: 'InUse', message: expect.stringContaining(`'${key}'`) }])
		expect(refused[0]?.refusal.message).toContain(see)
	})

	test('of another link does not make the agent refuse the NIC', () => {
		const { links } = parseNetwork({ ...empty, addresses: [{ ...lo, colour: 1 }, nic] })
		expect(plan(wantedOn(nic.address), hostWith(links), {}).refused).toEqual([])
	})
})

describe('a route uses', () => {
	test.each([
		['the link in `dev`', route, [3]],
		['no link', { ...route, dev: undefined, type: '7' }, []],
		[
			'every link of its next hops, each once',
			{ ...route, dev: undefined, nexthops: ['ens7', 'lo', 'ens7'].map(dev => ({ dev, weight: 1, flags: [] })) },
			[3, 1],
		],
		['the link of its next hop object, if the kernel shows only the object', { ...route, dev: undefined, nhid: 7 }, [3]],
		['the links of a group of next hop objects, if the kernel shows only the group', { ...route, dev: undefined, nhid: 9 }, [3, 1]],
	])('%s', (_, raw, links) => {
		const nextHops = [
			{ id: 7, gateway: '10.0.0.1', dev: 'ens7', scope: '253', flags: [] },
			{ id: 8, gateway: '127.0.0.2', dev: 'lo', scope: '253', flags: [] },
			{ id: 9, group: [{ id: 7, weight: 3 }, { id: 8 }], scope: '0', flags: [] },
		]
		expect(parseNetwork({ ...empty, routes: [raw], nextHops }).routes.map(linksOf)).toEqual([links])
	})
})

test('an encapsulation has separate keys, even though `ip` prints `dst` and `tos` twice', () => {
	const text =
		'[{"type":"1","dst":"10.1.0.0/16","encap":"ip","id":5,"src":"0.0.0.0","dst":"10.0.0.77","ttl":4,"tos":3,"key":true,"tos":"0x10","dev":"ens7","table":"254","protocol":"3","scope":"253","flags":[]}]'
	const { routes, links } = parseNetwork({ ...empty, routes: JSON.parse(distinctEncap(text)) })
	expect(routes).toMatchObject([{ to: '10.1.0.0/16', tos: 16, encap: 'ip id 5 ttl 4 tos 0x3 src 0.0.0.0 dst 10.0.0.77 key' }])
	expect(links.flatMap(({ unknown }) => unknown ?? [])).toEqual([])
})

function wantedOn(macAddress: string) {
	const one = { id: 0, name: 'multinic0', macAddress, policyRouting: true, defaultRoute: false, connectedRoute: true }
	return { interfaces: [one], nodeAddresses: [], kinds: hardwareOnly, failed: new Map() }
}
