import { execa } from 'execa'
import { fingerprint } from '../base/cache.ts'
import { serviceRange } from '../cluster/service-addresses.ts'
import { type Identity, management } from './identity.ts'

/**
 * Creates the network between the control plane and the nodes, in the network namespace of the current process. The pods of each node are
 * routed through that node. Nodes send packets for a cluster IP to this namespace, because it is their default gateway; the route to the
 * cluster IPs is for the control plane itself.
 */
export async function createManagementNetwork(nodes: readonly Identity[]): Promise<void> {
	await ip([
		'link set lo up',
		...bridge(management.bridge, [`${management.gateway}/${management.prefix}`]),
		`route add ${serviceRange} dev ${management.bridge}`,
		...nodes.map(node => `route add ${node.podRange} via ${node.address}`),
	])
}

/** Creates a data network: a bridge with the gateway addresses, such as "192.168.10.1/24". Can be called again to add gateways. */
export async function createNetwork(network: string, gateways: readonly string[]): Promise<void> {
	const name = bridgeName(network)
	const there = await hasDevice(name)
	if (there) await ip(gateways.map(gateway => `addr replace ${gateway} dev ${name}`))
	else await ip(bridge(name, gateways))
}

/**
 * Creates the tap device of a NIC on the bridge of its network, unless it exists. Limits its segmentation offload, because User-Mode-Linux
 * drops most incoming packets that are larger than a frame, which makes TCP very slow (180 kB took 6 s). A bridge uses the smallest of the
 * limits of its ports.
 */
export async function createTap(tap: string, network: string | undefined): Promise<void> {
	if (await hasDevice(tap)) return
	const master = network === undefined ? management.bridge : bridgeName(network)
	await ip([`tuntap add ${tap} mode tap`, `link set ${tap} gso_max_size 1514 gso_max_segs 1`, `link set ${tap} master ${master} up`])
}

/** Removes the tap device of a NIC. */
export async function removeTap(tap: string): Promise<void> {
	await ip([`link del ${tap}`])
}

/** Returns the name of the bridge of a data network. */
export function bridgeName(network: string): string {
	return `br-${fingerprint(network)}`.slice(0, 15) // the kernel's limit for device names
}

function bridge(name: string, addresses: readonly string[]): string[] {
	return [`link add ${name} type bridge`, ...addresses.map(address => `addr add ${address} dev ${name}`), `link set ${name} up`]
}

async function hasDevice(name: string): Promise<boolean> {
	const { failed } = await run(['link', 'show', name], false)
	return !failed
}

async function ip(lines: readonly string[]): Promise<void> {
	if (lines.length > 0) await run(['-batch', '-'], true, lines)
}

async function run(args: string[], reject: boolean, lines: readonly string[] = []) {
	return execa('ip', args, { reject, input: `${lines.join('\n')}\n` })
}
