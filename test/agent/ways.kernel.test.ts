import { writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { addPrimaryAndNics } from './primary-link.ts'

/** The routes of packets of the node and from each desired address, before and after a run. */
const isRoot = process.getuid?.() === 0
const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
const other = { id: 1, macAddress: 'fa:16:3e:00:00:01', address: '10.0.1.23', cidr: '10.0.1.0/24', gateway: '10.0.1.1' }
const vpn = [
	'link add wt0 type bridge',
	'link set wt0 up',
	'addr add 100.64.0.5/16 dev wt0',
	'route add default dev wt0 table 7120',
	'rule add from all lookup main suppress_prefixlength 0 priority 105',
	'rule add not fwmark 0x1bd00 lookup 7120 priority 110',
]
const pods = ['link add br0 type bridge', 'link set br0 up', 'addr add 10.200.0.1/16 dev br0']
const api = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' }

describe.skipIf(!isRoot)('the paths of packets (needs root for network namespaces)', () => {
	let host: NodeHost

	beforeEach(async () => {
		host = await nodeHost()
		await addPrimaryAndNics(host)
	})
	afterEach(() => host?.close())

	test.each<[title: string, setup: string[], wish: Partial<Interface>, expected: [reason: string, message: RegExp]]>([
		[
			'a rule of a VPN with higher precedence',
			vpn,
			nic,
			[
				'RoutedElsewhere',
				/^packets from 10\.0\.0\.23 to destinations outside \(such as 9\.9\.9\.9\) leave through wt0 because rule 110 \(not from all fwmark 0x1bd00 lookup 7120\) takes precedence \(ip rule show priority 110\)$/,
			],
		],
		[
			'a rule that drops packets from the address',
			['rule add from 10.0.0.0/24 blackhole priority 50'],
			nic,
			[
				'RoutedElsewhere',
				/^packets from 10\.0\.0\.23 to 10\.0\.0\.1 have no route because rule 50 \(from 10\.0\.0\.0\/24 blackhole\) takes precedence \(ip rule show priority 50\)$/,
			],
		],
		[
			'a desired default route with a better metric than that of the node',
			[],
			{ ...nic, routes: [{ to: '0.0.0.0/0', via: '10.0.0.99', table: 254 }] },
			['NotAllowed', /^the route to 0\.0\.0\.0\/0 in table main is a default route or half of one/],
		],
		[
			'a desired route to the network of the API server',
			[],
			{ ...nic, routes: [{ to: '10.96.0.0/16', via: '10.0.0.99', table: 254 }] },
			['NotAllowed', /^the route to 10\.96\.0\.0\/16 in table main overlaps 10\.96\.0\.1\/32, the API server/],
		],
		[
			'a desired route to a part of the pod network',
			pods,
			{ ...nic, routes: [{ to: '10.200.1.0/24', via: '10.0.0.7', table: 254 }] },
			['InUse', /^the route to 10\.200\.1\.0\/24 in table main overlaps 10\.200\.0\.0\/16, which this node reaches over another link/],
		],
		[
			'a desired route to half of the address space',
			[],
			{ ...nic, routes: [{ to: '0.0.0.0/1', via: '10.0.0.1', table: 254 }] },
			['NotAllowed', /^the route to 0\.0\.0\.0\/1 in table main is a default route or half of one/],
		],
		[
			'a desired route that overrides a route that drops packets',
			['route add blackhole 10.42.0.0/24'],
			{ ...nic, routes: [{ to: '10.42.0.0/25', via: '10.0.0.1', table: 254 }] },
			['InUse', /^packets to 10\.42\.0\.1 are rejected now and would leave through multinic0/],
		],
	])('%s is detected before any change, and the other interface is configured', async (_, setup, wish, [reason, message]) => {
		if (setup.length > 0) await host.ip(setup.join('\n'))
		const { report, stdout } = await host.agent(
			[wish, ...(reason === 'RoutedElsewhere' && setup === vpn ? [] : [other])],
			{},
			undefined,
			api,
		)
		expect(report?.interfaces[0], stdout).toMatchObject({ state: 'Failed', reason, message: expect.stringMatching(message) })
		if (report?.interfaces[1]) expect(report.interfaces[1], stdout).toMatchObject({ state: 'Configured' })
		expect(await host.ask('addr show dev ens0')).toMatchObject([{ flags: expect.not.arrayContaining(['UP']) }])
	})

	const withoutCarrier = (...folders: string[]) => [
		'link set peer0 down',
		...folders.map(folder => `sysctl -qw net.${folder}.ignore_routes_with_linkdown=1`),
	]
	const noCarrier = (name: string, setting: string) => `because ${name} has no carrier and ${setting} is 1 (ip link show dev ${name})`
	test.each<[title: string, setup: string[], wish: Partial<Interface>, message: string]>([
		['an address on lo', ['addr add 10.0.0.100/24 dev lo'], nic, 'stay on this node because lo has 10.0.0.100/24 (ip addr show dev lo)'],
		[
			'a local route on lo',
			['route add local 10.0.0.0/24 dev lo'],
			nic,
			"stay on this node because table local has the route 'local 10.0.0.0/24 dev lo' (ip route show table local 10.0.0.0/24)",
		],
		[
			'a local route on the NIC itself (AnyIP)',
			['link set ens0 up', 'route add local 10.0.0.0/24 dev ens0'],
			nic,
			"stay on this node because table local has the route 'local 10.0.0.0/24 dev ens0' (ip route show table local 10.0.0.0/24)",
		],
		[
			'a local IPv6 route to a larger network',
			['-6 route add local fd00::/32 dev lo'],
			{ id: 0, macAddress: nic.macAddress, address: 'fd00::23', cidr: 'fd00::/64' },
			"stay on this node because table local has the route 'local fd00::/32 dev lo' (ip -6 route show table local fd00::/32)",
		],
		[
			'a missing carrier (ignore_routes_with_linkdown on all links)',
			['link set ens0 up', ...withoutCarrier('ipv4.conf.all')],
			nic,
			noCarrier('ens0', 'ignore_routes_with_linkdown'),
		],
		[
			'a missing carrier (ignore_routes_with_linkdown on the NIC)',
			['link set ens0 up', ...withoutCarrier('ipv4.conf.ens0')],
			nic,
			noCarrier('ens0', 'ignore_routes_with_linkdown'),
		],
		[
			'a missing carrier (ignore_routes_with_linkdown for IPv6)',
			['link set ens0 up', ...withoutCarrier('ipv6.conf.ens0')],
			{ id: 0, macAddress: nic.macAddress, address: 'fd00::23', cidr: 'fd00::/64' },
			noCarrier('ens0', 'ignore_routes_with_linkdown'),
		],
	])('%s is named as the cause before any change', async (_, setup, wish, message) => {
		await lay(setup)
		for (const mode of ['Plan', 'Apply'] as const) {
			const { report, stdout } = await host.agent([wish], { mode })
			expect(report?.interfaces[0], stdout).toMatchObject({ reason: 'RoutedElsewhere', message: expect.stringContaining(message) })
			expect(stdout).not.toMatch(/^applied/m)
		}
	})

	test('a missing carrier that is only detected when the link is up is also named as the cause', async () => {
		await lay(withoutCarrier('ipv4.conf.all'))
		const { report } = await host.agent([nic])
		expect(report?.interfaces[0]).toMatchObject({
			reason: 'RoutedElsewhere',
			message: expect.stringContaining(noCarrier('multinic0', 'ignore_routes_with_linkdown')),
		})
	})

	test.each([
		['ignore_routes_with_linkdown is 0', withoutCarrier()],
		['ignore_routes_with_linkdown is 1 only for IPv6', withoutCarrier('ipv6.conf.all', 'ipv6.conf.ens0')],
	])('a NIC without a carrier is configured if %s', async (_, setup) => {
		await lay(['link set ens0 up', ...setup])
		expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
	})

	/** Executes each line as arguments of `ip`, or as a command if it begins with `sysctl`. */
	async function lay(lines: readonly string[]): Promise<void> {
		for (const line of lines) {
			const [program = '', ...args] = line.startsWith('sysctl ') ? line.split(' ') : ['ip', ...line.split(' ')]
			expect(await host.inside(program, args)).toMatchObject({ code: 0 })
		}
	}

	const movedTo = (priority: number) => [`rule add lookup local priority ${priority}`, 'rule del priority 0']
	const movedTo6 = ['-6 rule add lookup local priority 32000', '-6 rule del priority 0']
	const six = { id: 0, macAddress: nic.macAddress, address: 'fd00::23', cidr: 'fd00::/64', gateway: 'fd00::1' }
	test.each<[title: string, setup: string[], asked: [Partial<Interface>, object?], message: string]>([
		[
			'with lower precedence than the rules of MultiNIC',
			movedTo(32_000),
			[nic],
			'10.0.0.23, an address of this node, leave through multinic0 because rule 10000 takes precedence over rule 32000 (from all lookup local) (ip rule show priority 32000)',
		],
		[
			'with lower precedence than the rules of MultiNIC (without a gateway)',
			movedTo(32_000),
			[{ ...nic, gateway: undefined }],
			'10.0.0.23, an address of this node, leave through multinic0 because rule 10000 takes precedence over rule 32000',
		],
		[
			'with priority 100 (Cilium) and a priority base of 50',
			movedTo(100),
			[nic, { rulePriorityBase: 50 }],
			'because rule 50 takes precedence over rule 100 (from all lookup local) (ip rule show priority 100)',
		],
		[
			'with lower precedence than the rules for pods',
			['link add cni0 type bridge', 'link set cni0 up', 'addr add 10.244.1.1/24 dev cni0', ...movedTo(9_995)],
			[nic, { podNetworks: ['10.244.1.0/24'] }],
			'10.244.1.1, an address of this node, leave through cni0 because rule 9990 takes precedence over rule 9995',
		],
		[
			'with lower precedence than the rules of MultiNIC (IPv6)',
			movedTo6,
			[six],
			'fd00::23, an address of this node, leave through multinic0 because rule 10000 takes precedence over rule 32000 (-6 from all lookup local) (ip -6 rule show priority 32000)',
		],
	])(
		'a rule of the local table %s is reported before any change, because packets to the node itself would leave it',
		async (_, setup, [wish, more = {}], message) => {
			await lay(setup)
			for (const mode of ['Plan', 'Apply'] as const) {
				const { report, stdout } = await host.agent([wish], { ...more, mode })
				expect(report?.interfaces[0], stdout).toMatchObject({
					state: 'Failed',
					reason: 'RoutedElsewhere',
					message: expect.stringContaining(message),
				})
			}
			expect(await host.ask('addr show dev ens0')).toMatchObject([{ flags: expect.not.arrayContaining(['UP']) }])
		},
	)

	test('a rule of the local table with priority 100 (Cilium) is accepted, because it has higher precedence than the rules of MultiNIC', async () => {
		await host.ip(movedTo(100).join('\n'))
		expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		await host.ip(['rule add lookup local priority 32000', 'rule del priority 100'].join('\n'))
		expect((await host.agent([nic], { mode: 'Verify' })).report?.interfaces[0]).toMatchObject({ reason: 'RoutedElsewhere' })
	})

	test('an interface without a gateway is configured on a node with a VPN', async () => {
		await host.ip(vpn.join('\n'))
		const { gateway: _, ...near } = nic
		expect((await host.agent([near])).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
	})

	test('the path to one of two nameservers does not change if it is in a desired network', async () => {
		mkdirSync(join(host.root, 'etc'), { recursive: true })
		writeFileSync(join(host.root, 'etc/resolv.conf'), 'nameserver 192.168.100.3\nnameserver 192.168.9.1\n')
		const { report, stdout } = await host.agent([{ ...nic, address: '192.168.100.23', cidr: '192.168.100.0/24', gateway: '192.168.100.1' }])
		expect(report?.interfaces[0], stdout).toMatchObject({ state: 'Configured', warnings: [{ reason: 'SharedNetwork' }, {}] })
		expect(await host.ask('route get 192.168.100.3')).toMatchObject([{ dev: 'mgmt' }])
	})

	test.each([
		['the first free address in the pod network', pods, '10.200.0.2', '10.200.0.0/16'],
		[
			'the first free address in the network of the node',
			['route replace default via 192.168.9.7 metric 100'],
			'192.168.9.1',
			'192.168.9.0/24',
		],
		[
			'the destination in a rule of another program',
			['rule add to 10.0.0.23 lookup 77 priority 600', 'route add default dev mgmt table 77'],
			'10.0.0.23',
			'10.0.0.0/24',
		],
	])('a desired address that is %s does not break a path of the node', async (_, setup, wanted, cidr) => {
		await host.ip(setup.join('\n'))
		const { report, stdout } = await host.agent([{ id: 0, macAddress: nic.macAddress, address: wanted, cidr }])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
	})

	test('the path to the metadata service does not change if it is in a desired network, even if it does not reply', async () => {
		const { report, stdout } = await host.agent([{ ...nic, address: '169.254.10.1', cidr: '169.254.0.0/16', gateway: undefined }])
		expect(report?.interfaces[0], stdout).toMatchObject({ state: 'Configured', warnings: [{ reason: 'SharedNetwork' }] })
		expect(await host.ask('route get 169.254.169.254')).toMatchObject([{ dev: 'mgmt' }])
		expect(await host.ask('route get 169.254.10.2 from 169.254.10.1')).toMatchObject([{ dev: 'multinic0' }])
	})

	test('a rule that is added later is reported by a verification and by a run without changes until it is removed', async () => {
		expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded' })
		await host.ip(vpn.join('\n'))
		const elsewhere = { state: 'Failed', reason: 'RoutedElsewhere', message: expect.stringContaining('rule 110') }
		for (const mode of ['Verify', 'Apply', 'Plan'] as const)
			expect((await host.agent([nic], { mode })).report?.interfaces, mode).toMatchObject([elsewhere])
		await host.ip('rule del priority 110')
		expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})
})
