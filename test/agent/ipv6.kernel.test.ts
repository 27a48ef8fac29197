import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** A host whose kernel supports IPv6, with IPv6 disabled on all links or on one. */
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

describe.skipIf(!isRoot)('a run with net.ipv6.conf.all.disable_ipv6=1 (needs root for network namespaces)', () => {
	beforeAll(async () => {
		host = await nodeHost()
		await set('all', 1)
		await host.ip('link add mgmt type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up\naddr add 192.168.9.2/24 dev mgmt')
		for (const id of [0, 1]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
	})
	afterAll(() => host.close())

	test('configures an interface with IPv4 only, and refuses one with an IPv6 address and leaves its link unchanged', async () => {
		const { report, stdout } = await host.agent([four(0), six(1)])
		expect(report?.interfaces, stdout).toMatchObject([ok, refused('ens1')])
		expect(await host.ask('addr show dev ens1')).toMatchObject([{ addr_info: [] }])
	})

	test('also refuses an IPv6 address on a link without IPv6 settings, whose MTU is below 1280', async () => {
		await host.ip('link set ens1 mtu 1000')
		expect((await host.agent([four(0), six(1)])).report?.interfaces).toMatchObject([{ reason: 'AlreadyConfigured' }, refused('ens1')])
		expect((await host.agent([four(0), four(1)])).report?.interfaces).toMatchObject([{ reason: 'AlreadyConfigured' }, ok])
		expect(await settingOf('multinic1', 'accept_ra')).toBe('0')
	})

	test('finds no drift in a verification, and refuses an IPv6 address that is added to the config', async () => {
		const verified = (await host.agent([four(0), four(1)], { mode: 'Verify' })).report
		expect(verified).toMatchObject({ outcome: 'Succeeded', changes: 0 })
		expect((await host.agent([four(0), six(1)])).report?.interfaces).toMatchObject([{ reason: 'AlreadyConfigured' }, refused('multinic1')])
	})

	test('configures an IPv6 address on a link on which IPv6 is enabled', async () => {
		await set('multinic1', 0)
		expect((await host.agent([six(0), six(1)])).report?.interfaces).toMatchObject([refused('multinic0'), ok])
	})

	test('refuses an interface before any change after IPv6 was disabled again and the kernel removed its address', async () => {
		await set('multinic1', 1)
		const { report } = await host.agent([four(0), six(1)])
		expect(report).toMatchObject({ changes: 0, interfaces: [{ reason: 'AlreadyConfigured' }, refused('multinic1')] })
	})

	test('restores the original MTU in a removal, and leaves no address', async () => {
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
