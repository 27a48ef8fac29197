import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRun, type NodeHost, nodeHost } from './node-host.ts'

/** A node with a gateway and a NIC, both connected to another machine, which replies or does not. */
const isRoot = process.getuid?.() === 0
const mac = 'fa:16:3e:00:00:01'
const nic = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }

let host: NodeHost
let machine: NodeHost

describe.skipIf(!isRoot)('probes on the real kernel (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost('real')
		machine = await nodeHost()
		await host.ip(
			[
				`link add mgmt type veth peer name gw netns ${machine.pid}`,
				`link add ens0 address ${mac} type veth peer name peer0 netns ${machine.pid}`,
				'link set mgmt up',
				'addr add 192.168.9.2/24 dev mgmt',
				'addr add fe80::2/64 dev mgmt nodad',
				'route add default via 192.168.9.1',
				'route add default via fe80::1 dev mgmt',
			].join('\n'),
		)
		await machine.ip(
			'link set gw up\nlink set peer0 up\naddr add 192.168.9.1/24 dev gw\naddr add fe80::1/64 dev gw nodad\naddr add 10.0.0.1/24 dev peer0',
		)
	})
	afterEach(() => {
		machine.close()
		host.close()
	})

	describe.each([
		{ family: 'IPv4', name: 'gateway', gateway: '192.168.9.1', address: '192.168.9.1/24 dev gw' },
		{ family: 'IPv6', name: 'gateway6', gateway: 'fe80::1', address: 'fe80::1/64 dev gw nodad' },
	])('the gateway of the node, $family', ({ name, gateway, address }) => {
		test('causes a rollback if the change cuts it off, even if it still has a neighbour entry', async () => {
			const { report, stdout } = await during(async resume => {
				await machine.ip(`addr del ${address.replace(' nodad', '')}`)
				await host.ip(`neigh change ${gateway} dev mgmt nud stale`)
				resume()
				await expect.poll(async () => (await names()).includes('ens0')).toBe(true)
				await machine.ip(`addr add ${address}`)
			})
			expect(stdout).toMatch(new RegExp(`^probes after .*\\b${name} silent`, 'm'))
			expect(report).toMatchObject({ outcome: 'RolledBack', reason: 'ConnectivityLost' })
			expect(report?.message).toBe(`${name} unreachable after the change; everything was rolled back`)
		})

		test('causes no rollback if it replies late', async () => {
			const { report } = await during(async resume => {
				await machine.ip(`addr del ${address.replace(' nodad', '')}`)
				resume()
				await expect.poll(async () => ['PROBE', 'INCOMPLETE'].includes(await stateOf(gateway))).toBe(true)
				await machine.ip(`addr add ${address}`)
			})
			expect(report).toMatchObject({ outcome: 'Succeeded', probes: { after: [{ name: 'gateway' }, { name: 'gateway6' }] } })
		})

		test('keeps its neighbour entry if that is permanent', async () => {
			await host.ip(`neigh replace ${gateway} lladdr 02:00:00:00:00:07 dev mgmt nud permanent`)
			expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded' })
			expect(await host.ask('neigh show nud permanent')).toMatchObject([{ dst: gateway, lladdr: '02:00:00:00:00:07' }])
		})
	})

	test('the gateway of an interface causes a warning but no rollback if it does not reply, and no warning if it replies', async () => {
		await machine.ip('addr del 10.0.0.1/24 dev peer0')
		const silent = await host.agent([nic])
		expect(silent.report).toMatchObject({ outcome: 'Succeeded', interfaces: [{ reason: 'Configured' }] })
		expect(silent.report?.interfaces[0]?.warnings).toEqual([{ reason: 'GatewaySilent', message: 'the gateway 10.0.0.1 does not answer' }])
		expect(silent.stdout).toMatch(/^probes after .*, multinic0 gateway silent, no duplicate address$/m)

		await machine.ip('addr add 10.0.0.1/24 dev peer0')
		const answering = await host.agent([{ ...nic, mtu: 1400 }])
		expect(answering.report?.interfaces[0]?.warnings).toEqual([])
		expect(answering.stdout).toMatch(/^probes after .*, multinic0 gateway answers$/m)

		const nothingToDo = await host.agent([{ ...nic, mtu: 1400 }])
		expect(nothingToDo.report).toMatchObject({ changes: 0, probes: { before: [], after: [] } })
		expect(nothingToDo.stdout).toMatch(/^probes {10}multinic0 gateway answers$/m)

		await machine.ip('addr del 10.0.0.1/24 dev peer0')
		const looked = await host.agent([{ ...nic, mtu: 1400 }], { mode: 'Verify' })
		expect(looked.report?.interfaces).toMatchObject([{ state: 'Configured', warnings: [{ reason: 'GatewaySilent' }] }])
	})

	describe.each([
		{ family: 'IPv4', wish: nic, ip: '10.0.0.1/24' },
		{ family: 'IPv6', wish: { id: 0, macAddress: mac, addresses: ['fd00::23/64'], gateway: 'fd00::1' }, ip: 'fd00::1/64' },
	])('the path to the gateway ($family)', ({ wish, ip }) => {
		let gateway: NodeHost
		beforeEach(async () => {
			gateway = await nodeHost()
			await machine.ip(
				[
					'addr flush dev peer0',
					'link add br0 type bridge',
					`link add far type veth peer name gw0 netns ${gateway.pid}`,
					...['peer0', 'far'].map(port => `link set ${port} master br0`),
					...['far', 'br0'].map(link => `link set ${link} up`),
				].join('\n'),
			)
			await gateway.ip(`link set gw0 up\naddr add ${ip} dev gw0${ip.includes(':') ? ' nodad' : ''}`)
		})
		afterEach(() => gateway.close())

		test('causes no warning if packets of MTU size reach the gateway', async () => {
			const { report, stdout } = await host.agent([wish])
			expect(report, stdout).toMatchObject({ outcome: 'Succeeded', interfaces: [{ warnings: [] }] })
			expect(stdout).toMatch(/^probes after .*, multinic0 gateway answers, no duplicate address$/m)
		})

		test('causes a warning in every run, but no rollback, if only smaller packets reach the gateway', async () => {
			await machine.ip('link set far mtu 1400')
			const [ipOfGateway] = ip.split('/')
			const message = `packets of 1500 bytes (the MTU) do not reach the gateway ${ipOfGateway}, small packets do`
			for (const reason of ['Configured', 'AlreadyConfigured']) {
				const { report, stdout } = await host.agent([wish])
				expect(report?.interfaces).toMatchObject([{ reason, warnings: [{ reason: 'PathMtu', message }] }])
				expect(stdout).toContain('multinic0 gateway answers, but not at MTU 1500')
			}
			expect((await host.agent([{ ...wish, mtu: 1400 }])).report?.interfaces).toMatchObject([{ warnings: [] }])
		})

		test('causes no warning if the gateway does not reply to echo requests', async () => {
			const setting = ip.includes(':') ? 'ipv6/icmp/echo_ignore_all' : 'ipv4/icmp_echo_ignore_all'
			expect((await gateway.inside('sh', ['-c', `echo 1 > /proc/sys/net/${setting}`])).code).toBe(0)
			expect((await host.agent([wish])).report?.interfaces).toMatchObject([{ warnings: [] }])
		})
	})

	test('a missing carrier is reported as the cause of a silent gateway', async () => {
		await machine.ip('link set peer0 down')
		const { report } = await host.agent([nic])
		const message = 'the gateway 10.0.0.1 cannot be probed: multinic0 has no carrier'
		expect(report).toMatchObject({ outcome: 'Succeeded', interfaces: [{ warnings: [{ reason: 'GatewaySilent', message }] }] })
		expect(report?.notes).toEqual(['duplicate addresses are not checked without a carrier: multinic0'])
	})

	test('a nameserver that is silent before the change is not probed after it', async () => {
		writeFileSync(join(host.root, 'etc/resolv.conf'), 'nameserver 192.168.9.77\n')
		const { report } = await host.agent([nic])
		expect(report).toMatchObject({ outcome: 'Succeeded', probes: { before: [{}, {}, { name: 'dns', ok: false }], after: [{}, {}] } })
	})

	describe('a desired address that another host has', () => {
		const other = 'fa:16:3e:00:00:02'
		const second = { id: 1, macAddress: other, address: '10.0.1.23', cidr: '10.0.1.0/24' }
		beforeEach(async () => {
			await host.ip(`link add ens1 address ${other} type veth peer name peer1 netns ${machine.pid}`)
			await machine.ip('link set peer1 up')
		})

		test.each([
			{ family: 'IPv4', held: '10.0.0.23/24', wish: nic, says: /^[0-9a-f:]{17} answers for 10\.0\.0\.23 on multinic0$/ },
			{ family: 'IPv6', held: 'fd00::23/64', wish: { ...nic, addresses: ['fd00::23/64'] }, says: /^another host has fd00::23$/ },
		])('is refused, and the other interface is configured: $family', async ({ held, wish, says }) => {
			await machine.ip(`addr add ${held} dev peer0${held.includes(':') ? ' nodad' : ''}`)
			const { report } = await host.agent([wish, second])
			expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'AddressInUse' })
			expect(report?.interfaces).toMatchObject([{ reason: 'AddressInUse' }, { reason: 'Configured' }])
			expect(report?.interfaces[0]?.message).toMatch(says)
			expect(await names()).toEqual(expect.arrayContaining(['ens0', 'multinic1']))
		})

		test('is refused if the other host uses strict reverse path filtering and its route to the node uses another link', async () => {
			await machine.ip('route add default via 192.168.9.2\naddr add 10.0.0.23/32 dev peer0')
			const strict = await machine.inside('sh', ['-c', 'for name in all peer0; do echo 1 > /proc/sys/net/ipv4/conf/$name/rp_filter; done'])
			expect(strict.code).toBe(0)
			expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Failed', reason: 'AddressInUse' })
		})

		test('is in the message if it is one of several addresses in use', async () => {
			await machine.ip('addr add 10.0.0.24/24 dev peer0\naddr add 10.0.0.25/24 dev peer0')
			const { report } = await host.agent([{ ...nic, addresses: ['10.0.0.24/24', '10.0.0.25/24', '10.0.0.26/24'] }])
			const [{ address } = {}] = await machine.ask('link show dev peer0')
			expect(report?.interfaces).toMatchObject([
				{ reason: 'AddressInUse', message: `${address} answers for 10.0.0.24 on multinic0; ${address} answers for 10.0.0.25 on multinic0` },
			])
		})

		test.each([
			{ who: 'another machine', address: '02:00:00:00:00:77', ends: { state: 'Failed', reason: 'AddressInUse' } },
			{ who: 'a virtual switch with the MAC of the NIC', address: mac, ends: { state: 'Configured' } },
		])('is also probed through the primary link if that has the network (reply from $who: $ends.state)', async ({ address, ends }) => {
			await machine.ip(`link set gw address ${address}\naddr add 192.168.9.77/24 dev gw`)
			expect((await machine.inside('sysctl', ['-qw', 'net.ipv4.conf.all.arp_ignore=1'])).code).toBe(0)
			const { report, stdout } = await host.agent([{ ...nic, address: '192.168.9.77', cidr: '192.168.9.0/24', gateway: undefined }])
			const message = `${address} answers for 192.168.9.77 on mgmt`
			expect(report?.interfaces, stdout).toMatchObject([{ ...ends, ...(ends.state === 'Failed' && { message }) }])
		})

		test('is probed without a source address', async () => {
			await machine.ip('addr add 10.0.0.23/24 dev peer0')
			await host.agent([nic])
			expect(await machine.ask('neigh show dev peer0')).toEqual([])
		})

		test('is refused for two interfaces, and the third is configured in one more attempt', async () => {
			await machine.ip('addr add 10.0.0.23/24 dev peer0\naddr add 10.0.1.23/24 dev peer1')
			await host.ip('link add ens2 address fa:16:3e:00:00:03 type veth peer name peer2\nlink set peer2 up')
			const third = { id: 2, macAddress: 'fa:16:3e:00:00:03', address: '10.0.2.23', cidr: '10.0.2.0/24' }
			const { report, stdout } = await host.agent([nic, second, third])
			expect(report?.interfaces.map(({ reason }) => reason)).toEqual(['AddressInUse', 'AddressInUse', 'Configured'])
			expect(stdout.match(/^armed /gm)).toHaveLength(2)
		})

		test('is also reported if the NIC already has it and the kernel detected the duplicate (IPv6)', async () => {
			const wish = { ...nic, addresses: ['fd00::23/64'] }
			expect((await host.agent([wish, second])).report).toMatchObject({ outcome: 'Succeeded' })
			await machine.ip('addr add fd00::23/64 dev peer0 nodad')
			await host.ip('addr del fd00::23/64 dev multinic0\naddr add fd00::23/64 dev multinic0')
			await expect.poll(async () => (await host.ask('-6 addr show dadfailed')).some(({ ifname }) => ifname === 'multinic0')).toBe(true)
			const inUse = { reason: 'AddressInUse', message: 'another host has fd00::23' }
			for (const mode of ['Verify', 'Apply'] as const) {
				const { report } = await host.agent([wish, second], { mode })
				expect(report?.interfaces, mode).toMatchObject([inUse, { reason: 'AlreadyConfigured' }])
			}
			await machine.ip('addr del fd00::23/64 dev peer0')
			expect((await host.agent([wish, second])).report).toMatchObject({
				outcome: 'Succeeded',
				interfaces: [{ changes: 2 }, { changes: 0 }],
			})
		})

		test('is accepted once the other host has removed it', async () => {
			await machine.ip('addr add 10.0.0.23/24 dev peer0')
			expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Failed', reason: 'AddressInUse' })
			await machine.ip('addr del 10.0.0.23/24 dev peer0')
			expect((await host.agent([nic])).report).toMatchObject({ outcome: 'Succeeded' })
			expect(await host.ask('neigh show 10.0.0.23')).toEqual([])
		})
	})

	test('a nameserver that the change cuts off is reported as lost', async () => {
		writeFileSync(join(host.root, 'etc/resolv.conf'), 'nameserver 192.168.9.1\n')
		const server = machine.start(process.execPath, ['--input-type=module', '-e', nameserver])
		await new Promise(resolve => server.stdout?.once('data', resolve))
		const { report, stdout } = await during(async resume => {
			server.kill('SIGKILL')
			resume()
		})
		expect(stdout).toMatch(/^probes before .*, dns [\d.]+ ms$/m)
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'ConnectivityLost' })
		expect(report?.message).toMatch(/^dns unreachable after the change; NOT rolled back: dns does not answer/)
		expect(await names()).toContain('ens0')
	})
})

/** A nameserver that refuses every query, which is also an answer. */
const nameserver = `
	import { createSocket } from 'node:dgram'
	const socket = createSocket('udp4')
	socket.on('message', (question, { address, port }) => {
		question.writeUInt16BE(0x8005, 2)
		socket.send(question, port, address)
	})
	socket.bind(53, '192.168.9.1', () => console.log('ready'))
`

/** Executes a run that pauses after its changes until `resume` is called. */
async function during(work: (resume: () => void) => Promise<void>): Promise<AgentRun> {
	const folder = join(host.root, 'config')
	mkdirSync(folder, { recursive: true })
	const [held, go] = [join(folder, 'held'), join(folder, 'go')]
	const running = host.agent([nic], {}, { at: 1000, how: 'hold', held, go })
	await expect.poll(async () => existsSync(held)).toBe(true)
	await work(() => writeFileSync(go, ''))
	return running
}

async function names(): Promise<unknown[]> {
	return (await host.ask('link show')).map(({ ifname }) => ifname)
}

async function stateOf(ip: string): Promise<string> {
	const [entry] = await host.ask(`neigh show ${ip} dev mgmt`)
	return String((entry?.state as string[] | undefined)?.[0])
}
