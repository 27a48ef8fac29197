import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** A node that reaches its API server through its gateway, and an interface that would take over the path to it. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const PORT = '6443'
const server = `require('node:net').createServer(socket => socket.end()).listen(${PORT}, '10.96.0.1', () => console.log('ready'))`

let host: NodeHost
let machine: NodeHost

describe.skipIf(!isRoot)('an interface that would take over the path to the API server (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		machine = await nodeHost()
		await host.ip(
			[
				`link add mgmt type veth peer name gw netns ${machine.pid}`,
				'link set mgmt up',
				'addr add 192.168.9.2/24 dev mgmt',
				'route add default via 192.168.9.1',
				...[0, 1, 2, 3].map(id => `link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`),
			].join('\n'),
		)
		await machine.ip('link set gw up\naddr add 192.168.9.1/24 dev gw\naddr add 10.96.0.1/32 dev lo')
		const api = machine.start(process.execPath, ['-e', server])
		if (api.stdout) await once(api.stdout, 'data')
	})
	afterEach(() => {
		machine.close()
		host.close()
	})

	test.each<[title: string, culprit: Partial<Interface>, said: RegExp]>([
		[
			'a route to the API server',
			{ ...plain(2), routes: [{ to: '10.96.0.0/16', via: '10.0.2.1', table: 254 }] },
			/overlaps 10\.96\.0\.1\/32, the API server/,
		],
		['a route to half of the address space', { ...plain(2), routes: [{ to: '0.0.0.0/1', via: '10.0.2.1', table: 254 }] }, /or half of one/],
	])('is refused before any change if it has %s, and the others are configured', async (_, culprit, said) => {
		const wish = [0, 1, 2, 3].map(id => ({ id, macAddress: mac(id), ...(id === 2 ? culprit : plain(id)) }))
		const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: PORT }
		const { report, stdout } = await host.agent(wish, {}, undefined, env)
		expect(report?.interfaces.map(({ reason }) => reason)).toEqual(['Configured', 'Configured', 'NotAllowed', 'Configured'])
		expect(report?.interfaces[2]?.message).toMatch(said)
		expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'NotAllowed', probes: { after: [{ ok: true }, { ok: true }] } })
		expect(stdout.match(/^armed /gm)).toHaveLength(1)
		expect(await host.ask('addr show dev ens2')).toMatchObject([{ flags: expect.not.arrayContaining(['UP']) }])
	})
})

function plain(id: number): Partial<Interface> {
	return { address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, gateway: `10.0.${id}.1` }
}
