import { describe, expect, test } from 'vitest'
import { parseRules } from '../../../agent/ip/parse-rules.ts'
import type { Rule } from '../../../agent/model/host-state.ts'

/** Every form of a rule in the output of `ip -N -j -d rule show` (iproute2 6.1), and how the agent prints it. */
describe('a rule is parsed completely', () => {
	test.each<[title: string, raw: object, rule: Partial<Rule>, words: string]>([
		[
			'with a source address',
			{ src: '10.0.0.23', table: '100', protocol: '4' },
			{ from: '10.0.0.23/32', plain: true },
			'from 10.0.0.23 lookup 100',
		],
		['for all packets', { src: 'all', table: '254', protocol: '0' }, { from: '0.0.0.0/0', table: 254, plain: true }, 'from all lookup 254'],
		[
			'with an inverted mark',
			{ not: null, src: 'all', fwmark: '0x1bd00', fwmask: '0xff00', table: '7120' },
			{ inverted: true, mark: { value: 0x1bd00, mask: 0xff00 }, plain: false },
			'not from all fwmark 0x1bd00/0xff00 lookup 7120',
		],
		[
			'with only a mark',
			{ src: 'all', fwmark: '0x5', table: '5' },
			{ mark: { value: 5, mask: 0xffffffff } },
			'from all fwmark 0x5 lookup 5',
		],
		[
			'with addresses, links and TOS',
			{ src: '10.0.0.0', srclen: 8, dst: '10.1.0.0', dstlen: 16, tos: '0x10', iif: 'lo', oif: 'mgmt', table: '77' },
			{ from: '10.0.0.0/8', to: '10.1.0.0/16', tos: 16, iif: 'lo', oif: 'mgmt' },
			'from 10.0.0.0/8 to 10.1.0.0/16 tos 0x10 iif lo oif mgmt lookup 77',
		],
		[
			'with users, protocol and ports',
			{ src: 'all', uid_start: 1000, uid_end: 2000, ipproto: 'ipproto-6', sport_start: 80, sport_end: 90, dport: 443, table: '78' },
			{ uids: [1000, 2000], protocol: 6, sport: [80, 90], dport: [443, 443] },
			'from all uidrange 1000-2000 ipproto 6 sport 80-90 dport 443 lookup 78',
		],
		[
			'that suppresses a default route',
			{ src: 'all', table: '254', suppress_prefixlen: 0 },
			{ suppressPrefixLength: 0, table: 254 },
			'from all lookup 254 suppress_prefixlength 0',
		],
		['that drops packets', { src: 'all', action: '6' }, { action: 'blackhole', table: 0 }, 'from all blackhole'],
		['that jumps to another rule', { src: '1.2.3.4', goto: 32766 }, { action: 'goto', goto: 32766 }, 'from 1.2.3.4 goto 32766'],
		['that does nothing', { src: 'all', nop: null }, { action: 'nop' }, 'from all nop'],
		['for VRFs', { src: 'all', l3mdev: null }, { action: 'l3mdev' }, 'from all l3mdev'],
		[
			'with a link that no longer exists',
			{ src: 'all', iif: 'ens9', iif_detached: null, table: '7' },
			{ iif: 'ens9' },
			'from all iif ens9 lookup 7',
		],
		['with an unknown key', { src: 'all', tun_id: 5, table: '5' }, { unknown: ['tun_id'], plain: false }, 'from all tun_id 5 lookup 5'],
	])('%s', (_, raw, rule, words) => {
		expect(parseRules([{ priority: 110, ...raw }], 4)).toMatchObject([{ family: 4, priority: 110, ...rule, words }])
	})

	test('for IPv6', () => {
		expect(parseRules([{ priority: 5, src: 'fd00::', srclen: 8, table: '99' }], 6)).toMatchObject([
			{ family: 6, from: 'fd00::/8', words: '-6 from fd00::/8 lookup 99' },
		])
	})
})
