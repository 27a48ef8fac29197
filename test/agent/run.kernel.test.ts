import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** The agent on the real kernel, in separate namespaces. */
const isRoot = process.getuid?.() === 0

let host: NodeHost

describe.skipIf(!isRoot)('a run on the real kernel (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		await host.ip('link add mgmt type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up\naddr add 192.168.9.2/24 dev mgmt')
	})
	afterEach(() => host.close())

	test('configures names, addresses and routes of ten NICs, and a second run changes nothing', async () => {
		await addNics(10)
		const first = await host.agent(nics(10))
		expect(first.report).toMatchObject({ outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: 'Configured 10/10' })
		expect(first.code).toBe(0)
		expect(first.stdout).toMatch(/^committed +Configured 10\/10 in \d+\.\d s$/m)
		for (let id = 0; id < 10; id++) {
			const [link] = await host.ask(`addr show dev multinic${id}`)
			expect(link).toMatchObject({ address: mac(id), mtu: 1400 + id, flags: expect.arrayContaining(['UP']) })
			expect(link?.addr_info).toContainEqual(expect.objectContaining({ local: `10.0.${id}.23`, prefixlen: 24 }))
			expect(await host.ask(`route show table ${100 + id}`)).toMatchObject([
				{ dst: 'default', gateway: `10.0.${id}.1` },
				{ dst: `10.0.${id}.0/24` },
			])
			expect(await host.ask(`rule show priority ${10_000 + id}`)).toMatchObject([{ src: `10.0.${id}.23`, table: String(100 + id) }])
			expect(statSync(join(host.root, `etc/netplan/99-multinic${id}.yaml`)).mode & 0o777).toBe(0o600)
		}
		const before = host.changeTimes()
		const second = await host.agent(nics(10))
		expect(second.report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
		expect(second.report?.interfaces.map(({ reason }) => reason)).toEqual(Array(10).fill('AlreadyConfigured'))
		expect(second.stdout).toMatch(/^ended +Configured 10\/10 in \d+\.\d s$/m)
		expect(host.changeTimes()).toEqual(before)
	})

	test('restores names, MTUs, states and files in mode Cleanup', async () => {
		await addNics(3)
		await host.ip(`link set ens1 mtu 1300\nlink set ens1 up\nlink property add dev ens2 altname enp0s2`)
		const before = await host.everything()
		expect((await host.agent(nics(3))).report).toMatchObject({ message: 'Configured 3/3' })
		expect(await host.everything()).not.toEqual(before)
		expect((await host.agent(nics(3), { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect(await host.everything()).toEqual(before)
	})

	test('restores the NIC of an interface that is no longer desired, and keeps the others', async () => {
		await addNics(3)
		await host.agent(nics(3))
		const { report } = await host.agent(nics(3).filter(({ id }) => id !== 1))
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		expect(await names()).toMatchObject({ [mac(0)]: 'multinic0', [mac(1)]: 'ens1', [mac(2)]: 'multinic2' })
		expect(await host.ask('rule show priority 10001')).toEqual([])
	})

	test('removes the first address of a network and keeps the second, and a rollback restores the first', async () => {
		await addNics(1)
		const [nic] = nics(1)
		await host.agent([{ ...nic, addresses: ['10.0.0.24/24'] }])
		const wish = [{ ...nic, address: '10.0.0.24' }]
		const undone = await host.agent(wish, {}, { at: 2, how: 'fail' })
		expect(undone.report).toMatchObject({ outcome: 'RolledBack', message: expect.stringMatching(/everything was rolled back$/) })
		const both = ['10.0.0.23', '10.0.0.24'].map(local => expect.objectContaining({ local }))
		expect(await host.ask('addr show dev multinic0')).toMatchObject([{ addr_info: expect.arrayContaining(both) }])
		const { report } = await host.agent(wish)
		expect(report).toMatchObject({ outcome: 'Succeeded', interfaces: [{ observed: { addresses: ['10.0.0.24/24'] } }] })
		expect(await host.ask('route show table 100')).toMatchObject([{ dst: 'default' }, { dst: '10.0.0.0/24' }])
	})

	test('swaps names together with their addresses, and a cleanup restores the original names', async () => {
		await addNics(3)
		const before = await host.everything()
		await host.agent(nics(3))
		const swapped = nics(3).map(nic => ({ ...nic, macAddress: mac([1, 2, 0][nic.id ?? 0] ?? 0) }))
		expect((await host.agent(swapped)).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await names()).toMatchObject({ [mac(1)]: 'multinic0', [mac(2)]: 'multinic1', [mac(0)]: 'multinic2' })
		const [link] = await host.ask('addr show dev multinic0')
		expect(link).toMatchObject({ mtu: 1400, addr_info: expect.arrayContaining([expect.objectContaining({ local: '10.0.0.23' })]) })
		await host.agent([], { mode: 'Cleanup' })
		expect(await host.everything()).toEqual(before)
	})

	test('waits for a missing MAC and configures the others', async () => {
		await addNics(2)
		const { report, code, stdout } = await host.agent(nics(3))
		expect(code).toBe(1)
		expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'WaitingForDevice' })
		expect(stdout).toMatch(/^ended +PartlyFailed, WaitingForDevice, after \d+\.\d s: Configured 2\/3\. multinic2: no link has MAC/m)
		expect(report?.interfaces.map(({ reason }) => reason)).toEqual(['Configured', 'Configured', 'WaitingForDevice'])
	})

	test('waits for a configured NIC that disappeared, and keeps its record', async () => {
		await addNics(2)
		const wish = nics(2).map(nic => ({ ...nic, routes: [{ to: `10.99.${nic.id}.0/24`, via: `10.0.${nic.id}.7`, table: 1000 }] }))
		expect((await host.agent(wish)).report).toMatchObject({ message: 'Configured 2/2' })
		await host.ip('link del multinic1')
		const before = host.changeTimes()
		expect((await host.agent(wish)).report).toMatchObject({ outcome: 'PartlyFailed', reason: 'WaitingForDevice', changes: 0 })
		expect(host.changeTimes()).toEqual(before)
		await addNic(1)
		expect((await host.agent(wish)).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('configures a link that appears late in the same run', async () => {
		await addNics(1)
		const running = host.agent(nics(2), { waitForDeviceSeconds: 30 })
		await expect.poll(async () => (await names())[mac(0)] === 'multinic0').toBe(true)
		await addNic(1)
		expect((await running).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
	})

	test('refuses a NIC that something else uses and leaves it unchanged', async () => {
		await addNics(4)
		await host.ip('link add br0 type bridge\nlink set ens0 master br0\naddr add 172.16.0.1/24 dev ens1')
		const { report } = await host.agent(nics(3))
		expect(report?.interfaces).toMatchObject([
			{ reason: 'InUse', message: 'ens0 is a port of br0 (ip link show master br0)' },
			{
				reason: 'InUse',
				message: 'ens1 has 172.16.0.1/24, which is not requested here and did not come from DHCP (ip addr show dev ens1)',
			},
			{ reason: 'Configured' },
		])
		expect(await names()).toMatchObject({ [mac(1)]: 'ens1', [mac(2)]: 'multinic2' })
	})

	test('never changes the link with the node address or the default route', async () => {
		await host.ip(`link set mgmt down\nlink set mgmt address ${mac(0)}\nlink set mgmt up\nroute replace default via 192.168.9.1`)
		const before = await host.everything()
		const refused = await host.agent(nics(1))
		expect(refused.report?.interfaces[0]).toMatchObject({
			reason: 'InUse',
			message: 'mgmt has the default route of this node (ip route show default)',
		})
		const named = await host.agent(nics(1), { nodeAddresses: ['192.168.9.2'] })
		expect(named.report?.interfaces[0]).toMatchObject({
			message: 'mgmt has 192.168.9.2, which Kubernetes lists for this node (ip addr show dev mgmt)',
		})
		expect(await host.everything()).toEqual(before)
	})

	test('refuses an interface whose name belongs to an unmanaged link', async () => {
		await addNics(2)
		await host.ip('link add multinic0 type veth peer name other')
		const { report } = await host.agent(nics(2))
		expect(report?.interfaces.map(({ reason }) => reason)).toEqual(['NameTaken', 'Configured'])
	})

	test('with a command that fails for one NIC configures the others, and keeps an unmanaged route', async () => {
		await addNics(2)
		await host.ip('route add 10.77.0.0/16 via 192.168.9.7 table 500')
		const wish = nics(2).map(nic => (nic.id === 0 ? { ...nic, routes: [{ to: '10.77.0.0/16', via: '10.0.0.1', table: 500 }] } : nic))
		const { report } = await host.agent(wish)
		expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'CommandFailed' })
		expect(report?.interfaces.map(({ reason }) => reason)).toEqual(['CommandFailed', 'Configured'])
		expect(report?.interfaces[0]?.message).toContain('File exists')
		expect(await host.ask('route show 10.77.0.0/16 table 500')).toMatchObject([{ gateway: '192.168.9.7', dev: 'mgmt' }])
		expect(await names()).toMatchObject({ [mac(0)]: 'ens0', [mac(1)]: 'multinic1' })
	})

	test('in mode Plan reports the exact files that a run then writes, and changes neither the host nor its directories', async () => {
		await addNics(2)
		await host.ip(`link set ens1 up\naddr add 10.0.1.23/24 dev ens1`)
		const before = { kernel: await host.everything(), files: entries() }
		const { report, code, stdout } = await host.agent(nics(2), { mode: 'Plan' })
		expect({ kernel: await host.everything(), files: entries() }).toEqual(before)
		expect(code).toBe(0)
		expect(report).toMatchObject({ outcome: 'Succeeded', reason: 'Planned', changes: 0, plan: { disruption: { class: 'Blip' } } })
		expect(report?.interfaces).toMatchObject([{ disruption: { class: 'None' } }, { disruption: { class: 'Blip' } }])
		const { commands = [], files = [], links = {} } = report?.plan ?? {}
		const called = Object.keys(links).find(key => links[key] === 'ens0')
		expect(commands).toContain(`ip link set dev ${called} name multinic0`)
		expect(stdout).toContain(`would           ip link set dev ${called} name multinic0\n`)
		await host.agent(nics(2))
		for (const { path, content, mode, bytes } of files) {
			expect(statSync(join(host.root, path))).toMatchObject({ size: bytes, mode: 0o100_000 + Number.parseInt(mode ?? '', 8) })
			if (content !== undefined) expect(readFileSync(join(host.root, path), 'utf8')).toBe(content)
		}
		expect(files.filter(({ content }) => content === undefined).map(({ path }) => path)).toEqual(['/var/lib/multinic/record.json'])
	})

	test('in mode Plan leaves no file on the host if the generator fails', async () => {
		await addNics(1)
		mkdirSync(join(host.root, 'usr/libexec/netplan'), { recursive: true })
		writeFileSync(join(host.root, 'usr/libexec/netplan/generate'), '')
		writeFileSync(join(host.root, 'etc/netplan/50-other.yaml'), 'network: {version: 2}')
		const before = entries()
		const { report, code } = await host.agent(nics(1), { mode: 'Plan' })
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'CommandFailed' })
		expect(code).toBe(1)
		expect(entries()).toEqual(before)
	})

	test.each<RunConfig['mode']>(['Plan', 'Verify'])(
		'in mode %s leaves the state of an unfinished run unchanged, and reports it',
		async mode => {
			await addNics(2)
			await host.agent(nics(2), {}, { at: 9, how: 'kill' })
			// Ignores the lock, which a dead process no longer holds.
			const kept = () => entries().filter(entry => !entry.startsWith('/run/multinic'))
			const before = { kernel: await host.everything(), files: kept() }
			const { report, stdout } = await host.agent(nics(2), { mode })
			expect({ kernel: await host.everything(), files: kept() }).toEqual(before)
			expect(report).toMatchObject({
				unfinished: expect.stringMatching(/^g1-1-/),
				message: expect.stringContaining('would be rolled back first'),
			})
			expect(stdout).toMatch(/^unfinished +an earlier run \(g1-1-\w+-0\) ended before its commit/m)
			const { report: next, stdout: said } = await host.agent(nics(2))
			expect(said).toMatch(/^cleared +an earlier run/m)
			expect(next).toMatchObject({ message: 'Configured 2/2' })
		},
	)

	test('that died before a reboot has only its files rolled back, because links may have other indexes after it', async () => {
		await addNics(1)
		await host.agent(nics(1), {}, { at: 0, how: 'kill' })
		const undo = join(host.root, 'var/lib/multinic/undo/undo.json')
		writeFileSync(undo, readFileSync(undo, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"of an earlier boot"'))
		const index = (await host.ask('link show dev ens0'))[0]?.ifindex
		const primary = `link add own index ${index} type veth peer name own-peer\nlink set own up\nlink set own-peer up`
		await host.ip(`link del ens0\n${primary}\naddr add 10.9.0.2/24 dev own`)
		await addNics(1)
		const { report, stdout } = await host.agent(nics(1))
		expect(report, stdout).toMatchObject({ message: 'Configured 1/1' })
		expect(stdout).toMatch(/^cleared +an earlier run/m)
		expect(await host.ask('addr show dev own')).toMatchObject([
			{ flags: expect.arrayContaining(['UP']), addr_info: [{ local: '10.9.0.2' }, {}] },
		])
	})

	test('in mode Verify reports each drifted attribute and changes nothing', async () => {
		await addNics(2)
		await host.agent(nics(2))
		expect((await host.agent(nics(2), { mode: 'Verify' })).report).toMatchObject({
			outcome: 'Succeeded',
			reason: 'AllInterfacesConfigured',
		})
		await host.ip('link set multinic0 mtu 1500\naddr del 10.0.0.23/24 dev multinic0\nrule del priority 10000\nlink set multinic1 down')
		await host.inside('sh', [
			'-c',
			'echo 0 > /proc/sys/net/ipv4/conf/multinic0/arp_ignore; rm "$1/etc/sysctl.d/99-multinic1.conf"',
			'sh',
			host.root,
		])
		const before = { kernel: await host.everything(), files: entries() }
		const { report, code } = await host.agent(nics(2), { mode: 'Verify' })
		expect({ kernel: await host.everything(), files: entries() }).toEqual(before)
		expect(code).toBe(1)
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'Drifted', changes: 0 })
		const [first, second] = report?.interfaces ?? []
		expect(first).toMatchObject({ state: 'Failed', reason: 'Drifted', observed: { mtu: 1500 } })
		expect(first?.message).toMatch(/^ipv4\/arp_ignore is 0, not 1; mtu is 1500, not 1400; 10\.0\.0\.23\/24 is missing; /)
		expect(first?.drift).toEqual([
			{ attribute: 'sysctl', of: 'ipv4/arp_ignore', wanted: '1', found: '0' },
			{ attribute: 'mtu', wanted: '1400', found: '1500' },
			{ attribute: 'address', wanted: '10.0.0.23/24', found: 'missing' },
			{ attribute: 'route', wanted: '10.0.0.0/24 table 100', found: 'missing' },
			{ attribute: 'route', wanted: '0.0.0.0/0 via 10.0.0.1 table 100', found: 'missing' },
			{ attribute: 'rule', wanted: 'from 10.0.0.23/32 table 100 priority 10000', found: 'missing' },
		])
		expect(second?.drift).toContainEqual({ attribute: 'state', wanted: 'up', found: 'down' })
		expect(second?.drift).toContainEqual({ attribute: 'file', of: '/etc/sysctl.d/99-multinic1.conf', wanted: 'there', found: 'missing' })
	})

	test('in mode Verify reports leftovers of removed interfaces', async () => {
		await addNics(1)
		await host.agent(nics(1))
		const before = await host.everything()
		const { report, stdout } = await host.agent([], { mode: 'Verify' })
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'Drifted', changes: 0 })
		expect(report?.drift).toContainEqual({ attribute: 'name', link: 'multinic0', wanted: 'ens0', found: 'multinic0' })
		expect(stdout).toMatch(/^leftover +multinic0: 10\.0\.0\.23\/24 is unexpected$/m)
		expect(await host.everything()).toEqual(before)
	})

	test('reports the changes of each NIC, and the duration of each phase', async () => {
		await addNics(1)
		const { report, stdout } = await host.agent(nics(1))
		expect(report?.interfaces[0]?.done).toEqual(
			expect.arrayContaining(['rename to multinic0', 'mtu 1400', 'up', '10.0.0.23/24', 'write /etc/netplan/99-multinic0.yaml']),
		)
		expect(report?.interfaces[0]?.done).toHaveLength(report?.interfaces[0]?.changes ?? 0)
		expect(stdout).toMatch(/^took +observe \d+ ms, .*apply \d+ ms/m)
	})

	test('with an invalid config changes nothing, and the error names the field', async () => {
		await addNics(1)
		const before = await host.everything()
		const { code, report, stderr } = await host.agent([{ id: 0, macAddress: mac(0), address: '10.1.0.1', cidr: '10.0.0.0/24', mtu: 20 }])
		expect(code).toBe(2)
		expect(stderr).toMatch(/interfaces\[0\]\.mtu: .*68/)
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'InvalidConfig' })
		expect(await host.everything()).toEqual(before)
	})
})

/** Files and directories, with their content and mode. */
function entries(): string[] {
	return ['etc', 'run', 'var'].flatMap(top =>
		readdirSync(join(host.inner, top), { recursive: true, withFileTypes: true })
			.map(entry => {
				const path = join(entry.parentPath, entry.name)
				return `${path.slice(host.inner.length)} ${statSync(path).mode.toString(8)} ${entry.isFile() ? readFileSync(path, 'utf8') : ''}`
			})
			.sort(),
	)
}

async function addNics(count: number): Promise<void> {
	for (let id = 0; id < count; id++) await addNic(id)
}

async function addNic(id: number): Promise<void> {
	await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
}

function nics(count: number): Partial<Interface>[] {
	return Array.from({ length: count }, (_, id) => ({
		id,
		macAddress: mac(id),
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		gateway: `10.0.${id}.1`,
		mtu: 1400 + id,
	}))
}

function mac(id: number): string {
	return `fa:16:3e:00:00:0${id}`
}

async function names(): Promise<Record<string, string>> {
	return Object.fromEntries((await host.ask('link show')).map(({ address, ifname }) => [address, ifname]))
}
