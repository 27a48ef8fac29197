import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generated } from '../../agent/model/paths.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { netplanGenerator, pretendSystemd } from './pretend.ts'

/**
 * netplan's own generator rejects all files if one refers to an undefined link. Then no link of the node is configured at the next boot.
 */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const nic = (id: number) => ({ id, macAddress: mac(id), address: `10.0.${id}.9`, cidr: `10.0.${id}.0/24` })
const TRUNK = '/etc/netplan/99-z-trunk.yaml'
const LAN = '/etc/netplan/60-lan.yaml'
const onLink = (kind: string, body: string) => `network:\n  version: 2\n  ${kind}: ${body}\n`

describe.skipIf(!isRoot)('a run that would make netplan reject its files (needs root for network namespaces)', () => {
	let host: NodeHost
	const write = (path: string, text: string) => writeFileSync(join(host.root, path), text, { mode: 0o600 })
	const names = async () => (await host.ask('link')).map(({ ifname }) => ifname)

	beforeAll(async () => {
		host = await nodeHost()
		await pretendSystemd(host)
		await netplanGenerator(host)
		for (const id of [0, 1, 2]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
		expect((await host.agent([nic(0), nic(1)])).report).toMatchObject({ outcome: 'Succeeded' })
	})
	afterAll(() => host?.close())

	test.each([
		['a bridge', onLink('bridges', '{br7: {interfaces: [multinic0]}}')],
		['a bond', onLink('bonds', '{bond7: {interfaces: [multinic0]}}')],
		['a VLAN', onLink('vlans', '{trunk100: {id: 100, link: multinic0, addresses: [172.20.0.5/24]}}')],
	])('does not plan the removal of a NIC that another netplan file uses for %s', async (_, text) => {
		write(TRUNK, text)
		const { report } = await host.agent([nic(1)], { mode: 'Plan' })
		expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'InUse', plan: { commands: [] } })
		expect(report?.message).toMatch(
			/^Planned 1\/1\. multinic0 \(fa:16:3e:00:00:00\) is not removed: netplan would reject its files at boot \(cat \/etc\/netplan\/99-z-trunk\.yaml\): line 3: .*interface 'multinic0' is not defined; remove it from that file first\. /,
		)
	})

	test('keeps that NIC and makes the other changes', async () => {
		const { report, stdout } = await host.agent([nic(2)])
		expect(report, stdout).toMatchObject({
			outcome: 'PartlyFailed',
			reason: 'InUse',
			message: expect.stringMatching(/^Configured 1\/1\. multinic0 \(\S+\) is not removed: /),
		})
		expect(await names()).toEqual(expect.arrayContaining(['multinic0', 'ens1', 'multinic2']))
		expect(existsSync(join(host.root, 'etc/netplan/99-multinic1.yaml'))).toBe(false)
		const cleanup = await host.agent([], { mode: 'Cleanup' })
		expect(cleanup.report, cleanup.stdout).toMatchObject({ outcome: 'Failed', reason: 'InUse', changes: expect.any(Number) })
		expect(await names()).toEqual(expect.arrayContaining(['multinic0', 'ens2']))
	})

	test('refuses the interface whose own file conflicts with another file', async () => {
		write(TRUNK, onLink('vlans', '{multinic2: {id: 100, link: multinic0}}'))
		const { report, stdout } = await host.agent([nic(0), nic(1), nic(2)])
		expect(report, stdout).toMatchObject({ outcome: 'PartlyFailed', reason: 'InUse' })
		expect(report?.interfaces.map(({ state }) => state)).toEqual(['Configured', 'Configured', 'Failed'])
		expect(report?.interfaces[2]?.message).toContain(`cat ${TRUNK}`)
	})

	test.each([
		[
			'reports a second definition by MAC, before the definition of MultiNIC',
			`{ens7: {match: {macaddress: "${mac(0)}"}, addresses: [10.99.0.9/24]}}`,
			'NotPersistent',
		],
		[
			'does not report a second definition by MAC, after the definition of MultiNIC',
			`{nic7: {match: {macaddress: "${mac(0)}"}, addresses: [10.99.0.9/24]}}`,
			undefined,
		],
		[
			'reports a second definition with the same name, before the definition of MultiNIC',
			`{ens7: {match: {macaddress: "${mac(0)}"}, set-name: multinic0, dhcp4: true}}`,
			'NotPersistent',
		],
		[
			'does not report a second definition with a different name',
			`{ens7: {match: {macaddress: "${mac(0)}"}, set-name: ens7, dhcp4: true}}`,
			undefined,
		],
		['reports a second definition by a name pattern', '{all: {match: {name: "multi*"}, dhcp4: true}}', 'NotPersistent'],
		['refuses an interface with a second definition of the same id', '{multinic0: {addresses: [10.99.0.9/24]}}', 'InUse'],
	])('%s', async (_, text, reason) => {
		write(TRUNK, onLink('ethernets', text))
		const { report, stdout } = await host.agent([nic(0), nic(1)], { mode: 'Verify' })
		const [first, second] = report?.interfaces ?? []
		const warned = first?.warnings.find(({ message }) => message.includes(TRUNK))?.reason
		expect(first?.reason === 'InUse' ? first.reason : warned, stdout).toBe(reason)
		expect(report?.persistent.message.startsWith(`${TRUNK} also defines`)).toBe(reason === 'NotPersistent')
		expect(second?.warnings).toEqual([])
	})

	test.each([
		['a VLAN', onLink('vlans', '{trunk100: {id: 100, link: multinic0, addresses: [172.20.0.5/24]}}'), 'VLAN=trunk100'],
		['a VXLAN', onLink('tunnels', '{vx1: {mode: vxlan, id: 5, link: multinic0, local: 10.0.0.9, remote: 10.0.0.8}}'), 'VXLAN=vx1'],
	])('does not report %s on top of a managed NIC, because the NIC stays unchanged at boot', async (_, text, line) => {
		const network = join(host.root, generated.network('multinic0'))
		const before = readFileSync(network, 'utf8')
		// netplan accepts the file; the status is Unknown because a network namespace has no udev.
		const same = { changes: 0, persistent: { status: 'Unknown', message: expect.stringMatching(/^udev does not report/) } }
		write(TRUNK, text)
		const found = await host.agent([nic(0), nic(1)])
		expect(found.report, found.stdout).toMatchObject({ outcome: 'Succeeded', ...same })
		// This is the file as netplan itself would have generated it, at a boot or in `netplan apply`.
		writeFileSync(network, before.replace('[Network]\n', `[Network]\n${line}\n`))
		const verified = await host.agent([nic(0), nic(1)], { mode: 'Verify' })
		expect(verified.report, verified.stdout).toMatchObject({ outcome: 'Succeeded', ...same })
		// The netplan file is deleted again.
		rmSync(join(host.root, TRUNK))
		const again = await host.agent([nic(0), nic(1)], { mode: 'Verify' })
		expect(again.report, again.stdout).toMatchObject({ outcome: 'Succeeded', ...same })
		writeFileSync(network, before)
	})

	test.each([
		['a bridge', onLink('bridges', '{br7: {interfaces: [multinic0]}}')],
		['a VRF', onLink('vrfs', '{vrf7: {table: 77, interfaces: [multinic0]}}')],
		['a bridge with a NIC that a third file defines', onLink('bridges', '{br7: {interfaces: [multinic0, lan5]}}')],
	])('reports another netplan file that changes a managed NIC at boot: %s', async (_, text) => {
		write(TRUNK, text)
		write(LAN, onLink('ethernets', '{lan5: {}}'))
		const { report, stdout } = await host.agent([nic(0), nic(1)], { mode: 'Verify' })
		rmSync(join(host.root, LAN))
		expect(report?.persistent, stdout).toEqual({
			status: 'False',
			message: `${TRUNK} changes the configuration of multinic0 at the next boot (cat ${TRUNK}): remove multinic0 from that file`,
		})
		expect(report?.interfaces[0]?.warnings.map(({ message }) => message)).toEqual([report?.persistent.message])
	})

	test('does not start the generator for an empty list of interfaces if there is nothing to remove', async () => {
		rmSync(join(host.root, TRUNK))
		await host.agent([])
		await host.inside('mount', ['-t', 'tmpfs', 'tmpfs', join(host.root, 'opt/netplan')])
		expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded', changes: 0, persistent: { status: 'True' } })
		await host.inside('umount', [join(host.root, 'opt/netplan')])
		expect((await host.agent([nic(0), nic(1)])).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('makes a removal if netplan already rejects the files, and reports this', async () => {
		write(TRUNK, onLink('vlans', '{trunk100: {id: 100, link: nowhere}}'))
		const { report, stdout } = await host.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
		expect(report?.persistent).toMatchObject({ status: 'False', message: expect.stringMatching(/99-z-trunk\.yaml/) })
		expect(await names()).toEqual(expect.arrayContaining(['ens0', 'ens1']))
	})
})
