import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NodeHost, nodeHost } from './node-host.ts'
import { swapped } from './swapped.ts'

/** A run fails or is killed after any number of its steps; each time, the host is restored. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`

describe.skipIf(!isRoot).each([
	{ kernel: 'that renames links that are up', renameDown: false, stride: 1 },
	{ kernel: 'before 6.2, where a link must be down to be renamed', renameDown: true, stride: 3 },
])('a run that fails on a kernel $kernel (needs root for network namespaces)', ({ renameDown, stride }) => {
	/** The config of the previous run; another run for it changes nothing. */
	const former = [
		{ id: 0, macAddress: mac(0), address: '10.0.0.9', cidr: '10.0.0.0/24' },
		{ id: 1, macAddress: mac(1), mtu: 1500 },
	]
	let host: NodeHost
	let steps = 0
	let before: unknown

	beforeAll(async () => {
		host = await nodeHost()
		for (const id of [0, 1, 2]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
		const first = await host.agent(former)
		expect(first.report).toMatchObject({ message: 'Configured 2/2' })
		await host.ip(
			[
				'link set ens2 up',
				'addr add 10.9.9.9/24 dev ens2 valid_lft 4000 preferred_lft 3000',
				'addr add fd09::9/64 dev ens2 nodad valid_lft 4000 preferred_lft 3000',
				'route add 10.8.0.0/16 via 10.9.9.1 dev ens2 proto dhcp',
				'route add 10.7.0.0/16 via 10.9.9.1 dev ens2',
				'neigh add 10.9.9.7 lladdr 02:00:00:00:00:07 dev ens2 nud permanent',
				'link property add dev ens2 altname multinic2',
			].join('\n'),
		)
		before = await host.everything()
		const { report } = await host.agent(swapped, { mode: 'Plan' })
		steps = report?.plan?.commands.length ?? 0
	})
	afterAll(() => host?.close())

	test('has enough steps to fail at', () => expect(steps).toBeGreaterThan(25))

	test('rolls back everything after any number of steps', async () => {
		for (let at = 0; at <= steps; at += stride) {
			const { report } = await host.agent(swapped, {}, { at, how: 'fail', renameDown })
			expect(report, `after ${at}`).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed', changes: 0 })
			expect(report?.message).toMatch(/everything was rolled back$/)
			expect(await host.everything(), `after ${at} of ${steps}`).toEqual(before)
		}
	})

	test('is rolled back at the start of the next run if it is killed after any number of steps', async () => {
		for (let at = 0; at <= steps; at += stride + 1) {
			await host.agent(swapped, {}, { at, how: 'kill', renameDown })
			const next = await host.agent(former)
			expect(next.report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
			expect(next.stdout).toContain('ended before its commit; it was rolled back')
			expect(await host.everything(), `after ${at} of ${steps}`).toEqual(before)
		}
	})

	test('succeeds without a fault, and cleanup restores the original name of every link', async () => {
		expect((await host.agent(swapped, {}, { how: 'fail', renameDown })).report).toMatchObject({
			outcome: 'Succeeded',
			message: 'Configured 3/3',
		})
		await host.agent([], { mode: 'Cleanup' })
		const links = await host.ask('link show')
		expect(Object.fromEntries(links.map(({ address, ifname }) => [address, ifname]))).toMatchObject({
			[mac(0)]: 'ens0',
			[mac(1)]: 'ens1',
			[mac(2)]: 'ens2',
		})
	})
})
