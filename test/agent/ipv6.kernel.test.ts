import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** A host whose kernel has IPv6 and refuses its addresses: on all links, or on one. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const four = (id: number): Partial<Interface> => ({ id, macAddress: mac(id), address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, mtu: 1400 })
const six = (id: number): Partial<Interface> => ({ ...four(id), addresses: [`fd00:1${id}::23/64`] })
const ok = { reason: 'Configured' }
const refused = (name: string) => ({
	reason: 'InvalidConfig',
	message: expect.stringMatching(new RegExp(`^fd00:1\\d::23/64 needs IPv6, .*disabled on ${name} .*disable_ipv6`)),
})

let host: NodeHost

describe.skipIf(!isRoot)('net.ipv6.conf.all.disable_ipv6=1 (needs root for network namespaces)', () => {
	beforeAll(async () => {
		host = await nodeHost()
		await set('all', 1)
		await host.ip('link add mgmt type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up\naddr add 192.168.9.2/24 dev mgmt')
		for (const id of [0, 1]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
	})
	afterAll(() => host.close())

	test('an interface with IPv4 alone is configured, and one with an IPv6 address is refused before it is touched', async () => {
		const { report, stdout } = await host.agent([four(0), six(1)])
		expect(report?.interfaces, stdout).toMatchObject([ok, refused('ens1')])
		expect(await host.ask('addr show dev ens1')).toMatchObject([{ addr_info: [] }])
	})

	test('the same where the MTU was too small for IPv6, so that the link has no setting of its own', async () => {
		await host.ip('link set ens1 mtu 1000')
		expect((await host.agent([four(0), six(1)])).report?.interfaces).toMatchObject([{ reason: 'AlreadyConfigured' }, refused('ens1')])
		expect((await host.agent([four(0), four(1)])).report?.interfaces).toMatchObject([{ reason: 'AlreadyConfigured' }, ok])
		expect(await settingOf('multinic1', 'accept_ra')).toBe('0')
	})

	test('a verification finds no drift, and an address that is wanted now is refused', async () => {
		const verified = (await host.agent([four(0), four(1)], { mode: 'Verify' })).report
		expect(verified).toMatchObject({ outcome: 'Succeeded', changes: 0 })
		expect((await host.agent([four(0), six(1)])).report?.interfaces).toMatchObject([{ reason: 'AlreadyConfigured' }, refused('multinic1')])
	})

	test('switched on for one link, that one is configured', async () => {
		await set('multinic1', 0)
		expect((await host.agent([six(0), six(1)])).report?.interfaces).toMatchObject([refused('multinic0'), ok])
	})

	test('switched off again, so that the kernel took the address, it is refused and not tried', async () => {
		await set('multinic1', 1)
		const { report } = await host.agent([four(0), six(1)])
		expect(report).toMatchObject({ changes: 0, interfaces: [{ reason: 'AlreadyConfigured' }, refused('multinic1')] })
	})

	test('a removal leaves nothing', async () => {
		expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect(await host.ask('addr show dev ens1')).toMatchObject([{ mtu: 1000, addr_info: [] }])
	})
})

async function set(link: string, value: number): Promise<void> {
	const { code, stderr } = await host.inside('sh', ['-c', `echo ${value} >/proc/sys/net/ipv6/conf/${link}/disable_ipv6`])
	if (code !== 0) throw new Error(stderr)
}

async function settingOf(link: string, key: string): Promise<string> {
	return (await host.inside('cat', [`/proc/sys/net/ipv6/conf/${link}/${key}`])).stdout.trim()
}
