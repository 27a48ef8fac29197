import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type NodeHost, nodeHost } from './node-host.ts'

/** When a link is renamed, udev can add its old name as an alternative name, depending on the naming policy of the distribution. */
const isRoot = process.getuid?.() === 0
const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24' }

describe.skipIf(!isRoot)('an old name that udev added as an alternative name (needs root for network namespaces)', () => {
	let host: NodeHost
	let before: unknown

	beforeEach(async () => {
		host = await nodeHost()
		await host.ip(`link add ens0 address ${nic.macAddress} type veth peer name peer0\nlink set peer0 up`)
		before = await host.everything()
	})
	afterEach(() => host.close())

	const asUdev = () => host.ip('link property add dev multinic0 altname ens0')

	test('is not drift', async () => {
		await host.agent([nic])
		await asUdev()
		expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})

	test('does not block a removal', async () => {
		await host.agent([nic])
		await asUdev()
		expect((await host.agent([], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect(await host.everything()).toEqual(before)
	})

	test('does not block a rollback', async () => {
		const { report } = await host.agent([nic], { mode: 'Plan' })
		const steps = report?.plan?.commands.length ?? 0
		await host.agent([nic], {}, { at: steps - 1, how: 'kill' })
		await asUdev()
		await host.agent([])
		expect(await host.everything()).toEqual(before)
	})
})
