import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NodeHost, nodeHost } from './node-host.ts'

/**
 * The name or an alternative name of the primary link is one that `ip` also reads as an ifindex: `if3`, where the managed NIC has ifindex
 * 3.
 */
const isRoot = process.getuid?.() === 0
const macAddress = 'fa:16:3e:00:00:00'
const wish = [{ id: 0, macAddress, address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1', mtu: 1400 }]
const node = { nodeAddresses: ['192.168.9.2'] }

describe.skipIf(!isRoot).each([
	['name', (name: string, word: string) => `link set ${name} down\nlink set ${name} name ${word}\nlink set ${word} up`],
	['alternative name', (name: string, word: string) => `link property add dev ${name} altname ${word}`],
])('a primary link whose %s is ifN, where N is the ifindex of the managed NIC (needs root for network namespaces)', (_, naming) => {
	let host: NodeHost
	let mgmt = 0
	let before: unknown

	beforeAll(async () => {
		host = await nodeHost()
		await host.ip(`link add ens0 address ${macAddress} type veth peer name peer0\nlink set peer0 up`)
		await host.ip('link add mgmt type veth peer name mgmt-peer\nlink set mgmt-peer up')
		const [ens0, node] = [...(await host.ask('link show dev ens0')), ...(await host.ask('link show dev mgmt'))]
		mgmt = Number(node?.ifindex)
		const word = `if${ens0?.ifindex}`
		await host.ip(`link set mgmt up\n${naming('mgmt', word)}`)
		await host.ip(`addr add 192.168.9.2/24 dev ${word}\nroute add default via 192.168.9.1`)
		before = await host.everything()
	})
	afterAll(() => host.close())

	test('a failed run restores everything', async () => {
		const { report } = await host.agent(wish, node, { at: 8, how: 'fail' })
		expect(report).toMatchObject({ outcome: 'RolledBack' })
		expect(await host.everything()).toEqual(before)
	})

	test('a run configures the managed NIC, and a plan refers to it by a word that is not the name of a link', async () => {
		const own = (await host.ask('addr show')).find(({ ifindex }) => ifindex === mgmt)
		const { report } = await host.agent(wish, { ...node, mode: 'Plan' })
		expect(Object.values(report?.plan?.links ?? {})).toEqual(['ens0'])
		expect(Object.keys(report?.plan?.links ?? {})[0]).toMatch(/^if0\d+$/)
		expect((await host.agent(wish, node)).report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		expect((await host.ask('addr show')).find(({ ifindex }) => ifindex === mgmt)).toEqual(own)
		expect(await host.ask('link show dev multinic0')).toMatchObject([{ address: macAddress, mtu: 1400 }])
	})

	test('a removal restores everything', async () => {
		expect((await host.agent([], { ...node, mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await host.everything()).toEqual(before)
	})
})
