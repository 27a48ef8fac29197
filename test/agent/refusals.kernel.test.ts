import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** An interface that cannot be configured on a node is refused before any change, and the message names the cause. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const nic = (id: number, more: Partial<Interface> = {}): Partial<Interface> => ({
	id,
	macAddress: mac(id),
	address: `10.0.${id}.23`,
	cidr: `10.0.${id}.0/24`,
	gateway: `10.0.${id}.1`,
	...more,
})

/** Two lines, which udev reads as one. */
const rule = `ATTR{address}=="${mac(0)}", \\\n  NAME="ens7"\n`

let host: NodeHost

describe.skipIf(!isRoot)('before any change (needs root for network namespaces)', () => {
	beforeEach(prepared)
	afterEach(() => host.close())

	test.each<[title: string, given: { ip?: string[]; sh?: string; wish?: Partial<Interface>[]; nodeAddresses?: string[] }, message: string]>(
		[
			[
				'its desired address is the address of the node in Kubernetes',
				{ wish: [nic(0, { address: '192.168.9.2', cidr: '192.168.9.0/24', gateway: '192.168.9.1' })], nodeAddresses: ['192.168.9.2'] },
				'192.168.9.2 is requested here, and Kubernetes lists it for this node (ip addr show to 192.168.9.2)',
			],
			[
				'another link has its desired address, which is not an address of the node in Kubernetes',
				{ wish: [nic(0, { address: '192.168.9.2', cidr: '192.168.9.0/24' })] },
				'192.168.9.2 is requested on multinic0, but mgmt has it (ip addr show to 192.168.9.2)',
			],
			[
				'a rule of another program looks up its table, even if the table is still empty',
				{ ip: ['rule add fwmark 0x400/0xfff lookup 100 priority 20000'] },
				"the rule 'from all fwmark 0x400/0xfff lookup 100' looks up table 100, which only multinic0 may use (ip rule show priority 20000)",
			],
			[
				'a rule contains the name of the NIC, which would be renamed',
				{ ip: ['rule add iif ens0 lookup 77 priority 600'] },
				"the rule 'from all iif ens0 lookup 77' names ens0, and would not match its new name multinic0 (ip rule show priority 600)",
			],
			[
				'a rule contains an alternative name of the NIC',
				{ ip: ['link property add dev ens0 altname enp0s9', 'rule add oif enp0s9 lookup 77 priority 600'] },
				"the rule 'from all oif enp0s9 lookup 77' names ens0, and would not match its new name multinic0 (ip rule show priority 600)",
			],
			[
				'the NIC is one of two next hops of the default route',
				{
					ip: [
						'link set ens0 up',
						'addr add 192.168.8.2/24 dev ens0 valid_lft 3600 preferred_lft 3600',
						'route replace default nexthop via 192.168.9.1 dev mgmt nexthop via 192.168.8.1 dev ens0',
					],
				},
				'ens0 has the default route of this node (ip route show default)',
			],
			[
				'a route to a network uses a next hop object of the NIC',
				{
					ip: [
						'link set ens0 up',
						'nexthop add id 1 dev mgmt via 192.168.9.1',
						'addr add 192.168.8.2/24 dev ens0 valid_lft 3600 preferred_lft 3600',
						'nexthop add id 2 dev ens0 via 192.168.8.1',
						'nexthop add id 3 group 1/2',
						'route add 10.50.0.0/16 nhid 3',
					],
				},
				'the route to 10.50.0.0/16 uses mgmt and ens0 (ip route show 10.50.0.0/16 table all)',
			],
			[
				'an address of the NIC has a label that cannot be written in a line for `ip -batch`',
				{ ip: ['link set ens0 up'], sh: "ip addr add 10.5.0.5/24 dev ens0 label 'ens0:#1' valid_lft 3600 preferred_lft 3600" },
				"the label 'ens0:#1' of 10.5.0.5/24 on ens0 could not be restored after a change (ip addr show dev ens0)",
			],
			[
				'a macvlan is on top of the NIC, which MultiNIC does not manage yet',
				{ ip: ['link add storage0 link ens0 type macvlan'] },
				'storage0 is on top of ens0 (ip -d link show dev storage0)',
			],
		],
	)('the interface is refused if %s', async (_, { ip = [], sh = '', wish = [nic(0)], nodeAddresses = [] }, message) => {
		await host.ip(ip.join('\n'))
		await host.inside('sh', ['-c', sh])
		const before = await host.everything()
		const { report } = await host.agent(wish, { nodeAddresses })
		expect(report).toMatchObject({ outcome: 'Failed', changes: 0, interfaces: [{ reason: 'InUse', message }] })
		expect(await host.everything()).toEqual(before)
	})

	test.each([
		['an IPv4-mapped address of another link', 'ip addr add ::ffff:10.0.0.5/128 dev lo'],
		['an IPv4-compatible address of another link', 'ip addr add ::10.0.0.5/128 dev lo'],
		['an IPv4-mapped next hop', 'ip -6 route add fd99::/64 via ::ffff:10.0.0.1 dev mgmt onlink'],
		['an IPv4-mapped selector of a rule', 'ip -6 rule add from ::ffff:10.0.0.0/104 lookup 77 priority 700'],
	])('%s does not block a run', async (_, given) => {
		expect(await host.inside('sh', ['-c', given])).toMatchObject({ code: 0 })
		const wish = [nic(0, { addresses: ['fd00::5/64'], gateway: undefined })]
		for (const changes of [true, false]) {
			const { report, stdout } = await host.agent(wish)
			expect(report, stdout).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
			expect((report?.changes ?? 0) > 0).toBe(changes)
		}
		expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
	})

	test.each(["a\u0001b'c\u001b[0m", 'a"b\\\\c'])('an unmanaged link with alias %j does not block a run', async alias => {
		expect(await host.inside('ip', ['link', 'set', 'mgmt', 'alias', alias])).toMatchObject({ code: 0 })
		expect((await host.agent([nic(0)])).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test.each<[title: string, files: Record<string, string>, warned: string | undefined]>([
		['in /run', { 'run/udev/rules.d/99-zz.rules': rule }, '/run/udev/rules.d/99-zz.rules'],
		['in /usr/lib', { 'usr/lib/udev/rules.d/99-zz.rules': rule }, '/usr/lib/udev/rules.d/99-zz.rules'],
		['in /usr/lib, overridden in /etc', { 'usr/lib/udev/rules.d/99-zz.rules': rule, 'etc/udev/rules.d/99-zz.rules': '' }, undefined],
		['in /usr/lib, overridden in /run', { 'usr/lib/udev/rules.d/99-zz.rules': rule, 'run/udev/rules.d/99-zz.rules': '' }, undefined],
	])('a udev rule that gives the NIC a different name is reported if udev reads it (%s)', async (_, files, warned) => {
		for (const [path, content] of Object.entries(files)) {
			mkdirSync(dirname(join(host.root, path)), { recursive: true })
			writeFileSync(join(host.root, path), content)
		}
		const { report } = await host.agent([nic(0, { gateway: undefined })])
		const message = `${warned} also defines multinic0, by its MAC ${mac(0)} (cat ${warned})`
		expect(report?.interfaces[0]).toMatchObject({
			state: 'Configured',
			warnings: warned === undefined ? [] : [{ reason: 'NotPersistent', message }],
		})
	})

	test('an interface is refused if it is defined in a netplan file that is an absolute symlink on the host', async () => {
		mkdirSync(join(host.root, 'opt'))
		writeFileSync(join(host.root, 'opt/60-a.yaml'), 'network: {ethernets: {multinic0: {addresses: [10.9.9.9/24]}}}')
		symlinkSync('/opt/60-a.yaml', join(host.root, 'etc/netplan/60-a.yaml'))
		expect((await host.agent([nic(0)])).report?.interfaces[0]).toMatchObject({ reason: 'InUse' })
	})

	test('a NIC with a default route from a router advertisement is taken over if the node has no IPv6 address, and accepts router advertisements again after a removal', async () => {
		const routes = () => host.ask('-6 route show default')
		await host.ip('link set ens0 up\nroute add ::/0 via fe80::1 dev ens0 proto ra metric 1024 expires 1800')
		expect((await host.agent([nic(0)], { nodeAddresses: ['192.168.9.2', 'fd00::2'] })).report).toMatchObject({
			interfaces: [{ reason: 'InUse', message: 'ens0 has the default route of this node (ip -6 route show default)' }],
		})
		const wish = { nodeAddresses: ['192.168.9.2'] }
		const undone = await host.agent([nic(0)], wish, { at: 9, how: 'fail' })
		expect(undone.report, undone.stdout).toMatchObject({ outcome: 'RolledBack' })
		expect(await routes()).toMatchObject([{ gateway: 'fe80::1', dev: 'ens0', protocol: 'ra' }])
		expect((await host.agent([nic(0)], wish)).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		expect([await routes(), await acceptsRouters('multinic0')]).toEqual([[], '0'])
		expect((await host.agent([], wish)).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect(await acceptsRouters('ens0')).toBe('1')
	})
})

describe.skipIf(!isRoot)('managed NICs that other links and rules use (needs root for network namespaces)', () => {
	beforeEach(prepared)
	afterEach(() => host.close())

	test('stay configured, accept changes that do not disturb those links, and are not removed while they are in use', async () => {
		const wish = [nic(0), { id: 1, macAddress: mac(1) }]
		expect((await host.agent(wish)).report).toMatchObject({ message: 'Configured 2/2' })
		await host.ip(`link add storage0 link multinic0 type macvlan mode bridge
			link set storage0 up
			addr add 172.20.0.5/24 dev storage0
			link add br-vms type bridge
			link set br-vms up
			link set multinic1 master br-vms
			rule add iif multinic0 lookup 77 priority 600
			rule add fwmark 0x400 lookup 100 priority 20000`)
		const used = await host.everything()
		for (const mode of ['Verify', 'Apply'] as const)
			expect((await host.agent(wish, { mode })).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2', changes: 0 })
		expect(await host.everything()).toEqual(used)

		const more = [
			nic(0, { addresses: ['10.0.5.23/24'], routes: [{ to: '10.7.0.0/16', via: '10.0.0.7' }], mtu: 1500 }),
			{ id: 1, macAddress: mac(1) },
		]
		expect((await host.agent(more)).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		const { report } = await host.agent([nic(0, { addresses: ['10.0.5.23/24'], mtu: 1400 }), { id: 1, macAddress: mac(1) }])
		expect(report).toMatchObject({ outcome: 'PartlyFailed', interfaces: [{ reason: 'InUse' }, { reason: 'AlreadyConfigured' }] })
		expect(report?.interfaces[0]?.message).toMatch(/^storage0 is on top of it, .* MTU of 1400, .*\(ip -d link show dev storage0\)$/)

		const before = await host.everything()
		const removal = await host.agent([])
		expect(removal.report).toMatchObject({ outcome: 'Failed', reason: 'InUse', changes: 0 })
		expect(removal.report?.message).toMatch(
			/^multinic0 \(.*\) is not removed: .*\(ip rule show priority 600\)\. multinic1 \(.*\) is not removed: ?.*\(ip link show master br-vms\)\.$/,
		)
		expect(await host.everything()).toEqual(before)

		await host.ip('link set multinic1 nomaster')
		const half = await host.agent([], { mode: 'Cleanup' })
		expect(half.report).toMatchObject({ outcome: 'Failed', reason: 'InUse', message: expect.not.stringContaining('multinic1') })
		expect((await host.ask('link show')).map(({ ifname }) => ifname)).toEqual(expect.arrayContaining(['multinic0', 'ens1', 'storage0']))

		await host.ip('link del storage0\nrule del priority 600')
		expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect((await host.ask('link show')).map(({ ifname }) => ifname)).toEqual(expect.arrayContaining(['ens0', 'ens1']))
	})

	test('are identified by their device while they are in a pod, and can be removed when they have returned', async () => {
		// A veth has no device, so this creates one in the directory that is the host's root.
		const device = join(host.root, 'sys/devices/pci0/virtio3')
		mkdirSync(join(device, 'net/ens0'), { recursive: true })
		mkdirSync(join(host.root, 'sys/class/net'), { recursive: true })
		symlinkSync('../../bus/virtio/drivers/virtio_net', join(device, 'driver'))
		symlinkSync('../..', join(device, 'net/ens0/device'))
		symlinkSync('../../devices/pci0/virtio3/net/ens0', join(host.root, 'sys/class/net/ens0'))
		expect((await host.agent([nic(0)])).report).toMatchObject({ message: 'Configured 1/1' })
		const pod = await nodeHost()
		try {
			await host.ip(`link set multinic0 netns ${pod.pid}`)
			rmSync(join(device, 'net/ens0'), { recursive: true })
			const reported = [{ reason: 'InOtherNamespace', message: expect.stringContaining('/sys/devices/pci0/virtio3') }]
			expect((await host.agent([nic(0)], { waitForDeviceSeconds: 60 })).report).toMatchObject({ changes: 0, interfaces: reported })
			expect((await host.agent([])).report).toMatchObject({ outcome: 'Failed', reason: 'InOtherNamespace', changes: 0 })
			await pod.ip(`link set multinic0 netns ${host.pid}`)
			expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
			expect((await host.ask('link show')).map(({ ifname }) => ifname)).toContain('ens0')
		} finally {
			pod.close()
		}
	})

	test('are configured even if a rule contains their MultiNIC name', async () => {
		await host.ip('rule add iif multinic0 lookup 77 priority 600')
		expect((await host.agent([nic(0)])).report).toMatchObject({ message: 'Configured 1/1' })
		expect(await host.ask('rule show priority 600')).not.toMatchObject([{ iif_detached: null }])
	})
})

async function acceptsRouters(name: string): Promise<string> {
	return (await host.inside('cat', [`/proc/sys/net/ipv6/conf/${name}/accept_ra`])).stdout.trim()
}

async function prepared(): Promise<void> {
	host = await nodeHost()
	await host.ip(
		[
			'link add mgmt type veth peer name mgmt-peer',
			'link set mgmt up',
			'link set mgmt-peer up',
			'addr add 192.168.9.2/24 dev mgmt',
			'route add default via 192.168.9.1',
			...[0, 1].flatMap(id => [`link add ens${id} address ${mac(id)} type veth peer name peer${id}`, `link set peer${id} up`]),
		].join('\n'),
	)
}
