import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import type { Streamed } from './tcp-stream.ts'

/** A node whose NICs are all connected to the same switch as another machine, which is also its gateway. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const script = `${import.meta.dirname}/tcp-stream.ts`

let host: NodeHost
let machine: NodeHost

const nic = (id: number, cidr: string, more: Partial<Interface> = {}) => ({ id, macAddress: mac(id), addresses: [cidr], ...more })
/** Mimics DHCP: the connected route of the primary link has a metric. */
const lease = [
	'addr add 192.168.9.2/24 dev mgmt noprefixroute valid_lft 3600 preferred_lft 3600',
	'route add 192.168.9.0/24 dev mgmt proto kernel scope link src 192.168.9.2 metric 100',
	'route add default via 192.168.9.1 dev mgmt proto dhcp src 192.168.9.2 metric 100',
]
const fixed = ['addr add 192.168.9.2/24 dev mgmt', 'route add default via 192.168.9.1']
const fixed6 = ['addr add fd99::2/64 dev mgmt nodad', 'route add default via fd99::1']

describe.skipIf(!isRoot)('a NIC in the network of another link (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost('real')
		machine = await nodeHost()
		await machine.ip('link add wire type bridge forward_delay 0\nlink set wire up')
		for (const [name, peer, more] of [
			['mgmt', 'gw', ''],
			['ens0', 'peer0', ` address ${mac(0)}`],
			['ens1', 'peer1', ` address ${mac(1)}`],
		]) {
			await host.ip(`link add ${name}${more} type veth peer name ${peer} netns ${machine.pid}`)
			await machine.ip(`link set ${peer} master wire\nlink set ${peer} up`)
		}
		await host.ip('link set mgmt up')
		await machine.ip(
			['192.168.9.1/24', '192.168.9.3/24', 'fd99::1/64', 'fd99::3/64']
				.map(cidr => `addr add ${cidr} dev wire${cidr.includes(':') ? ' nodad' : ''}`)
				.join('\n'),
		)
		// The primary link must not reply for an address of a NIC.
		await host.inside('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/conf/mgmt/arp_ignore'])
	})
	afterEach(() => {
		machine.close()
		host.close()
	})

	const four = { gateway: '192.168.9.1', node: '192.168.9.2', own: '192.168.9.50', to: '192.168.9.3' }
	const six = { gateway: 'fd99::1', node: 'fd99::2', own: 'fd99::50', to: 'fd99::3' }
	const KUBE = { KUBERNETES_SERVICE_HOST: '10.5.0.9', KUBERNETES_SERVICE_PORT: '7001' }
	test('does not take over the path to an API server in its network that the node reaches through its gateway', async () => {
		await host.ip(fixed.join('\n'))
		await machine.ip('addr add 10.5.0.9/32 dev lo')
		await once(machine.start(process.execPath, [script, 'serve', '10.5.0.9', '7001']), 'message')
		const { report, stdout } = await host.agent([nic(0, '10.5.0.50/24')], {}, undefined, KUBE)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', probes: { after: [{ name: 'api', ok: true }, { ok: true }] } })
		expect(report?.interfaces[0]?.warnings[0]?.message).toMatch(/^this node reaches 10\.5\.0\.9 via 192\.168\.9\.1 over mgmt, so/)
		expect((await host.ask('route get 10.5.0.9'))[0]).toMatchObject({ dev: 'mgmt' })
	})

	test('gets no connected route if another managed NIC has the network, and both NICs work', async () => {
		await host.ip(fixed.join('\n'))
		await machine.ip('addr add 10.5.0.3/24 dev wire')
		const { report, stdout } = await host.agent([nic(0, '10.5.0.50/24'), nic(1, '10.5.0.51/24')])
		expect(
			report?.interfaces.map(({ reason, warnings }) => [reason, warnings.map(warning => warning.reason)]),
			stdout,
		).toEqual([
			['Configured', []],
			['Configured', ['SharedNetwork']],
		])
		for (const id of [0, 1]) {
			const source = `10.5.0.5${id}`
			expect(await carriedBy(() => stream(host, machine, { to: '10.5.0.3', source }))).toEqual({
				sent: `multinic${id}`,
				received: `multinic${id}`,
			})
		}
	})

	test('has the connected route while the other link has no address in the network, without disturbing a stream', async () => {
		await host.ip(fixed.join('\n'))
		const wanted = [nic(0, '192.168.9.50/24')]
		expect((await host.agent(wanted)).report?.outcome).toBe('Succeeded')
		await once(machine.start(process.execPath, [script, 'serve', '192.168.9.3', '7002']), 'message')
		const sender = host.start(process.execPath, [script, 'send', '192.168.9.3', '7002', '192.168.9.50'])
		await once(sender, 'message')
		for (const [change, length] of [
			['addr flush dev mgmt', 24],
			['addr add 192.168.9.2/24 dev mgmt', 32],
		] as const) {
			await host.ip(change)
			const { report, stdout } = await host.agent(wanted)
			expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
			expect(report?.interfaces[0]?.observed?.addresses, stdout).toEqual([`192.168.9.50/${length}`])
			expect((await host.agent(wanted)).report?.changes).toBe(0)
		}
		sender.send('end')
		const [{ sent, received, inOrder }] = (await once(sender, 'message')) as [Streamed]
		expect({ received, inOrder }).toEqual({ received: sent, inOrder: true })
	})

	const cloud = ['addr add 192.168.9.2/32 dev mgmt', 'route add 172.31.1.1 dev mgmt', 'route add default via 172.31.1.1']
	const cloud6 = ['addr add 2001:db8:1::2/128 dev mgmt nodad', 'route add default via fe80::1 dev mgmt']
	test.each<[title: string, setup: string[], wanted: string, sharedWith?: string]>([
		['the only address of the node (/32)', cloud, '192.168.9.50/24', '192.168.9.2'],
		['the IPv6 address of the node from DHCP (/128)', [...fixed, ...cloud6], '2001:db8:1::50/64', '2001:db8:1::2'],
		['an address on lo, such as that of a load balancer', [...cloud, 'addr add 10.5.0.9/32 dev lo'], '10.5.0.50/24'],
	])('does not change the path to neighbours of %s, unless that address is on lo', async (_, setup, cidr, known) => {
		const isShared = known !== undefined
		const node = known ?? '10.5.0.9'
		await host.ip(setup.join('\n'))
		const before = await main()
		const neighbour = node.replace(/[29]$/, '3')
		expect(await wayTo(neighbour, node)).toBe('mgmt')
		const { report, stdout } = await host.agent([nic(0, cidr)], isShared ? { nodeAddresses: [node] } : {})
		const warnings = isShared ? [{ reason: 'SharedNetwork' }] : []
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', interfaces: [{ reason: 'Configured', warnings }] })
		if (isShared) expect(await main()).toEqual(before)
		expect(await wayTo(neighbour, node)).toBe(isShared ? 'mgmt' : 'multinic0')
		expect(await wayTo(neighbour, cidr.replace(/\/.*/, ''))).toBe('multinic0')
	})

	test.each<[title: string, primary: string[], length: number, ips: typeof four]>([
		['with a lease on the primary link', lease, 24, four],
		['with a static address on the primary link', fixed, 24, four],
		['in a part of the network of the primary link', fixed, 26, four],
		['in a network that contains the network of the primary link', lease, 23, four],
		['with IPv6', [...fixed, ...fixed6], 64, six],
	])('works %s and does not affect the node', async (_, primary, length, { gateway, node, own, to }) => {
		const cidr = `${own}/${length}`
		await host.ip(primary.join('\n'))
		const before = await main()
		const { report, stdout } = await host.agent([nic(0, cidr, { gateway })])
		expect(report, stdout).toMatchObject({
			outcome: 'Succeeded',
			interfaces: [{ reason: 'Configured', warnings: [{ reason: 'SharedNetwork' }] }],
		})
		expect(report?.interfaces[0]?.warnings).toHaveLength(1)
		expect(report?.notes).toBeUndefined()
		expect(await main()).toEqual(before)
		expect(await wayTo(to, node)).toBe('mgmt')
		expect(await wayTo(to, own)).toBe('multinic0')
		for (const [source, link] of [
			[node, 'mgmt'],
			[own, 'multinic0'],
		] as const) {
			expect(await carriedBy(() => stream(host, machine, { to, source }))).toEqual({ sent: link, received: link })
			expect(await carriedBy(() => stream(machine, host, { to: source, source: to }))).toEqual({ sent: link, received: link })
		}
		const again = await host.agent([nic(0, cidr, { gateway })])
		expect(again.report, again.stdout).toMatchObject({ changes: 0, interfaces: [{ warnings: [{ reason: 'SharedNetwork' }] }] })
	})
})

/** Routes of the main table except those to single addresses. */
async function main(): Promise<string[]> {
	const routes = [...(await host.ask('-4 route')), ...(await host.ask('-6 route'))]
	return routes.flatMap(({ flags: _, ...route }) =>
		/\/|default/.test(String(route.dst)) && !/^fe80/.test(String(route.dst)) ? [JSON.stringify(route)] : [],
	)
}

async function wayTo(ip: string, from: string): Promise<unknown> {
	return (await host.ask(`route get ${ip} from ${from}`))[0]?.dev
}

/** Sends data from one host to the other and back for a short time. */
async function stream(from: NodeHost, to: NodeHost, { to: ip, source }: { to: string; source: string }): Promise<void> {
	const server = to.start(process.execPath, [script, 'serve', ip, '7000'])
	await once(server, 'message')
	const sender = from.start(process.execPath, [script, 'send', ip, '7000', source])
	await once(sender, 'message')
	sender.send('end')
	const [{ sent, received }] = (await once(sender, 'message')) as [Streamed]
	server.kill()
	expect(received).toBe(sent)
}

/** @returns the links of the host that sent and received most bytes meanwhile */
async function carriedBy(work: () => Promise<void>): Promise<{ sent: string; received: string }> {
	const before = await counters()
	await work()
	const after = await counters()
	const most = (which: 'tx' | 'rx') =>
		[...after].toSorted(
			([a, x], [b, y]) => y[which] - (before.get(b)?.[which] ?? 0) - (x[which] - (before.get(a)?.[which] ?? 0)),
		)[0]?.[0] ?? ''
	return { sent: most('tx'), received: most('rx') }
}

async function counters(): Promise<Map<string, { tx: number; rx: number }>> {
	const links = (await host.ask('-s link show')) as { ifname: string; stats64: { rx: { bytes: number }; tx: { bytes: number } } }[]
	return new Map(links.map(({ ifname, stats64 }) => [ifname, { tx: stats64.tx.bytes, rx: stats64.rx.bytes }]))
}
