import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type NodeHost, nodeHost } from './node-host.ts'

const isRoot = process.getuid?.() === 0
const macAddress = 'fa:16:3e:00:00:00'

let host: NodeHost

describe.skipIf(!isRoot)('a different prefix length (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		await host.ip(`link add ens0 address ${macAddress} type veth peer name peer0\nlink set peer0 up\nlink set ens0 up`)
	})
	afterEach(() => host.close())

	test('is applied to an address before another one of the network, and a rollback restores the former prefix length', async () => {
		const had = ['10.0.6.23/32', '10.0.6.24/24']
		const asked = ['10.0.6.23/24', '10.0.6.24/24']
		expect((await run(had)).report).toMatchObject({ outcome: 'Succeeded' })
		await host.ip('route add 10.77.0.0/16 dev multinic6 table 77 src 10.0.6.24')
		const before = await host.everything()
		expect((await run(asked, 12)).report).toMatchObject({ outcome: 'RolledBack' })
		expect(await host.everything()).toEqual(before)
		expect((await run(asked)).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await addresses()).toEqual(asked)
		expect(await host.ask('route show table 77')).toMatchObject([{ dst: '10.77.0.0/16', prefsrc: '10.0.6.24' }])
		expect((await run(asked)).report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})

	function run(list: string[], at?: number) {
		return host.agent([{ id: 6, macAddress, addresses: list }], {}, at === undefined ? undefined : { how: 'fail', at })
	}

	async function addresses(): Promise<string[]> {
		const [link] = await host.ask('-4 addr show dev multinic6')
		return ((link?.addr_info ?? []) as { local: string; prefixlen: number }[]).map(({ local, prefixlen }) => `${local}/${prefixlen}`)
	}
})
