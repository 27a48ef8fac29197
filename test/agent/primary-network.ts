import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeHost } from './node-host.ts'
import type { Streamed } from './tcp-stream.ts'

const linked = ['mgmt', 'br0', 'pod0', 'pod1']

/**
 * What a node has in addition to the managed NICs: a primary NIC that is connected to another machine, traffic on it, and other links and
 * rules.
 */
export type PrimaryNetwork = {
	/** Starts a TCP stream over the primary NIC. The result ends it and returns what was received, and the number of retransmissions. */
	stream(): Promise<() => Promise<Streamed & { retransmitted: number }>>
	/** Watches links, addresses, routes and rules. The result ends this and returns the events that do not belong to managed NICs. */
	watch(): Promise<() => Promise<string[]>>
}

export async function primaryNetwork(host: NodeHost, machine: NodeHost): Promise<PrimaryNetwork> {
	await host.ip(
		[
			`link add mgmt type veth peer name other netns ${machine.pid}`,
			'link add br0 type bridge forward_delay 0',
			'link add pod0 type veth peer name pod1',
			...linked.map(name => `link set ${name} addrgenmode none\nlink set ${name} up`),
			'link set pod0 master br0',
			'link property add dev mgmt altname enp1s0',
			'addr add 192.168.9.2/24 dev mgmt',
			'addr add fd99::2/64 dev mgmt nodad',
			'addr add 10.200.0.1/16 dev br0',
			'route add default via 192.168.9.1',
			'route add 10.77.0.0/16 via 192.168.9.1',
			'route add 10.78.0.0/16 dev br0 table 77',
			'rule add from 10.200.0.0/16 priority 500 table 77',
			'neigh add 192.168.9.9 lladdr 02:00:00:00:00:09 dev mgmt nud permanent',
		].join('\n'),
	)
	await machine.ip('link set other up\naddr add 192.168.9.1/24 dev other')
	while ((await host.ask('link show')).some(({ ifname, operstate }) => linked.includes(String(ifname)) && operstate !== 'UP')) {}
	return {
		stream: () => stream(host, machine),
		watch: () => watch(host),
	}
}

const script = `${import.meta.dirname}/tcp-stream.ts`

async function stream(host: NodeHost, machine: NodeHost): ReturnType<PrimaryNetwork['stream']> {
	await Promise.all([host, machine].map(onlyLossIsRepeated))
	const before = retransmitted(host) + retransmitted(machine)
	await once(machine.start(process.execPath, [script, 'serve', '192.168.9.1', '7000']), 'message')
	const sender = host.start(process.execPath, [script, 'send', '192.168.9.1', '7000'])
	await once(sender, 'message')
	return async () => {
		sender.send('end')
		const [streamed] = (await once(sender, 'message')) as [Streamed]
		return { ...streamed, retransmitted: retransmitted(host) + retransmitted(machine) - before }
	}
}

/** Prevents retransmissions of data that was not lost: on a busy machine, a reply may take longer than TCP usually waits. */
async function onlyLossIsRepeated({ inside, ip, ask }: NodeHost): Promise<void> {
	await inside('sh', ['-c', 'echo 0 > /proc/sys/net/ipv4/tcp_early_retrans'])
	const [route] = await ask('route show 192.168.9.0/24')
	await ip(`route replace 192.168.9.0/24 dev ${route?.dev} proto kernel scope link src ${route?.prefsrc} rto_min 5s`)
}

function retransmitted({ pid }: NodeHost): number {
	const rows = readFileSync(`/proc/${pid}/net/snmp`, 'utf8')
		.split('\n')
		.filter(line => line.startsWith('Tcp:'))
	const [names = [], values = []] = rows.map(row => row.split(' '))
	return Number(values[names.indexOf('RetransSegs')])
}

/** Changes of a link that no run changes mark the beginning and the end. This proves that the watch reports unmanaged links. */
async function watch(host: NodeHost): Promise<() => Promise<string[]>> {
	await host.ip('link add marker type bridge')
	const monitor = host.start('ip', ['-o', 'monitor', 'link', 'address', 'route', 'rule'])
	let said = ''
	monitor.stdout?.setEncoding('utf8').on('data', text => {
		said += text
	})
	const mark = async (bytes: number) => {
		await host.ip(`link set marker mtu ${bytes}`)
		await heard(monitor, () => said.includes(`mtu ${bytes} `))
	}
	while (said === '') {
		await host.ip('link set marker mtu 1401\nlink set marker mtu 1402')
		await sleep(20)
	}
	await mark(1403)
	return async () => {
		await mark(1404)
		const lines = said.split('\n')
		const between = lines.slice(lines.findIndex(line => line.includes('mtu 1403 ')) + 1)
		return between.filter(line => line && !line.includes('marker') && !isOurs(line))
	}
}

async function heard(monitor: ChildProcess, holds: () => boolean): Promise<void> {
	while (!holds()) await once(monitor.stdout ?? monitor, 'data')
}

/**
 * Whether the event belongs to a NIC, its peer, or a rule of MultiNIC.
 */
function isOurs(line: string): boolean {
	return /\b(ens|multinic|mntmp|peer)\d+\b/.test(line) || /\b100\d\d:\tfrom (10\.0\.\d\.23|fd00:(\d:)?:23) /.test(line)
}
