import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/**
 * A pod of the node is on a link without an address, so the kernel selects the source address of the node's packets to it: the address of
 * the first link that it finds.
 */
const isRoot = process.getuid?.() === 0
const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
const six = { ...nic, addresses: ['fd00::23/64'], routes: [{ to: '::/0', via: 'fd00::1' }] }
const POD_NETWORKS = ['10.244.1.0/24', 'fd44:1::/64']
const told = { podNetworks: POD_NETWORKS, nodeAddresses: ['192.168.9.2'] }
const POD = ['10.244.1.5', 'fd44:1::5'] as const

let host: NodeHost
let pod: NodeHost

describe.skipIf(!isRoot)(
	'a node whose NIC has a lower ifindex than its primary link, and its pods (needs root for network namespaces)',
	() => {
		beforeEach(async () => {
			host = await nodeHost()
			pod = await nodeHost()
			await host.ip(
				[
					`link add ens0 index 50 address ${nic.macAddress} type veth peer name peer0\nlink set peer0 up`,
					'link add mgmt index 60 type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up',
					'addr add 192.168.9.2/24 dev mgmt\naddr add fd99::2/64 dev mgmt nodad',
					'route add default via 192.168.9.1\nroute add default via fd99::1',
				].join('\n'),
			)
		})
		afterEach(() => {
			pod.close()
			host.close()
		})

		test('reach each other, whether the pod or the NIC was added first, and after the NIC is removed', async () => {
			await configured([six], told)
			await addPod()
			expect(await allWays()).toEqual(['from 10.0.0.23', 'from fd00::23', 'answered', 'answered'])
			await configured([{ ...six, mtu: 1400 }], { ...told, generation: 2 })
			expect(await allWays()).toEqual(['from 10.0.0.23', 'from fd00::23', 'answered', 'answered'])
			const { report, stdout } = await host.agent([], { ...told, generation: 3 })
			expect(report?.outcome, stdout).toBe('Succeeded')
			expect(await rules()).toEqual([])
			expect(await waysToPod()).toEqual(['from 192.168.9.2', 'from fd99::2'])
			await configured([six], { ...told, generation: 4 })
			expect(await allWays()).toEqual(['from 10.0.0.23', 'from fd00::23', 'answered', 'answered'])
		})

		test('a run that would lose the path to a pod outside the known pod networks fails, and the path still works', async () => {
			await addPod()
			const { report, stdout } = await host.agent([six], { ...told, podNetworks: [] })
			expect(report, stdout).toMatchObject({ reason: 'ConnectivityLost', interfaces: [{ state: 'Failed', reason: 'ConnectivityLost' }] })
			expect(await waysToPod()).toEqual(['from 192.168.9.2', 'from fd99::2'])
		})

		test.each<[title: string, lines: string, podNetworks: string[]]>([
			[
				'a pod of another pool (on a node with many pods of the first pool)',
				Array.from({ length: 20 }, (_, at) => `route add 10.240.1.${at}/32 dev mgmt scope link`).join('\n'),
				['10.240.1.0/24'],
			],
			...[[], POD_NETWORKS].map((podNetworks): [string, string, string[]] => [
				`a pod of another node (through a tunnel without an address, with ${podNetworks.length} known pod networks)`,
				`route del {pod}\nroute add 10.244.1.0/24 via 169.254.7.7 dev cali1 onlink
			neigh add 169.254.7.7 lladdr 02:00:00:00:00:02 dev cali1\nroute replace default via 192.168.9.1 src 192.168.9.2`,
				podNetworks,
			]),
		])('a run that would lose the path to %s fails, and the path still works', async (_, lines, podNetworks) => {
			await addPod()
			await host.ip(lines.replaceAll('{pod}', `${POD[0]}/32 dev cali1 scope link`))
			const { report, stdout } = await host.agent([nic], { ...told, podNetworks })
			expect(report, stdout).toMatchObject({ reason: 'ConnectivityLost', interfaces: [{ state: 'Failed', reason: 'ConnectivityLost' }] })
			expect(await waysToPod()).toEqual(['from 192.168.9.2', 'from fd99::2'])
		})

		test.each<[title: string, lines: string, podNetworks: string[], reason: string]>([
			[
				'fails if a rule of another program with higher precedence routes packets to a pod through another link',
				'route add default via 192.168.9.1 table 50\n{} to 10.244.0.0/16 priority 5000 table 50',
				POD_NETWORKS,
				'RoutedElsewhere',
			],
			[
				'fails if the route to a pod is not in the main table but in a table of another program',
				'route del {pod}\nroute add {pod} table 79\nrule add priority 32764 table 79',
				POD_NETWORKS,
				'RoutedElsewhere',
			],
			[
				"fails if the pod networks are unknown and the NIC's rule has higher precedence than a rule of another program to the main table",
				'{} to 10.244.0.0/16 priority 20000 table 254',
				[],
				'ConnectivityLost',
			],
			[
				'fails if the pod networks are unknown and the route to a pod is in a table of another program',
				'route del {pod}\nroute add {pod} table 79\nrule add priority 32764 table 79',
				[],
				'ConnectivityLost',
			],
		])('a run %s', async (_, lines, podNetworks, reason) => {
			await addPod()
			await host.ip(lines.replaceAll('{pod}', `${POD[0]}/32 dev cali1 scope link`).replace('{}', `rule add from ${nic.address}`))
			const { report, stdout } = await host.agent([nic], { ...told, podNetworks })
			expect(report?.interfaces, stdout).toMatchObject([{ state: 'Failed', reason }])
			expect(await waysToPod()).toEqual(['from 192.168.9.2', 'from fd99::2'])
		})

		test('a run that would lose the path to a pod that the node reaches from a link-local address fails', async () => {
			await host.ip('addr del fd99::2/64 dev mgmt')
			await addPod()
			await expect.poll(async () => waysOf(POD[1])).toMatchObject([{ prefsrc: expect.stringMatching(/^fe80:/) }])
			const { report, stdout } = await host.agent([six], { ...told, podNetworks: [POD_NETWORKS[0] ?? ''] })
			expect(report, stdout).toMatchObject({ reason: 'ConnectivityLost', interfaces: [{ state: 'Failed', reason: 'ConnectivityLost' }] })
			expect(report?.message).toMatch(
				/packets to fd44:1::5 leave through cali1 from fe80:\S+ before the change and leave through multinic0 from fd00::23/,
			)
			await configured([six], told)
		})

		test('a verification reports a rule of another program that routes packets from the NIC to pods through another link', async () => {
			await addPod()
			await configured([nic], told)
			await host.ip('route add default via 192.168.9.1 table 50\nrule add from 10.0.0.0/24 to 10.244.0.0/16 priority 5000 table 50')
			const { report, stdout } = await host.agent([nic], { ...told, mode: 'Verify' })
			const message =
				'packets from 10.0.0.23 to pods (such as 10.244.1.5) leave through mgmt because rule 5000 (from 10.0.0.0/24 to 10.244.0.0/16 lookup 50) takes precedence'
			expect(report?.interfaces, stdout).toMatchObject([{ reason: 'RoutedElsewhere', message: expect.stringContaining(message) }])
		})

		test.each<[title: string, first: Partial<Interface>, podNetworks: string[]]>([
			['a new gateway of the NIC', { gateway: undefined }, []],
			['pod networks that were removed from its input', {}, POD_NETWORKS],
		])('a run with %s fails, and the path from an address of the NIC to a pod still works', async (_, first, podNetworks) => {
			await configured([{ ...nic, ...first }], { ...told, podNetworks })
			await addPod()
			const { report, stdout } = await host.agent([nic], { ...told, podNetworks: [], generation: 2 })
			expect(report, stdout).toMatchObject({ reason: 'ConnectivityLost', interfaces: [{ state: 'Failed', reason: 'ConnectivityLost' }] })
			expect(await waysToPod()).toEqual(['from 10.0.0.23', 'from fd99::2'])
		})

		test('the rules for pods change with the pod networks, and rules of other programs stay', async () => {
			await host.ip('rule add from 10.77.0.7 to 10.244.0.0/16 priority 9990 iif lo table 254')
			await configured([six], told)
			expect(await rules()).toEqual(['9990 10.0.0.23 to 10.244.1.0/24', '9990 fd00::23 to fd44:1::/64'])
			const drifted = await host.agent([six], { ...told, podNetworks: ['10.245.0.0/16'], mode: 'Verify' })
			expect(drifted.report?.interfaces[0]?.drift, drifted.stdout).toEqual(
				expect.arrayContaining([
					{ attribute: 'rule', wanted: 'from 10.0.0.23/32 to 10.245.0.0/16 table main priority 9990', found: 'missing' },
					{ attribute: 'rule', wanted: 'none', found: 'from 10.0.0.23/32 to 10.244.1.0/24 table main priority 9990' },
				]),
			)
			await configured([six], { ...told, podNetworks: ['10.245.0.0/16', '10.245.3.0/24'], generation: 2 })
			expect(await rules()).toEqual(['9990 10.0.0.23 to 10.245.0.0/16'])
			await configured([six], { ...told, rulePriorityBase: 20_000, generation: 3 })
			expect(await rules()).toEqual(['19990 10.0.0.23 to 10.244.1.0/24', '19990 fd00::23 to fd44:1::/64'])
			expect((await host.ask('rule show priority 9990')).map(({ iif }) => iif)).toEqual(['lo'])
		})

		test('packets to a pod network inside the network of the NIC leave through the link of the pod', async () => {
			await configured([{ ...nic, address: '10.244.9.23', cidr: '10.244.0.0/16', gateway: undefined }], {
				...told,
				podNetworks: ['10.244.0.0/23'],
			})
			await addPod()
			expect(await rules()).toEqual(['9990 10.244.9.23 to 10.244.0.0/23'])
			expect(await waysToPod()).toEqual(['from 10.244.9.23', 'from fd99::2'])
		})

		test.each<[title: string, wish: Partial<Interface>]>([
			['the gateway of the NIC', { gateway: '10.244.1.1' }],
			["a route in the NIC's own table", { routes: [{ to: '10.244.1.64/26', via: '10.0.0.1' }] }],
		])('a pod network that overlaps %s gets no rule', async (_, wish) => {
			await configured([{ ...nic, ...wish }], told)
			expect(await rules()).toEqual([])
		})
	},
)

async function configured(wish: Partial<Interface>[], more: Partial<RunConfig>): Promise<void> {
	const { report, stdout } = await host.agent(wish, more)
	expect(report?.interfaces, stdout).toMatchObject([{ state: 'Configured' }])
}

/** Adds a pod in the same way as network plugins that add a route to each pod. */
async function addPod(): Promise<void> {
	await host.ip(
		[
			`link add cali1 index 70 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns ${pod.pid}`,
			'link set cali1 up',
			`neigh add ${POD[0]} lladdr 02:00:00:00:00:02 dev cali1\nneigh add ${POD[1]} lladdr 02:00:00:00:00:02 dev cali1`,
			`route add ${POD[0]}/32 dev cali1 scope link\nroute add ${POD[1]}/128 dev cali1`,
		].join('\n'),
	)
	await pod.ip(
		[
			`link set eth0 up\naddr add ${POD[0]}/32 dev eth0\naddr add ${POD[1]}/128 dev eth0 nodad`,
			'route add 169.254.1.1 dev eth0 scope link\nroute add default via 169.254.1.1 dev eth0',
			'neigh add 169.254.1.1 lladdr 02:00:00:00:00:01 dev eth0',
			'neigh add fe80::1 lladdr 02:00:00:00:00:01 dev eth0\nroute add default via fe80::1 dev eth0',
		].join('\n'),
	)
}

/** The rules of MultiNIC for pods, of both families. */
async function rules(): Promise<string[]> {
	const all = [...(await host.ask('rule show')), ...(await host.ask('-6 rule show'))]
	return all
		.filter(({ priority, iif }) => Number(priority) % 10_000 >= 9_990 && Number(priority) < 20_000 && iif === undefined)
		.map(({ priority, src, dst, dstlen }) => `${priority} ${src} to ${dst}/${dstlen}`)
}

/** Connections of the node to the pod, and of the pod to the addresses of the NIC, each as one result string. */
async function allWays(): Promise<string[]> {
	const toPod = await waysToPod()
	const toNic = await Promise.all([nic.address, 'fd00::23'].map(ip => connect({ from: pod, to: host }, ip)))
	return [...toPod, ...toNic.map(said => (said.startsWith('from') ? 'answered' : said))]
}

function waysOf(ip: string): Promise<Record<string, unknown>[]> {
	return host.ask(`route get ${ip}`)
}

function waysToPod(): Promise<string[]> {
	return Promise.all(POD.map(ip => connect({ from: host, to: pod }, ip)))
}

const serve = `require('node:net').createServer(socket => socket.end('from ' + socket.remoteAddress)).listen(7000, process.argv[1], () => console.log('listens'))`
const ask = `const socket = require('node:net').connect({ port: 7000, host: process.argv[1], timeout: 2000 })
socket.on('data', said => console.log(String(said))).on('timeout', () => socket.destroy(new Error('no answer'))).on('error', error => console.log(error.message))`

async function connect({ from, to }: { from: NodeHost; to: NodeHost }, ip: string): Promise<string> {
	const server = to.start(process.execPath, ['-e', serve, ip])
	try {
		await Promise.race([once(server.stdout ?? server, 'data'), once(server, 'exit')])
		return (await from.inside(process.execPath, ['-e', ask, ip])).stdout.trim()
	} finally {
		server.kill('SIGKILL')
	}
}
