import { join } from 'node:path'
import { bridgeName, createNetwork } from './network.ts'
import type { NewPort } from './node.ts'
import { type Daemon, startDaemon } from '../base/daemon.ts'

const serving = new Map<string, Daemon>()

/**
 * Starts a DHCP server on a network unless it has one. Leases last one hour, with addresses .100 to .199 of the first gateway's /24, and
 * that gateway as the default route.
 */
export async function startDhcp(dir: string, { network = 'data', gateways = [] }: NewPort): Promise<void> {
	if (serving.has(network)) return
	const [, range] = gateways[0]?.match(/^(\d+\.\d+\.\d+)\.\d+\/24$/) ?? []
	if (range === undefined) throw new Error(`leases on ${network} need a gateway like 192.168.10.1/24`)
	await createNetwork(network, gateways)
	const bridge = bridgeName(network)
	const options = {
		interface: bridge,
		'dhcp-range': `${range}.100,${range}.199,255.255.255.0,1h`,
		'conf-file': '/dev/null',
		port: '0', // no DNS
		user: 'root',
		group: 'root',
		'pid-file': '',
	}
	const flags = [
		'keep-in-foreground',
		'bind-interfaces',
		'except-interface=lo',
		'leasefile-ro',
		'no-ping',
		'dhcp-authoritative',
		'log-dhcp',
	]
	const argv = [
		'dnsmasq',
		...flags.map(flag => `--${flag}`),
		...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
	] as const
	serving.set(network, startDaemon({ name: `dnsmasq on ${network}`, argv: [...argv], logFile: join(dir, `dhcp-${bridge}.log`) }))
}
