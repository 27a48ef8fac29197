import { describe, expect, test } from 'vitest'
import { withLocks } from '../../../agent/host/locked-metrics.ts'
import { groupSteps } from '../../../agent/ip/batches.ts'
import { routeToAdd } from '../../../agent/ip/format-route.ts'
import type { Address } from '../../../agent/model/address.ts'
import type { Neighbour } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { asSteps, type Change } from '../../../agent/model/change.ts'

/** The lines that are written to `ip`, and which lines are in the same batch. */

const address: Address = { family: 4, cidr: '10.0.0.23/24', global: true, dynamic: false }
const neighbour: Neighbour = { ip: '10.0.0.9', mac: '02:00:00:00:00:09', link: 3 }
const give: Change = { kind: 'addAddress', link: 3, address }
const up: Change = { kind: 'up', link: 3 }
const know: Change = { kind: 'addNeighbour', neighbour }

describe('the batches for `ip`', () => {
	test.each<[string, Change[], number[]]>([
		['contain a link and its addresses together', [up, give, give], [3]],
		[
			'contain each neighbour separately, because `ip` ends a batch at a neighbour that the kernel rejects',
			[up, give, know, know, give],
			[2, 1, 1, 1],
		],
		['contain a neighbour separately even if it is the first change', [know, up, give], [1, 2]],
	])('%s', (_, changes, sizes) => {
		const parts = groupSteps(asSteps(changes))
		expect(parts.map(part => ('batch' in part ? part.batch.length : 0))).toEqual(sizes)
	})
})

const route: Route = { family: 4, to: '10.1.0.0/16', link: 3, table: 254, metric: 0, protocol: 4, type: 1, scope: 253, onlink: false }

describe('a route is added with options that `ip` parses in the same way as it prints them', () => {
	test.each<[string, Partial<Route>, string]>([
		['a hexadecimal DS field', { tos: 16 }, 'tos 0x10'],
		['a locked metric', { metrics: { mtu: 'lock 1400' } }, 'mtu lock 1400'],
	])('%s', (_, more, words) => {
		expect(routeToAdd({ ...route, ...more })).toContain(words)
	})
})

describe('a locked metric is detected from its line', () => {
	test.each<[string, Partial<Route>, string, Record<string, string>]>([
		[
			'for an IPv4 route',
			{ metrics: { mtu: '1400' } },
			'1 10.1.0.0/16 dev ens0 table 254 proto 4 scope 253 mtu lock 1400 ',
			{ mtu: 'lock 1400' },
		],
		[
			'for a route without a table, which is in the main table',
			{ metrics: { mtu: '1400' } },
			'1 10.1.0.0/16 dev ens0 mtu lock 1400',
			{ mtu: 'lock 1400' },
		],
		[
			'for an IPv6 default route',
			{ family: 6, to: '::/0', metric: 1024, metrics: { mtu: '1400' } },
			'1 default via fe80::1 dev ens0 table 254 proto 4 scope 0 metric 1024 mtu lock 1400 pref medium',
			{ mtu: 'lock 1400' },
		],
		[
			'not for a route with a different metric',
			{ metrics: { mtu: '1400' } },
			'1 10.1.0.0/16 dev ens0 metric 7 mtu lock 1400',
			{ mtu: '1400' },
		],
		[
			'except rto_min, because `ip` always locks it',
			{ metrics: { rto_min: '200ms' } },
			'1 10.1.0.0/16 dev ens0 rto_min lock 200ms',
			{ rto_min: '200ms' },
		],
	])('%s', (_, more, line, metrics) => {
		expect(withLocks([{ ...route, ...more }], `1 10.9.0.0/16 dev ens0\n${line}\n`)[0]?.metrics).toEqual(metrics)
	})
})
