import { describe, expect, test } from 'vitest'
import { lineOf } from '../../../agent/host/route-lookup.ts'
import type { Rule } from '../../../agent/model/host-state.ts'
import { fibOf } from '../../../agent/plan/fib.ts'
import { packetsFor } from '../../../agent/plan/rule-packets.ts'
import { hostWith } from '../simulated-host.ts'
import { address, route, rule } from './routing-objects.ts'

/** The packets that represent the traffic that a rule matches. */

const host = hostWith(
	[
		{ ifindex: 1, name: 'lo', mac: '00:00:00:00:00:00', up: true },
		{ ifindex: 2, name: 'mgmt', mac: '02:00:00:00:00:02', up: true, addresses: [address('192.168.9.2/24'), address('fe80::2/64')] },
		{ ifindex: 3, name: 'br0', mac: '02:00:00:00:00:03', up: true, addresses: [address('10.200.0.1/16'), address('fd02::1/64')] },
		{ ifindex: 4, name: 'tun0', mac: '02:00:00:00:00:04', up: true, addresses: [] },
		{ ifindex: 5, name: 'p2p0', mac: '02:00:00:00:00:05', up: true, addresses: [address('172.31.0.1/32')] },
	],
	{
		routes: [
			route('0.0.0.0/0', { via: '192.168.9.1', link: 2 }),
			route('10.50.0.0/16', { link: 4 }),
			route('10.60.0.0/16', { type: 7 }),
			route('10.70.0.0/16', { nextHops: [3, 4].map(link => ({ link, weight: 1, onlink: false })) }),
		],
	},
)
const targets = { 4: ['9.9.9.9', '10.96.0.1'], 6: ['9000::1'] }
const taken = new Set(['192.168.9.2', '10.200.0.1', 'fd02::1', 'fe80::2', '172.31.0.1', '10.0.0.23'])

/** The arguments of `ip route get` for each packet. */
function linesOf(more: Partial<Rule>): string[] {
	const one = rule(5, more)
	const lines = packetsFor(one, targets[one.family], { host, fib: fibOf(host), taken }).map(lineOf)
	return lines.map(line => line.replace('route get ', '').replace(/if0*(\d+)/g, 'if$1'))
}

describe('packets for a rule', () => {
	const each = (more: string) => targets[4].map(to => `${to}${more}`)
	test.each<[title: string, selectors: Partial<Rule>, lines: string[]]>([
		['for all packets go to each destination', {}, each('')],
		['of IPv6 go to IPv6 destinations', { family: 6 }, ['9000::1']],
		['with an unknown selector do not exist', { unknown: ['tun_id'] }, []],
		['for VRFs do not exist', { action: 'l3mdev' }, []],
		['with another action go to each destination', { action: 'prohibit' }, each('')],
		['with a mark have that mark', { mark: { value: 0x400, mask: 0xf00 } }, each(' mark 1024')],
		['with mark 0 have that mark', { mark: { value: 0, mask: 0xf00 } }, each(' mark 0')],
		['with a TOS have that TOS', { tos: 8 }, each(' tos 0x8')],
		['with TOS 0 have that TOS', { tos: 0 }, each(' tos 0x0')],
		['with a range of users are of the first user', { uids: [1_000, 2_000] }, each(' uid 1000')],
		['with a protocol have that protocol', { protocol: 17 }, each(' ipproto 17')],
		['with protocol 0 have that protocol', { protocol: 0 }, each(' ipproto 0')],
		['with source ports have the first port', { sport: [80, 90] }, each(' sport 80')],
		['with destination ports have the first port', { dport: [443, 500] }, each(' dport 443')],
		['with an output link are bound to that link', { oif: 'tun0' }, each(' oif if4')],
		['with an output link that does not exist do not exist', { oif: 'gone0' }, []],
		['with input link lo have no input link', { iif: 'lo' }, each('')],
	])('%s', (_, selectors, lines) => {
		expect(linesOf(selectors)).toEqual(lines)
	})
})

describe('packets for a rule with a destination', () => {
	test.each<[title: string, selectors: Partial<Rule>, lines: string[]]>([
		['go to an address of its network', { to: '172.16.0.0/12' }, ['172.16.0.1']],
		['also go to a target in its network', { to: '10.96.0.0/12' }, ['10.96.0.1', '10.96.0.1']],
		['go to each target if it matches all destinations', { to: '0.0.0.0/0' }, targets[4]],
		['go to the address even if the node has it', { to: '192.168.9.2/32' }, ['192.168.9.2']],
	])('%s', (_, selectors, lines) => {
		expect(linesOf(selectors)).toEqual(lines)
	})
})

describe('packets for a rule with an input link', () => {
	const each = (more: string) => targets[4].map(to => `${to}${more}`)
	test.each<[title: string, selectors: Partial<Rule>, lines: string[]]>([
		['come from a neighbour on the link', { iif: 'br0' }, each(' from 10.200.0.2 iif if3')],
		['of IPv6 come from an IPv6 neighbour', { family: 6, iif: 'br0' }, ['9000::1 from fd02::2 iif if3']],
		['come from a documentation address if the link has no address', { iif: 'tun0' }, each(' from 192.0.2.1 iif if4')],
		[
			'of IPv6 come from a documentation address if the link has only a link-local address',
			{ family: 6, iif: 'mgmt' },
			['9000::1 from 2001:db8::1 iif if2'],
		],
		['do not exist if the network of the link has no other address', { iif: 'p2p0' }, []],
		['do not exist if the link does not exist', { iif: 'gone0' }, []],
		['and a source come from the source', { iif: 'br0', from: '10.80.0.0/16' }, each(' from 10.80.0.1 iif if3')],
		['and a source do not come from an address of the node', { iif: 'br0', from: '10.200.0.0/16' }, each(' from 10.200.0.2 iif if3')],
	])('%s', (_, selectors, lines) => {
		expect(linesOf(selectors)).toEqual(lines)
	})
})

describe('packets for a rule with a source', () => {
	const each = (more: string) => targets[4].map(to => `${to}${more}`)
	test.each<[title: string, from: string, lines: string[]]>([
		['come from the address of the node', '192.168.9.0/24', each(' from 192.168.9.2')],
		['arrive on the link to the source', '10.50.0.0/16', each(' from 10.50.0.1 iif if4')],
		['arrive on the link of the default route', '10.80.0.0/16', each(' from 10.80.0.1 iif if2')],
		['arrive on the first of several links', '10.70.0.0/16', each(' from 10.70.0.1 iif if3')],
		['do not come from an address that the run adds', '10.0.0.23/32', []],
		['do not exist if the node rejects packets to the source', '10.60.0.0/16', []],
	])('%s', (_, from, lines) => {
		expect(linesOf({ from })).toEqual(lines)
	})

	test('do not exist if the node has no route to the source', () => {
		expect(linesOf({ family: 6, from: 'fd99::/64' })).toEqual([])
	})
})

describe('packets for an inverted rule include', () => {
	test.each<[title: string, selectors: Partial<Rule>, lines: string[]]>([
		['packets with another mark', { mark: { value: 0x500, mask: 0xf00 } }, ['mark 1280', 'mark 1024']],
		['packets with another mark of 32 bits', { mark: { value: 0x80000000, mask: 0xf0000000 } }, ['mark 2147483648', 'mark 2415919104']],
		['packets of the user after the last one', { uids: [1_000, 2_000] }, ['uid 1000', 'uid 2001']],
		['packets without its protocol and port', { protocol: 6, dport: [80, 90] }, ['ipproto 6 dport 80', '']],
		['packets without its source port and TOS', { tos: 8, sport: [80, 90] }, ['tos 0x8 sport 80', '']],
		['packets from the same source', { from: '192.168.9.0/24', protocol: 6 }, ['from 192.168.9.2 ipproto 6', 'from 192.168.9.2']],
	])('%s', (_, selectors, lines) => {
		expect(linesOf({ ...selectors, to: '172.16.0.0/12', inverted: true })).toEqual(lines.map(line => `172.16.0.1 ${line}`.trim()))
	})

	test('no other packets unless it is inverted', () => {
		expect(linesOf({ mark: { value: 1, mask: 1 }, to: '172.16.0.0/12' })).toEqual(['172.16.0.1 mark 1'])
	})
})
