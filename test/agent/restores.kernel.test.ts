import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** A rollback and a removal restore the original state of a NIC in every detail that the kernel shows. */
const isRoot = process.getuid?.() === 0
const macAddress = 'fa:16:3e:00:00:00'
const wish = [{ id: 0, macAddress, address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }]

let host: NodeHost

describe.skipIf(!isRoot)('a NIC (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		await host.ip('link add mgmt type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up')
		await host.ip(`link add ens0 address ${macAddress} type veth peer name peer0\nlink set peer0 up\nlink set ens0 up`)
	})
	afterEach(() => host.close())

	test.each([
		['with a metric', 'metric 200', [] as string[]],
		[
			'without a connected route',
			'noprefixroute',
			['route add 192.168.9.0/24 dev ens0 proto kernel scope link src 192.168.9.60 metric 200'],
		],
	])('with a lease in the network of the node (%s) has the lease after the rollback of a late failure', async (_, detail, routes) => {
		await host.ip('addr add 192.168.9.2/24 dev mgmt metric 100 valid_lft 3600 preferred_lft 3600')
		await host.ip('route add default via 192.168.9.1 metric 100')
		await host.ip([`addr add 192.168.9.60/24 dev ens0 ${detail} valid_lft 3600 preferred_lft 3600`, ...routes].join('\n'))
		const before = await everything()
		const { report, stdout } = await host.agent(wish, {}, { how: 'fail', at: 14 })
		expect(report).toMatchObject({ outcome: 'RolledBack' })
		expect(stdout).toMatch(/everything is as it was before the run/)
		expect(await everything()).toEqual(before)
		expect(await host.ask('route get 192.168.9.77')).toMatchObject([{ dev: 'mgmt' }])
	})

	test('that had the desired address and a route before has both after a removal', async () => {
		await host.ip('addr add 10.0.0.23/24 brd + dev ens0\nroute add 10.77.0.0/16 via 10.0.0.1')
		const before = await everything()
		expect((await host.agent(wish)).report).toMatchObject({ message: 'Configured 1/1' })
		expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await everything()).toEqual(before)
	})

	const life = 'valid_lft 3600 preferred_lft 3600'
	const six = [{ id: 0, macAddress, address: 'fd00::23', cidr: 'fd00::/64', gateway: 'fd00::1' }]
	const two = [{ ...wish[0], addresses: ['10.0.0.24/24', '10.0.5.23/24', '10.0.5.24/24'] }]
	const withoutGateway = two.map(({ gateway: _, ...nic }) => nic)
	const second = 'addr add 10.0.0.24/24 brd + dev ens0'
	test.each<[string, string[], Partial<Interface>[]]>([
		['a lease and a metric', [`addr add 10.0.0.23/24 metric 513 brd + dev ens0 ${life}`], wish],
		[
			'a lease, a metric and a default route',
			[
				`addr add 10.0.0.23/24 metric 513 brd + dev ens0 ${life}`,
				'route add default dev mgmt metric 7',
				'route add default via 10.0.0.1 dev ens0 proto dhcp src 10.0.0.23 metric 513',
			],
			wish,
		],
		[
			'a lease and routes from a daemon',
			[
				`addr add 10.0.0.23/24 brd + dev ens0 noprefixroute ${life}`,
				'route add 10.0.0.0/24 dev ens0 proto kernel scope link src 10.0.0.23 metric 101',
				'route add default dev mgmt metric 7',
				'route add default via 10.0.0.1 dev ens0 proto dhcp src 10.0.0.23 metric 101',
			],
			wish,
		],
		['an IPv6 lease and a metric', [`addr add fd00::23/64 metric 513 dev ens0 nodad ${life}`], six],
		[
			'an IPv6 lease and a route from a daemon',
			[`addr add fd00::23/64 dev ens0 nodad noprefixroute ${life}`, 'route add fd00::/64 dev ens0 proto kernel metric 100'],
			six,
		],
		['a metric', ['addr add 10.0.0.23/24 metric 513 brd + dev ens0'], wish],
		['scope link', ['addr add 10.0.0.23/24 dev ens0 scope link'], wish],
		['a label', ['addr add 10.0.0.23/24 brd + dev ens0 label ens0:vip'], wish],
		['a different broadcast address', ['addr add 10.0.0.23/24 brd 10.0.0.9 dev ens0'], wish],
		['no broadcast address', ['addr add 10.0.0.23/24 dev ens0'], wish],
		['a peer', ['addr add 10.0.0.23 peer 10.0.0.9/24 dev ens0'], wish],
		['a preferred lifetime of 0', ['addr add 10.0.0.23/24 brd + dev ens0 preferred_lft 0'], wish],
		['a preferred lifetime of 0 (IPv6)', ['addr add fd00::23/64 dev ens0 nodad home preferred_lft 0'], six],
		['a second address', ['addr add 10.0.0.23/24 brd + dev ens0', second], two],
		['two labelled addresses', ['addr add 10.0.0.23/24 brd + dev ens0 label ens0:1', `${second} label ens0:vip`], two],
		[
			'other addresses in two networks, one of which is the source of a route',
			[
				...['10.0.5.23/24', '10.0.0.23/24', '10.0.5.24/24'].map(cidr => `addr add ${cidr} brd + dev ens0`),
				`${second} label ens0:7`,
				'route add 10.77.0.0/16 via 192.168.9.9 src 10.0.0.24 metric 7',
				'route add 10.78.0.0/16 via 10.0.0.9',
			],
			// With a gateway, the table of the interface would route packets from 10.0.0.24 to 10.77.0.0/16 through the NIC.
			withoutGateway,
		],
	])(
		'that has the desired address with %s is configured, and is restored after a failure and after a removal',
		async (_, lines, wanted) => {
			await host.ip(['addr add 192.168.9.2/24 dev mgmt', ...lines].join('\n'))
			const before = await everything()
			const failed = await host.agent(wanted, {}, { how: 'fail', at: 9 })
			expect(failed.report, failed.stdout).toMatchObject({ outcome: 'RolledBack' })
			expect(await everything(), failed.stdout).toEqual(before)
			const { report, stdout } = await host.agent(wanted)
			expect(report, stdout).toMatchObject({ message: 'Configured 1/1' })
			expect((await host.agent(wanted)).report).toMatchObject({ changes: 0 })
			const [link] = await host.ask('addr show dev multinic0')
			expect(JSON.stringify(link?.addr_info)).not.toMatch(/"deprecated|"address|"dynamic|"noprefixroute|"home|:vip|:1"|\.9"/)
			const removal = await host.agent([], { mode: 'Cleanup' })
			expect(removal.report, removal.stdout).toMatchObject({ outcome: 'Succeeded' })
			expect(await everything(), removal.stdout).toEqual(before)
		},
	)

	test('that had leases and many kinds of routes has them after a removal', async () => {
		await host.ip(
			[
				'addr add 10.5.0.5/24 dev ens0 metric 300 valid_lft 3600 preferred_lft 1800',
				'route add default via 10.5.0.1 metric 300 proto dhcp src 10.5.0.5',
				'route add 10.6.0.0/16 via 10.5.0.9 mtu lock 1400 metric 300',
				'route add 10.7.0.0/16 nexthop via 10.5.0.9 weight 2 nexthop via 10.5.0.10 weight 1',
				'route add 10.8.0.0/16 dev ens0 table 77 proto 99',
				'nexthop add id 11 via 10.5.0.9 dev ens0',
				'nexthop add id 12 group 11',
				'route add 10.9.0.0/16 nhid 11',
				'route add 10.10.0.0/16 nhid 12',
				'addr add fd05::5/64 dev ens0 nodad valid_lft 3600 preferred_lft 1800',
				'route add fd06::/64 via fd05::9 pref high',
			].join('\n'),
		)
		await host.ip('addr add 192.168.9.2/24 dev mgmt\nroute add default via 192.168.9.1')
		const before = await everything()
		expect((await host.agent(wish)).report).toMatchObject({ message: 'Configured 1/1' })
		expect((await host.ask('addr show dev multinic0'))[0]?.addr_info).not.toContainEqual(expect.objectContaining({ local: '10.5.0.5' }))
		expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await everything()).toEqual(before)
	})

	test.each([
		['a removal', undefined],
		['a late failure', { how: 'fail', at: 14 } as const],
	])(
		'that had an IPv6 route with a source has it after %s, even though duplicate address detection delays its address',
		async (_, fault) => {
			await host.ip('addr add fd05::7/64 dev ens0 valid_lft 3600 preferred_lft 3600')
			await expect.poll(async () => (await host.inside('ip', ['addr', 'show', 'tentative'])).stdout).not.toContain('fd05::7')
			await host.ip('route add fd07::/64 via fd05::9 dev ens0 src fd05::7')
			const before = await everything()
			const { stdout } = await host.agent(wish, {}, fault)
			if (!fault) expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
			expect(await everything(), stdout).toEqual(before)
		},
	)

	test.each([
		['a removal', undefined],
		['a late failure', { how: 'fail', at: 14 } as const],
	])('that had an IPv6 route with an MTU has it after %s, even though the kernel changes it with the MTU of the link', async (_, fault) => {
		await host.ip('route add fd77::/64 dev ens0 mtu 1450 metric 50')
		const before = await everything()
		const { stdout } = await host.agent(
			wish.map(nic => ({ ...nic, mtu: 1400 })),
			{},
			fault,
		)
		if (!fault) expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await everything(), stdout).toEqual(before)
	})

	test.each([
		['a removal', undefined],
		['a late failure', { how: 'fail', at: 14 } as const],
	])('that had a separate MTU for IPv6, and a neighbour with nud noarp, has them after %s', async (_, fault) => {
		await host.inside('sysctl', ['-qw', 'net.ipv6.conf.ens0.mtu=1300'])
		await host.ip('addr add 10.0.0.23/24 brd + dev ens0\nneigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev ens0 nud noarp')
		const before = await everything()
		const { stdout } = await host.agent(
			wish.map(nic => ({ ...nic, mtu: 1400 })),
			{},
			fault,
		)
		if (!fault) expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await everything(), stdout).toEqual(before)
	})

	test('has its original MTU for IPv6 when a later config no longer sets an MTU', async () => {
		await host.inside('sysctl', ['-qw', 'net.ipv6.conf.ens0.mtu=1300'])
		await host.agent(wish.map(nic => ({ ...nic, mtu: 1400 })))
		expect((await host.agent(wish)).report).toMatchObject({ message: 'Configured 1/1' })
		expect((await host.inside('sysctl', ['-n', 'net.ipv6.conf.multinic0.mtu'])).stdout).toBe('1300\n')
	})

	test.each([
		['after a later config', [{ id: 0, macAddress, address: '10.0.0.23', cidr: '10.0.0.0/24' }], {}],
		['after a removal', [], { mode: 'Cleanup' as const }],
	])('with a desired link-local address loses it %s, and keeps the link-local address from the kernel', async (_, next, more) => {
		const kernels = (await linkLocals('ens0'))[0]
		await host.agent([{ id: 0, macAddress, address: 'fe80::5', cidr: 'fe80::/64' }])
		expect((await linkLocals('multinic0')).toSorted()).toEqual(['fe80::5', kernels].toSorted())
		expect((await host.agent(next, more)).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await linkLocals(next.length > 0 ? 'multinic0' : 'ens0')).toEqual([kernels])
	})

	test('keeps the link-local address from the kernel after a removal, even if it was desired', async () => {
		const [kernels] = await linkLocals('ens0')
		await host.agent([{ id: 0, macAddress, address: kernels ?? '', cidr: 'fe80::/64' }])
		await host.agent([], { mode: 'Cleanup' })
		expect(await linkLocals('ens0')).toEqual([kernels])
	})

	async function linkLocals(name: string): Promise<string[]> {
		const [link] = await host.ask(`-6 addr show dev ${name} scope link`)
		return ((link?.addr_info ?? []) as { local: string }[]).map(({ local }) => local)
	}

	/** Ignores lifetimes, the order within a link, and addresses that the kernel adds to the peer. */
	async function everything(): Promise<unknown> {
		const lines = async (args: string[]) =>
			(await host.inside('ip', args)).stdout.replace(/(valid_lft|preferred_lft|expires) \d+sec/g, '$1')
		const shown = await Promise.all(['-4', '-6'].map(family => lines([family, '-o', '-d', 'route', 'show', 'table', 'all'])))
		const routes = shown
			.flatMap(text => text.split('\n'))
			.filter(line => !/fe80::|ff00::/.test(line))
			.toSorted()
		const addresses = (await lines(['-o', 'addr', 'show']))
			.split('\n')
			.filter(line => !/^\d+: \S*peer/.test(line))
			.map(line => line.replace(/ tentative| dadfailed/g, ''))
			.toSorted()
		const shownNeighbours = await lines(['neigh', 'show', 'dev', 'ens0', 'nud', 'permanent', 'nud', 'noarp'])
		const neighbours = shownNeighbours.split('\n').filter(line => !/lladdr (33:33|01:00:5e)/.test(line))
		const ofIpv6 = (await host.inside('sysctl', ['-n', 'net.ipv6.conf.ens0.mtu'])).stdout
		const rest = [await lines(['rule']), await lines(['-6', 'rule']), neighbours, ofIpv6]
		return { routes, addresses, rest, files: ((await host.everything()) as { files: unknown }).files }
	}
})
