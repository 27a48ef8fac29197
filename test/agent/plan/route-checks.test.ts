import { expect, test } from 'vitest'
import { wantsRouteTwice } from '../../../agent/plan/route-checks.ts'
import type { Interface } from '../../../contract/interface.ts'
import { inputOf } from './one-nic.ts'

/** The kernel keeps one route per destination, table and metric. */

const to = '10.9.0.0/16'
const [one, other] = ['10.0.0.7', '10.0.0.8']

test.each<[title: string, nic: Partial<Interface>, where: string | undefined]>([
	[
		'with the same destination and two next hops',
		{
			routes: [
				{ to, via: one },
				{ to, via: other },
			],
		},
		'to 10.9.0.0/16 in table 100',
	],
	['with the same destination, one without a next hop', { routes: [{ to, via: one }, { to }] }, 'to 10.9.0.0/16 in table 100'],
	[
		'with the same destination in the main table',
		{
			routes: [
				{ to, via: one, table: 254 },
				{ to, via: other, table: 254 },
			],
		},
		'to 10.9.0.0/16 in table main',
	],
	[
		'with the same destination and metric',
		{
			routes: [
				{ to, via: one, metric: 5 },
				{ to, via: other, metric: 5 },
			],
		},
		'to 10.9.0.0/16 in table 100 with metric 5',
	],
	[
		'with the same IPv6 destination, and a metric by default',
		{
			addresses: ['fd00::23/64'],
			routes: [
				{ to: 'fd09::/64', via: 'fd00::7' },
				{ to: 'fd09::/64', via: 'fd00::8' },
			],
		},
		'to fd09::/64 in table 100 with metric 1024',
	],
	['with the network of the interface as destination', { routes: [{ to: '10.0.0.0/24', via: one }] }, 'to 10.0.0.0/24 in table 100'],
	['with the gateway and another next hop', { gateway: '10.0.0.1', routes: [{ to: '0.0.0.0/0', via: one }] }, 'to 0.0.0.0/0 in table 100'],
	[
		'with the same destination, after another route',
		{ routes: [{ to: '10.8.0.0/16' }, { to, via: one }, { to, via: other }] },
		'to 10.9.0.0/16 in table 100',
	],
	[
		'with the same destination and next hop',
		{
			routes: [
				{ to, via: one },
				{ to, via: one },
			],
		},
		undefined,
	],
	[
		'with the same destination and two metrics',
		{
			routes: [
				{ to, via: one },
				{ to, via: other, metric: 5 },
			],
		},
		undefined,
	],
	[
		'with the same destination in two tables',
		{
			routes: [
				{ to, via: one },
				{ to, via: other, table: 254 },
			],
		},
		undefined,
	],
	[
		'with two destinations',
		{
			routes: [
				{ to, via: one },
				{ to: '10.8.0.0/16', via: other },
			],
		},
		undefined,
	],
])('two routes %s', (_, nic, where) => {
	expect(wantsRouteTwice.find(inputOf({ nic }))).toEqual(
		where && { says: `multinic0 has two routes ${where}, and the kernel keeps one of them` },
	)
})
