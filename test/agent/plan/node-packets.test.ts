import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { lineOf, parseAnswers } from '../../../agent/host/route-lookup.ts'
import { lookupLosses, NO_ROUTE, packetWords } from '../../../agent/plan/lookup-losses.ts'
import type { Packet } from '../../../agent/plan/fib.ts'
import { type Lookup, lookupsOf, MOST_LOOKUPS } from '../../../agent/plan/node-packets.ts'
import { addressIn } from '../../../agent/plan/sample-address.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { contains } from '../../../contract/ip.ts'
import { hostWith } from '../simulated-host.ts'

const four = { family: 4 as const, table: 254, metric: 0, protocol: 3, type: 1, scope: 253, onlink: false }
const address = (cidr: string) => ({ family: 4 as const, cidr, global: true, dynamic: false })
const node = (more: Partial<HostState> = {}) =>
	hostWith(
		[
			{ ifindex: 2, name: 'mgmt', mac: 'fa:16:3e:00:00:99', up: true, addresses: [address('192.168.9.2/24')] },
			{ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:00:00', up: true, addresses: [address('192.168.8.2/24')] },
			{ ifindex: 4, name: 'br0', mac: 'fa:16:3e:00:00:98', up: true, addresses: [address('10.200.0.1/16')] },
		],
		{
			routes: [
				{ ...four, to: '192.168.9.0/24', link: 2 },
				{ ...four, to: '192.168.8.0/24', link: 3 },
				{ ...four, to: '10.200.0.0/16', link: 4 },
				{ ...four, to: '0.0.0.0/0', via: '192.168.9.1', link: 2 },
			],
			rules: withBase([]),
			...more,
		},
	)
const nodeWith = (more: Partial<Link>, routes: Route[] = []): HostState => ({
	...node(),
	links: [...node().links, { ...node().links[0], ...more } as Link],
	routes: [...node().routes, ...routes],
})
const withBase = (rules: readonly Rule[]) => [rule(0, { table: 255 }), ...rules, rule(32_766, { table: 254 })]
const subject = {
	touched: new Set([3]),
	networks: ['10.0.0.0/24'],
	given: ['10.0.0.23'],
	paths: ['10.96.0.1', 'api.example.org'],
	pods: ['10.244.0.0/17'],
	bases: [DEFAULT_BASES],
}
const words = (host: HostState, about: Partial<typeof subject> = {}) => lookupsOf(host, { ...subject, ...about }).lookups.map(shown)

function rule(priority: number, more: Partial<Rule> = {}): Rule {
	return { family: 4, priority, from: '0.0.0.0/0', table: 0, plain: false, words: `rule ${priority}`, ...more }
}

function shown(one: Lookup): string {
	return lineOf(one)
		.replace(/if0*(\d+)/g, 'if$1')
		.replace('route get ', '')
}

describe('lookups derived from the host', () => {
	test.each<[title: string, host: HostState, wanted: string[]]>([
		['the API server, gateways and destinations outside, without a source', node(), ['10.96.0.1', '192.168.9.1', '9.9.9.9', '198.41.0.4']],
		['the metadata service, with and without a source', node(), ['169.254.169.254', '169.254.169.254 from 192.168.9.2']],
		['from each address of the node', node(), ['10.96.0.1 from 192.168.9.2', '9.9.9.9 from 10.200.0.1', '192.168.9.1 from 10.200.0.1']],
		[
			'from an address without a network to a neighbouring one without a host route, in a network of the run',
			nodeWith({ ifindex: 5, name: 'eth5', addresses: [address('10.0.0.7/32')] }, [{ ...four, to: '10.0.0.1/32', link: 5 }]),
			['10.0.0.2 from 10.0.0.7'],
		],
		['to a neighbour in each network', node(), ['10.200.0.2', '192.168.9.3 from 10.200.0.1'].map(line => line.replace('9.3', '9.1'))],
		[
			'to a network that is reached through a next hop',
			nodeWith({ ifindex: 5, name: 'tun5', addresses: [] }, [{ ...four, to: '10.244.2.0/24', via: '169.254.7.7', link: 5, onlink: true }]),
			['10.244.2.1', '10.244.2.1 from 192.168.9.2'],
		],
		['forwarded from each network', node(), ['9.9.9.9 from 10.200.0.2 iif if4', '10.96.0.1 from 10.200.0.2 iif if4']],
		[
			'where a network of the run overlaps another route',
			node({ routes: [...node().routes, { ...four, to: '10.0.0.128/25', via: '192.168.9.7', link: 2 }] }),
			['10.0.0.129', '10.0.0.129 from 192.168.9.2'],
		],
		[
			'with a mark, for a rule with a mark',
			node({ rules: withBase([rule(5, { mark: { value: 0x400, mask: 0xfff }, table: 9 })]) }),
			['9.9.9.9 mark 1024'],
		],
		[
			'with and without a mark, for an inverted rule',
			node({ rules: withBase([rule(5, { mark: { value: 0x1bd00, mask: 0xff00 }, inverted: true, table: 9 })]) }),
			['9.9.9.9 mark 113920', '9.9.9.9 mark 113664'],
		],
		['of a user, for a rule with users', node({ rules: withBase([rule(5, { uids: [1000, 2000], table: 9 })]) }), ['9.9.9.9 uid 1000']],
		[
			'of a protocol and port, for a rule with both',
			node({ rules: withBase([rule(5, { protocol: 6, dport: [443, 500], table: 9 })]) }),
			['9.9.9.9 ipproto 6 dport 443'],
		],
		[
			'arriving on a link, for a rule with that link',
			node({ rules: withBase([rule(5, { iif: 'br0', table: 9 })]) }),
			['9.9.9.9 from 10.200.0.2 iif if4'],
		],
		[
			'from a network that is reached over a link',
			node({ rules: withBase([rule(5, { from: '10.200.7.0/24', table: 9 })]) }),
			['9.9.9.9 from 10.200.7.1 iif if4'],
		],
		['to the network of a rule', node({ rules: withBase([rule(5, { to: '172.16.0.0/12', table: 9 })]) }), ['172.16.0.1']],
		[
			'for the whole route if it has several next hops',
			node({
				routes: [
					{
						...four,
						to: '0.0.0.0/0',
						nextHops: [
							{ via: '192.168.9.1', link: 2, weight: 1, onlink: false },
							{ via: '192.168.8.1', link: 3, weight: 1, onlink: false },
						],
					} as Route,
				],
			}),
			['fibmatch 9.9.9.9'],
		],
	])('%s', (_, host, wanted) => {
		expect(words(host)).toEqual(expect.arrayContaining(wanted))
	})

	test.each<[title: string, ip: string]>([
		['of another pool', '172.20.0.5'],
		['of the other half of a pool, which is not in the config', '10.244.128.5'],
	])('include a pod %s even if there are many others', (_, ip) => {
		const pods = [...Array.from({ length: 20 }, (_, at) => `10.244.1.${at + 10}`), ip]
		const host = nodeWith(
			{ ifindex: 5, name: 'cali5', addresses: [] },
			pods.map(to => ({ ...four, to: `${to}/32`, link: 5 })),
		)
		expect(words(host)).toEqual(expect.arrayContaining(['10.244.1.10', ip]))
		expect(words(host)).not.toContain('10.244.1.29')
	})

	test('exclude the addresses and networks of a link that the run changes', () => {
		expect(words(node()).filter(line => line.includes('192.168.8.'))).toEqual([])
	})

	test('exclude a /32 address on lo or a dummy link, which sends no packets', () => {
		const addresses = [address('10.0.0.7/32')]
		for (const more of [
			{ ifindex: 1, name: 'lo' },
			{ ifindex: 5, name: 'kube-ipvs0', kind: 'dummy' },
		])
			expect(words(nodeWith({ ...more, addresses })).filter(line => line === '10.0.0.1 from 10.0.0.7')).toEqual([])
	})

	test('exclude an address that the run assigns, even if it is the first of a network', () => {
		const host = node({ rules: withBase([rule(5, { to: '10.200.0.2/32', table: 9 }), rule(6, { from: '10.200.0.2/32', table: 9 })]) })
		expect(words(host, { given: ['10.200.0.2', '192.168.9.1'] }).filter(line => /10\.200\.0\.2\b|192\.168\.9\.1\b/.test(line))).toEqual([])
	})

	test('skip a rule whose selectors `ip route get` cannot express', () => {
		expect(
			words(
				node({ rules: withBase([rule(5, { unknown: ['tun_id'], table: 9 }), rule(6, { action: 'l3mdev' }), rule(7, { iif: 'gone0' })]) }),
			),
		).toEqual(words(node()))
	})

	test('include one rule for all that differ only in an address, and the notes contain this', () => {
		const many = Array.from({ length: 3_000 }, (_, at) => {
			const from = `10.200.${Math.floor(at / 250)}.${(at % 250) + 2}`
			return rule(600, { from: `${from}/32`, table: 9, words: `from ${from} lookup 9` })
		})
		const { lookups, notes } = lookupsOf(node({ rules: withBase(many) }), subject)
		expect(lookups.length).toBeLessThan(100)
		expect(notes).toEqual(['rules that differ only in an address are represented by one of them'])
	})

	test('are limited to 2,000, and the notes report the limit', () => {
		const many = Array.from({ length: 3_000 }, (_, at) =>
			rule(at + 1, { mark: { value: at + 1, mask: 0xffff }, table: 9, words: `mark ${at}` }),
		)
		const { lookups, notes } = lookupsOf(node({ rules: withBase(many) }), subject)
		expect(lookups).toHaveLength(MOST_LOOKUPS)
		expect(notes).toEqual([`the node has more routes than the ${MOST_LOOKUPS} that are looked up`])
	})
})

describe('a limited number of lookups still covers', () => {
	const v6 = { ...four, family: 6 as const, metric: 256, scope: 0 }
	const networks = Array.from({ length: 1_200 }, (_, n) => `172.${20 + Math.floor(n / 250)}.${n % 250}`)
	const bridges = networks.map((net, n) => ({
		ifindex: 100 + n,
		name: `b${n}`,
		mac: '02:00:00:00:00:01',
		up: true,
		addresses: [address(`${net}.1/24`)],
	}))
	const marked = rule(5, { mark: { value: 1, mask: 1 }, table: 77, words: 'fwmark 1 lookup 77' })
	const large = {
		...node(),
		links: [...node().links, ...hostWith(bridges).links],
		routes: [
			...node().routes,
			...networks.map((net, n) => ({ ...four, to: `${net}.0/24`, link: 100 + n })),
			{ ...v6, to: '::/0', via: 'fd09::1', link: 2 },
		],
		rules: withBase([marked]),
	}
	const said = words(large)

	test.each<[title: string, wanted: string[]]>([
		['the destinations that the node depends on', ['10.96.0.1', '192.168.9.1']],
		['destinations outside of both families', ['9.9.9.9', '9000::1']],
		['a rule of another program', ['9.9.9.9 mark 1', '10.96.0.1 mark 1']],
		['the addresses of the node', ['9.9.9.9 from 192.168.9.2', '9.9.9.9 from 172.20.9.1']],
		['the neighbours of the node', ['172.20.9.2', '10.200.0.2']],
		['forwarded packets', ['9.9.9.9 from 172.20.9.2 iif if109']],
	])('%s', (_, wanted) => {
		expect(said).toHaveLength(MOST_LOOKUPS)
		expect(said).toEqual(expect.arrayContaining(wanted))
	})
})

describe('a lookup result is compared with the earlier one:', () => {
	const packet = { family: 4 as const, to: '9.9.9.9' }
	const by = (...links: number[]) => ({ links })
	test.each<[title: string, before: object, after: object, isLoss: boolean]>([
		['the same link', by(2), by(2), false],
		['another link', by(2), by(3), true],
		['another source', { ...by(2), source: '192.168.9.2' }, { ...by(2), source: '192.168.9.3' }, true],
		['a global source instead of a link-local one', { ...by(2), source: 'fe80::1' }, { ...by(2), source: 'fd00::23' }, false],
		['no route', by(2), { error: NO_ROUTE }, true],
		['another next hop of several', { ...by(2, 4), whole: 'a' }, { ...by(2, 4), whole: 'b' }, true],
		['a route where there was none', { error: NO_ROUTE }, by(3), false],
		['a route where packets were rejected', { error: 'Invalid argument' }, by(3), true],
		['the same error', { error: 'Invalid argument' }, { error: 'Invalid argument' }, false],
		['another link than one that the run changes', by(3), by(2), false],
		['no route instead of a link that the run changes', by(3), { error: NO_ROUTE }, false],
		['another link than one that no longer exists: a pod has ended', by(9), by(2), false],
		['no route instead of a link that no longer exists', by(9), { error: NO_ROUTE }, false],
	])('%s', (_, before, after, isLoss) => {
		const found = lookupLosses(
			[packet],
			{ before: [before as never], after: [after as never] },
			{ touched: new Set([3]), needed: [], host: node() },
		)
		expect(found).toHaveLength(isLoss ? 1 : 0)
	})
})

test.each<[title: string, packet: Packet, isLoss: boolean]>([
	['exists', { family: 4, to: '9.9.9.9', from: '10.200.0.2', iif: 4 }, true],
	['no longer exists', { family: 4, to: '9.9.9.9', from: '10.200.0.2', iif: 9 }, false],
	['no longer has the source address of the packet', { family: 4, to: '9.9.9.9', from: '10.201.0.1' }, false],
])('a packet without a route after the run is a loss or not, depending on its input link, which %s', (_, packet, isLoss) => {
	const answers = { before: [{ links: [2] }], after: [{ error: NO_ROUTE }] }
	expect(lookupLosses([packet], answers, { touched: new Set([3]), needed: [], host: node() })).toHaveLength(isLoss ? 1 : 0)
})

test('a missing link of the run is a loss if the node depends on a destination that was reached over it', () => {
	const answers = { before: [{ links: [33] }], after: [{ error: NO_ROUTE }] }
	const judging = { touched: new Set([33]), needed: ['10.96.0.1'], host: node() }
	expect(lookupLosses([{ family: 4, to: '10.96.0.1' }], answers, judging)).toHaveLength(1)
})

test('a missing route to a destination that the node depends on is a loss, regardless of its link', () => {
	const found = lookupLosses(
		[{ family: 4, to: '10.96.0.1' }],
		{ before: [{ links: [3] }], after: [{ error: NO_ROUTE }] },
		{ touched: new Set([3]), needed: ['10.96.0.1'], host: node() },
	)
	expect(found.map(({ words }) => words)).toEqual([
		'packets to 10.96.0.1 leave through ens7 before the change and have no route (Network is unreachable) after it',
	])
})

test.each([
	['a sample of destinations outside', '9.9.9.9', 'destinations outside (such as 9.9.9.9)'],
	['an IPv6 sample of destinations outside', '9000::1', 'destinations outside (such as 9000::1)'],
	['a nameserver that is also such a sample', '45.45.45.45', '45.45.45.45'],
])('a message describes %s by its kind', (_, to, words) => {
	expect(packetWords({ family: 4, to }, { needed: ['45.45.45.45'], links: [] })).toBe(`packets to ${words}`)
})

describe('results are matched to lookups', () => {
	const links = [{ ifindex: 2, name: 'mgmt' }]
	const asked = ['1.1.1.1', '2.2.2.2', '3.3.3.3'].map((to): Lookup => ({ family: 4, to }))
	const answer = (to: string) => JSON.stringify([{ dst: to, dev: 'mgmt', prefsrc: '192.168.9.2', flags: [], cache: [] }])

	test('by the line numbers of the failed lookups', () => {
		const stderr = 'RTNETLINK answers: Network is unreachable\nCommand failed -:2\n'
		expect(parseAnswers(asked, { stdout: `${answer('1.1.1.1')}\n${answer('3.3.3.3')}\n`, stderr }, links)).toEqual([
			{ links: [2], source: '192.168.9.2' },
			{ error: 'Network is unreachable' },
			{ links: [2], source: '192.168.9.2' },
		])
	})

	test('and a missing result is an error', () => {
		expect(() => parseAnswers(asked, { stdout: `${answer('1.1.1.1')}\n`, stderr: '' }, links)).toThrow('returned 1 of 3 results')
	})
})

test('a free address of a network is in the network and is not one of the given addresses', () => {
	const network = fc.tuple(fc.nat({ max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 32 })).map(([value, length]) => {
		const base = length === 32 ? value : Math.floor(value / 2 ** (32 - length)) * 2 ** (32 - length)
		return `${[24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256).join('.')}/${length}`
	})
	fc.assert(
		fc.property(network, fc.nat({ max: 5 }), (cidr, most) => {
			const taken = new Set<string>()
			for (let n = 0; n < most; n++) taken.add(addressIn(cidr, taken) ?? '')
			const ip = addressIn(cidr, taken)
			expect(ip === undefined || (contains(cidr, ip) && !taken.has(ip))).toBe(true)
		}),
	)
})
