import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type NodeHost, nodeHost } from './node-host.ts'

/** The result of a run that removes a NIC which the node needs, or during which another program changes the node's network. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const plain = (id: number) => ({ id, macAddress: mac(id), address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, gateway: `10.0.${id}.1` })
const PORT = '6443'
const server = `require('node:net').createServer(socket => socket.end()).listen(${PORT}, '10.0.0.1', () => console.log('ready'))`

describe.skipIf(!isRoot)('the removal of the NIC through which the node reaches its API server (needs root for network namespaces)', () => {
	const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: PORT }
	const removal =
		'multinic0 \\(fa:16:3e:00:00:00\\) is not removed: packets to 10.0.0.1 leave through (ens0|multinic0) from 10.0.0.23 before the change and have no route .* after it'
	let host: NodeHost
	let machine: NodeHost

	beforeAll(async () => {
		host = await nodeHost()
		machine = await nodeHost()
		await host.ip(
			[
				`link add ens0 address ${mac(0)} type veth peer name gw netns ${machine.pid}`,
				`link add ens1 address ${mac(1)} type veth peer name peer1`,
				'link set peer1 up',
			].join('\n'),
		)
		await machine.ip('link set gw up\naddr add 10.0.0.1/24 dev gw')
		const api = machine.start(process.execPath, ['-e', server])
		if (api.stdout) await once(api.stdout, 'data')
		expect((await host.agent([plain(0)])).report).toMatchObject({ outcome: 'Succeeded' })
	})
	afterAll(() => {
		machine.close()
		host.close()
	})

	test('is attempted once and rolled back in mode Cleanup', async () => {
		const before = await host.everything()
		const { report, stdout } = await host.agent([], { mode: 'Cleanup' }, undefined, env)
		expect(report).toMatchObject({
			outcome: 'RolledBack',
			reason: 'ConnectivityLost',
			message: expect.stringMatching(new RegExp(`^${removal}; everything was rolled back$`)),
		})
		expect(stdout.match(/^armed /gm)).toHaveLength(1)
		expect(await host.everything()).toEqual(before)
	})

	test('does not prevent the configuration of another interface, and the link stays unchanged', async () => {
		const { report, stdout } = await host.agent([plain(1)], {}, undefined, env)
		expect(report).toMatchObject({
			outcome: 'PartlyFailed',
			reason: 'ConnectivityLost',
			message: expect.stringMatching(new RegExp(`^Configured 1/1. ${removal}; this interface is unchanged.$`)),
			interfaces: [{ id: 1, reason: 'Configured' }],
		})
		expect(stdout.match(/^armed /gm)).toHaveLength(2)
		expect(stdout).toMatch(/^held back {7}the removal of multinic0 \(fa:16:3e:00:00:00\); the others are tried again$/m)
		expect(await host.ask('-4 addr show dev multinic0')).toMatchObject([{ addr_info: [{ local: '10.0.0.23' }] }])
	})

	test('succeeds in a later run that does not probe the API server', async () => {
		const { report } = await host.agent([plain(1)])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		expect((await host.ask('link')).map(({ ifname }) => ifname)).toContain('ens0')
	})
})

describe.skipIf(!isRoot)('an object that another program changes during a run (needs root for network namespaces)', () => {
	const wish = [0, 1].map(id => ({ ...plain(id), gateway: undefined }))
	let host: NodeHost

	beforeAll(async () => {
		host = await nodeHost()
		await host.ip(
			[
				'link add mgmt type veth peer name mgmt-peer',
				'link set mgmt up\nlink set mgmt-peer up',
				'addr add 192.168.9.2/24 dev mgmt\naddr add 192.168.9.77/32 dev mgmt',
				'route add 10.42.7.0/24 via 192.168.9.7 proto bird',
				'link add vx0 type vxlan id 7 dstport 8472 dev mgmt\nlink set vx0 up',
				'neigh add 10.42.7.9 lladdr 02:00:00:00:00:07 dev vx0 nud permanent',
				'rule add from 10.42.0.5 lookup 77 priority 512',
				'link add pod type veth peer name pod-peer\nlink set pod up mtu 1400\nlink set pod-peer up',
				...[0, 1].map(id => `link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`),
			].join('\n'),
		)
	})
	afterAll(() => host?.close())

	test('is reported as changed by another program, and the run applies the same steps again', async () => {
		const ip = [
			'route del 10.42.7.0/24',
			'neigh del 10.42.7.9 dev vx0',
			'rule del from 10.42.0.5 lookup 77 priority 512',
			'addr del 192.168.9.77/32 dev mgmt',
			'link set pod mtu 1300',
		].join('\n')
		const { report, stdout } = await host.agent(wish, {}, { at: 5, how: 'others', ip })
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		const note = 'changed by another program during the run: '
		const lost = (report?.notes ?? []).flatMap(words => (words.startsWith(note) ? [words.slice(note.length)] : []))
		expect(lost).toEqual([
			'192.168.9.77/32 on mgmt',
			'route 10.42.7.0/24 via 192.168.9.7 table main proto 12',
			expect.stringMatching(/^rule .*10\.42\.0\.5/),
			'neighbour 10.42.7.9 lladdr 02:00:00:00:00:07 nud permanent',
		])
		expect(stdout).toMatch(/^rolled back {5}the changes of this run are rolled back; changed by another program: /m)
		expect(stdout).not.toContain('everything is as it was before the run')
		expect(stdout.match(/^armed /gm)).toHaveLength(2)
	})

	test('ends the run with NotRestored if the run may be the cause: a route via a gateway in a desired network', async () => {
		await host.agent([])
		await host.ip('route add 10.43.0.0/16 via 10.0.0.7 dev mgmt onlink')
		const { report, stdout } = await host.agent(wish, {}, { at: 5, how: 'others', ip: 'route del 10.43.0.0/16' })
		expect(report, stdout).toMatchObject({ outcome: 'Failed', reason: 'NotRestored' })
		expect(report?.message).toMatch(/NOT rolled back: route 10\.43\.0\.0\/16 via 10\.0\.0\.7/)
		expect(stdout).not.toContain('everything is as it was before the run')
	})
})

describe.skipIf(!isRoot)('a NIC that another program changes (needs root for network namespaces)', () => {
	let host: NodeHost

	beforeEach(async () => {
		host = await nodeHost()
		await host.ip(
			[
				'link add mgmt type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up',
				'addr add 192.168.9.2/24 dev mgmt\nroute add default via 192.168.9.1',
				...[0, 1].map(id => `link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`),
			].join('\n'),
		)
	})
	afterEach(() => host.close())

	test.each<[string, number, (index: number) => string, RegExp]>([
		['if its address is added to another link', 8, () => 'addr add 10.0.0.23/24 dev mgmt', /10\.0\.0\.23.*mgmt/],
		['if an address is added to it', 12, () => 'addr add 10.44.0.5/24 dev multinic0', /10\.44\.0\.5/],
		[
			'if another link with the same ifindex replaces it',
			12,
			index =>
				`link del multinic0\nlink add pod0 index ${index} address 02:00:00:00:00:77 type veth peer name pp\nlink set pp up\nlink set pod0 up`,
			/./,
		],
	])('is not reported as configured %s during the run', async (_, at, ip, says) => {
		const index = Number((await host.ask('link show dev ens0'))[0]?.ifindex)
		const { report, stdout } = await host.agent([plain(0), plain(1)], {}, { how: 'others', at, ip: ip(index) })
		expect(report?.interfaces[0], stdout).toMatchObject({ id: 0, state: expect.not.stringMatching('Configured') })
		expect(report?.interfaces[0]?.message, stdout).toMatch(says)
		expect(report?.interfaces[1], stdout).toMatchObject({ id: 1, state: 'Configured' })
	})

	test('is not removed if the removal would set it down and it has an address from another program, which the message contains', async () => {
		await host.agent([plain(0)])
		await host.ip('addr add 10.44.0.5/24 dev multinic0\nroute add 10.45.0.0/16 via 10.44.0.1')
		const { report, stdout } = await host.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Failed', reason: 'InUse', changes: 0 })
		expect(report?.message).toMatch(/multinic0 would be set down and has 10\.44\.0\.5\/24/)
		await host.ip('addr del 10.44.0.5/24 dev multinic0')
		expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded' })
	})
})
