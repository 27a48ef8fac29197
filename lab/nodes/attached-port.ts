import type { Identity } from './identity.ts'

/** A port of a cloud network that is attached to a node. */
export interface Port {
	/** In lower case. The node can identify the port only by its MAC. */
	readonly mac: string
	/** Ports of the same network can reach each other. */
	readonly network: string
	/** Index of the NIC inside the node's kernel: `vec<index>`. */
	readonly index: number
}

/** Adds `port` at the lowest free index (0 is the management NIC). Throws if this MAC is already attached. */
export function plug(ports: readonly Port[], port: Omit<Port, 'index'>): { ports: Port[]; plugged: Port } {
	if (ports.some(({ mac }) => mac === port.mac)) throw new Error(`${port.mac} is already attached`)
	let index = 1
	while (ports.some(other => other.index === index)) index++
	const plugged = { ...port, index }
	return { ports: [...ports, plugged], plugged }
}

/** Returns the name of the NIC's tap device, which is its host end in the lab's network namespace. */
export function tapName(node: Identity, index: number): string {
	return `tap${node.number}-${index}`
}

/** Returns the NIC in the syntax that User-Mode-Linux accepts on its command line and its management console. */
export function nicArgument(node: Identity, { mac, index }: Pick<Port, 'mac' | 'index'>): string {
	return `vec${index}:transport=tap,ifname=${tapName(node, index)},mac=${mac}`
}
