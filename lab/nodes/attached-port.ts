import type { Identity } from './identity.ts'

/** A port of a cloud's network that is plugged into a node. */
export interface Port {
	/** Lower case, and the only property by which the node can identify it. */
	readonly mac: string
	/** Ports of one network reach each other. */
	readonly network: string
	/** Index of the NIC inside the node's kernel: `vec<index>`. */
	readonly index: number
}

/** Adds `port` at the lowest free index (0 is the management NIC). Throws if this MAC is already plugged in. */
export function plug(ports: readonly Port[], port: Omit<Port, 'index'>): { ports: Port[]; plugged: Port } {
	if (ports.some(({ mac }) => mac === port.mac)) throw new Error(`${port.mac} is attached already`)
	let index = 1
	while (ports.some(other => other.index === index)) index++
	const plugged = { ...port, index }
	return { ports: [...ports, plugged], plugged }
}

/** Returns the name of the host end of that NIC, in the lab's network namespace. */
export function tapName(node: Identity, index: number): string {
	return `tap${node.number}-${index}`
}

/** Returns one NIC in the syntax of User-Mode-Linux, which its command line and its console share. */
export function nicArgument(node: Identity, { mac, index }: Pick<Port, 'mac' | 'index'>): string {
	return `vec${index}:transport=tap,ifname=${tapName(node, index)},mac=${mac}`
}
