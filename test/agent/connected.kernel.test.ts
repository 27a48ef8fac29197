import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { driftWords } from '../../agent/report/drift.ts'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost, type Session } from './node-host.ts'

/**
 * Addresses, connected routes, tables and rules of an interface that were changed manually: a run detects, reports and repairs the change.
 */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const nics: Partial<Interface>[] = [
	{ id: 0, macAddress: mac(0), address: '10.0.0.23', cidr: '10.0.0.0/24', addresses: ['10.0.0.24/24', 'fd00::23/64'], gateway: '10.0.0.1' },
	{ id: 1, macAddress: mac(1), address: '10.0.1.23', cidr: '10.0.1.0/24', addresses: ['fd00:1::23/64'], connectedRoute: false },
]

let host: NodeHost
let run: Session

describe.skipIf(!isRoot)('a run detects and repairs a manual change (needs root for network namespaces)', () => {
	beforeAll(async () => {
		host = await nodeHost()
		for (const id of [0, 1]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
		run = host.session()
		const { report, said } = await run(nics)
		expect(report.outcome, said).toBe('Succeeded')
		expect((await run(nics)).report.changes).toBe(0)
	})
	afterAll(() => host.close())

	const on = 'dev multinic0'
	test.each<[title: string, change: string[], drift: RegExp[]]>([
		['a missing connected route', [`route del 10.0.0.0/24 ${on}`], [/^route 10\.0\.0\.0\/24 table main is missing$/]],
		['a missing IPv6 connected route', [`route del fd00::/64 ${on}`], [/^route fd00::\/64 table main metric 256 is missing$/]],
		[
			'a connected route with a different metric',
			[`route del 10.0.0.0/24 ${on}`, `route add 10.0.0.0/24 ${on} proto kernel scope link src 10.0.0.23 metric 50`],
			[/^route 10\.0\.0\.0\/24 table main metric 50 is unexpected$/, /^route 10\.0\.0\.0\/24 table main is missing$/],
		],
		[
			'an IPv6 connected route with a different metric',
			[`route del fd00::/64 ${on}`, `route add fd00::/64 ${on} proto kernel metric 1024`],
			[/^route fd00::\/64 table main is unexpected$/, /^route fd00::\/64 table main metric 256 is missing$/],
		],
		['a second connected route', [`route add 10.0.0.0/24 ${on} metric 7`], [/^route 10\.0\.0\.0\/24 table main metric 7 is unexpected$/]],
		[
			'an address without a connected route (noprefixroute)',
			[
				`addr del 10.0.0.24/24 ${on}`,
				`addr del 10.0.0.23/24 ${on}`,
				`addr add 10.0.0.23/24 ${on} noprefixroute`,
				`addr add 10.0.0.24/24 ${on} noprefixroute`,
			],
			[
				/^address is 10\.0\.0\.23\/24 \(noprefixroute\), not 10\.0\.0\.23\/24$/,
				/^address is 10\.0\.0\.24\/24 \(noprefixroute\)/,
				/^route 10\.0\.0\.0\/24 table 100 is missing$/,
				/^route 0\.0\.0\.0\/0 via 10\.0\.0\.1 table 100 is missing$/,
			],
		],
		[
			'an IPv6 address without a connected route (noprefixroute)',
			[`addr change fd00::23/64 ${on} noprefixroute`],
			[/^address is fd00::23\/64 \(noprefixroute\), not fd00::23\/64$/],
		],
		[
			'an address with a label',
			[`addr del 10.0.0.24/24 ${on}`, `addr add 10.0.0.24/24 brd + ${on} label multinic0:vip`],
			[/^address is 10\.0\.0\.24\/24 \(label multinic0:vip\), not 10\.0\.0\.24\/24$/],
		],
		[
			'addresses with scope link',
			[
				`addr del 10.0.0.24/24 ${on}`,
				`addr del 10.0.0.23/24 ${on}`,
				`addr add 10.0.0.23/24 ${on} scope link`,
				`addr add 10.0.0.24/24 ${on} scope link`,
			],
			[
				/^address is 10\.0\.0\.23\/24 \(scope link\), not 10\.0\.0\.23\/24$/,
				/^address is 10\.0\.0\.24\/24 \(scope link\)/,
				/^route 10\.0\.0\.0\/24 table 100 is missing$/,
				/^route 0\.0\.0\.0\/0 via 10\.0\.0\.1 table 100 is missing$/,
			],
		],
		[
			'an address with a metric',
			[`addr change 10.0.0.23/24 ${on} metric 7`],
			[/^address is 10\.0\.0\.23\/24 \(metric 7\), not 10\.0\.0\.23\/24$/],
		],
		['a deprecated address', [`addr change 10.0.0.24/24 ${on} preferred_lft 0`], [/^address is 10\.0\.0\.24\/24 \(deprecated\), not/]],
		[
			'a deprecated IPv6 address',
			[`addr change fd00::23/64 ${on} preferred_lft 0`],
			[/^address is fd00::23\/64 \(deprecated\), not fd00::23\/64$/],
		],
		[
			'an IPv6 address with a lifetime',
			[`addr change fd00::23/64 ${on} valid_lft 3600 preferred_lft 3600`],
			[/^address is fd00::23\/64 \(a lease\), not fd00::23\/64$/],
		],
		[
			'a rule with a different priority',
			['rule del from 10.0.0.23 priority 10000', 'rule add from 10.0.0.23 table 100 priority 500'],
			[
				/^rule from 10\.0\.0\.23\/32 table 100 priority 500 is unexpected$/,
				/^rule from 10\.0\.0\.23\/32 table 100 priority 10000 is missing$/,
			],
		],
		[
			'a second rule',
			['rule add from 10.0.0.24 table 100 priority 501'],
			[/^rule from 10\.0\.0\.24\/32 table 100 priority 501 is unexpected$/],
		],
		[
			"a route in the interface's own table with a different scope and source",
			[`route replace 10.0.0.0/24 ${on} table 100 scope host src 10.0.0.24`],
			[/^10\.0\.0\.0\/24 table 100 is scope 254 src 10\.0\.0\.24, not scope link$/],
		],
		[
			"a route in the interface's own table with the flag onlink",
			[`route replace default via 10.0.0.1 ${on} table 100 onlink`],
			[/^0\.0\.0\.0\/0 via 10\.0\.0\.1 table 100 is scope global onlink, not scope global$/],
		],
		[
			"a route in the interface's own table with an MTU",
			[`route replace default via 10.0.0.1 ${on} table 100 mtu 1300`],
			[/^0\.0\.0\.0\/0 via 10\.0\.0\.1 table 100 is scope global mtu 1300, not/],
		],
		[
			"a route in the interface's own table with a different metric",
			[`route del 10.0.0.0/24 ${on} table 100`, `route add 10.0.0.0/24 ${on} table 100 metric 9`],
			[/^route 10\.0\.0\.0\/24 table 100 metric 9 is unexpected$/, /^route 10\.0\.0\.0\/24 table 100 is missing$/],
		],
		[
			'a connected route despite connectedRoute: false',
			['route add 10.0.1.0/24 dev multinic1'],
			[/^route 10\.0\.1\.0\/24 table main is unexpected$/],
		],
		[
			'an IPv6 connected route despite connectedRoute: false',
			['route add fd00:1::/64 dev multinic1'],
			[/^route fd00:1::\/64 table main is unexpected$/],
		],
		['an address with a prefix length of 24 instead of 32', ['addr add 10.0.1.23/24 dev multinic1'], [/^10\.0\.1\.23\/24 is unexpected$/]],
	])('%s', async (_, change, drift) => {
		const before = await state()
		await host.ip(change.join('\n'))
		const looked = await run(nics, { mode: 'Verify' })
		const words = looked.report.interfaces.flatMap(({ drift: found = [] }) => found.map(driftWords))
		const { report, said } = await run(nics)
		expect(report, said).toMatchObject({ outcome: 'Succeeded' })
		expect(words).toEqual(drift.map(word => expect.stringMatching(word)))
		expect(await state()).toEqual(before)
		expect((await run(nics, { mode: 'Verify' })).report.interfaces.flatMap(({ drift: found = [] }) => found)).toEqual([])
	})

	test('a removal deletes the rules for the addresses of the interface at any priority', async () => {
		await host.ip('rule add from 10.0.0.24 table 100 priority 501')
		const { report, said } = await run([])
		expect(report, said).toMatchObject({ outcome: 'Succeeded' })
		expect((await host.ask('rule')).map(({ priority }) => priority)).toEqual([0, 32766, 32767])
	})
})

/**
 * Addresses with their flags, all routes and rules, after duplicate address detection has finished for all addresses, because the kernel
 * then adds the local routes.
 */
async function state() {
	await expect.poll(async () => (await host.inside('ip', ['-o', 'addr', 'show', 'tentative'])).stdout).toBe('')
	const links = (await host.ask('addr show')) as { ifname: string; addr_info: Record<string, unknown>[] }[]
	const addresses = links.flatMap(({ ifname, addr_info }) =>
		addr_info.map(({ tentative: _, ...address }) => `${ifname} ${JSON.stringify(address)}`),
	)
	const routes = [...(await host.ask('-4 route show table all')), ...(await host.ask('-6 route show table all'))]
	return {
		addresses: addresses.toSorted(),
		routes: routes.map(route => JSON.stringify(route)).toSorted(),
		rules: [...(await host.ask('-4 rule')), ...(await host.ask('-6 rule'))].map(rule => JSON.stringify(rule)).toSorted(),
	}
}
