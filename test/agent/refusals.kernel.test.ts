import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** What a node has that forbids to configure an interface: it is refused before anything is changed, and what causes it is named. */
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

let host: NodeHost

describe.skipIf(!isRoot)('before anything is changed (needs root for network namespaces)', () => {
	beforeEach(async () => {
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
	})
	afterEach(() => host.close())

	test.each<[title: string, wish: Partial<Interface>[], more: string[], message: string]>([
		[
			"the node's own address",
			[nic(0, { address: '192.168.9.2', cidr: '192.168.9.0/24', gateway: '192.168.9.1' })],
			['192.168.9.2'],
			'192.168.9.2 is wanted here, and Kubernetes knows this node by it (ip addr show to 192.168.9.2)',
		],
		[
			'an address of another link, of which Kubernetes knows nothing',
			[nic(0, { address: '192.168.9.2', cidr: '192.168.9.0/24' })],
			[],
			'192.168.9.2 is wanted on multinic0, and mgmt has it (ip addr show to 192.168.9.2)',
		],
	])('%s is refused', async (_, wish, nodeAddresses, message) => {
		const before = await host.everything()
		const { report } = await host.agent(wish, { nodeAddresses })
		expect(report).toMatchObject({ outcome: 'Failed', changes: 0, interfaces: [{ reason: 'InUse', message }] })
		expect(await host.everything()).toEqual(before)
	})
})
