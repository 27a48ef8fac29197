import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pathsOf } from '../../agent/model/paths.ts'
import { addressesOf } from '../../agent/model/desired-network.ts'
import { settle } from '../../contract/interface.ts'
import { backends, type Files } from './backends.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** The same scenario on a host with each backend: real kernel, real files. No daemon reads the files here. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const nic = (id: number, more: object = {}) => ({
	id,
	macAddress: mac(id),
	address: `10.0.${id}.23`,
	cidr: `10.0.${id}.0/24`,
	gateway: `10.0.${id}.1`,
	...more,
})
/** The run is killed after every multiple of this number of steps. */
const STRIDE = 9

/** What such a host has in addition to every host of these tests: path → text, or undefined for a directory. */
const fixtures: Record<string, Record<string, string | undefined>> = {
	'netplan-networkd': { '/etc/netplan/01-theirs.yaml': 'network: {version: 2}\n' },
	'netplan-networkmanager': { '/etc/netplan/01-theirs.yaml': 'network: {version: 2, renderer: NetworkManager}\n' },
	'networkmanager-keyfile': { '/etc/NetworkManager/system-connections': undefined },
	ifcfg: { '/etc/sysconfig/network-scripts/ifcfg-eth0': 'DEVICE=eth0\n' },
}

describe.skipIf(!isRoot).each(Object.keys(fixtures))('a host with backend %s (needs root for network namespaces)', backend => {
	let host: NodeHost
	let before: unknown

	beforeAll(async () => {
		host = await nodeHost()
		rmSync(join(host.root, 'etc/netplan'), { recursive: true })
		for (const [path, text] of Object.entries(fixtures[backend] ?? {})) put(path, text)
		for (const id of [0, 1]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
		before = await host.everything()
	})
	afterAll(() => host?.close())

	test('the next run rolls back a run that was killed, after any number of steps', async () => {
		const { report } = await host.agent([nic(0), nic(1)], { mode: 'Plan' })
		const steps = report?.plan?.commands.length ?? 0
		expect(steps).toBeGreaterThan(20)
		for (let at = 0; at <= steps; at += STRIDE) {
			await host.agent([nic(0), nic(1)], {}, { at, how: 'kill' })
			await host.agent([])
			expect(await host.everything(), `after ${at} of ${steps}`).toEqual(before)
		}
	})

	test('a run configures the NICs and writes files that match the kernel', async () => {
		const { report } = await host.agent([nic(0, { addresses: ['fd00::23/64'] }), nic(1, { mtu: 1400 })])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2', backend })
		for (const wanted of settle([nic(0, { addresses: ['fd00::23/64'] }), nic(1, { mtu: 1400 })])) {
			const said = backends[backend]?.read(filesOf(wanted.name), wanted.name)
			const [link] = await host.ask(`addr show ${wanted.name}`)
			const addresses = ((link?.addr_info ?? []) as { scope: string; local: string; prefixlen: number }[]).filter(
				({ scope }) => scope === 'global',
			)
			expect(said).toMatchObject({ name: wanted.name, mac: link?.address, addresses: addressesOf(wanted) })
			expect(addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`)).toEqual(addressesOf(wanted))
			expect(said?.mtu ?? 1500).toBe(link?.mtu)
			expect((await host.ask('rule')).filter(({ src }) => src === wanted.address)).toMatchObject([{ priority: 10_000 + wanted.id }])
		}
	})

	test('a run without changes writes no file', async () => {
		const times = host.changeTimes()
		const { report } = await host.agent([nic(0, { addresses: ['fd00::23/64'] }), nic(1, { mtu: 1400 })])
		expect(report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
		expect(host.changeTimes()).toEqual(times)
	})

	test('a different address in the same network replaces the first, and the routes of the interface stay', async () => {
		const { report } = await host.agent([nic(0, { address: '10.0.0.24' }), nic(1, { mtu: 1400 })])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		expect(await host.ask('route show table 100')).toMatchObject([{ dst: 'default', gateway: '10.0.0.1' }, { dst: '10.0.0.0/24' }])
	})

	test('a /32 address replaces a /24 address, and the route to the gateway becomes onlink', async () => {
		const { report, stdout } = await host.agent([nic(0, { address: '10.0.0.24', cidr: '10.0.0.24/32' }), nic(1, { mtu: 1400 })])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		const [route] = await host.ask('route show table 100')
		expect(route).toMatchObject({ dst: 'default', gateway: '10.0.0.1', flags: ['onlink'] })
	})

	test('a config that swaps the names of two NICs is applied', async () => {
		const { report } = await host.agent([nic(1, { macAddress: mac(0) }), nic(0, { macAddress: mac(1) })])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		expect(backends[backend]?.read(filesOf('multinic1'), 'multinic1')).toMatchObject({ mac: mac(0), addresses: ['10.0.1.23/24'] })
	})

	test('no file of a removed interface remains, and a cleanup restores the host', async () => {
		await host.agent([nic(1, { macAddress: mac(0) })])
		expect(Object.keys(filesOf('multinic0'))).toEqual([])
		const { report } = await host.agent([], { mode: 'Cleanup' })
		expect(report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect(await host.everything()).toEqual(before)
		expect(existsSync(join(host.inner, 'var/lib/multinic'))).toBe(false)
	})

	/** @param text undefined: creates a directory */
	function put(path: string, text: string | undefined): void {
		mkdirSync(join(host.root, text === undefined ? path : dirname(path)), { recursive: true })
		if (text !== undefined) writeFileSync(join(host.root, path), text)
	}

	function filesOf(name: string): Files {
		const found = pathsOf(name).filter(path => existsSync(join(host.inner, path)))
		return Object.fromEntries(
			found.map(path => [
				path,
				{ content: readFileSync(join(host.inner, path), 'utf8'), mode: statSync(join(host.inner, path)).mode & 0o777 },
			]),
		)
	}
})

test.skipIf(!isRoot)('a host without a known backend: the run fails and changes nothing (needs root for network namespaces)', async () => {
	const host = await nodeHost()
	try {
		rmSync(join(host.root, 'etc/netplan'), { recursive: true })
		await host.ip(`link add ens0 address ${mac(0)} type veth peer name peer0`)
		const before = await host.everything()
		const { report, code } = await host.agent([nic(0)])
		expect(code).toBe(1)
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'UnknownBackend', message: expect.stringMatching(/^found neither netplan/) })
		expect(await host.everything()).toEqual(before)
		expect(readdirSync(join(host.root, 'var/lib'))).toEqual([])
	} finally {
		host.close()
	}
})
