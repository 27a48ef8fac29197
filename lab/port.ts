import type { Identity } from './identity.ts'

/** A port of a cloud's network that is plugged into a node. */
export interface Port {
	/** Lower case, and the only thing by which the node can know it. */
	readonly mac: string
	/** Ports of one network reach each other. */
	readonly network: string
	/** Of the NIC inside the node's kernel: `vec<index>`. */
	readonly index: number
}

/** `port` added at the lowest free place (0 is the management NIC). Throws if that MAC is plugged in already. */
export function plug(ports: readonly Port[], port: Omit<Port, 'index'>): { ports: Port[]; plugged: Port } {
	if (ports.some(({ mac }) => mac === port.mac)) throw new Error(`${port.mac} is attached already`)
	let index = 1
	while (ports.some(other => other.index === index)) index++
	const plugged = { ...port, index }
	return { ports: [...ports, plugged], plugged }
}

/** The name of the device that is the other end of that NIC, in the lab's network namespace. */
export function tapName(node: Identity, index: number): string {
	return `tap${node.number}-${index}`
}

/** One NIC as User-Mode-Linux wants it, on its command line and on its console. */
export function nicArgument(node: Identity, { mac, index }: Pick<Port, 'mac' | 'index'>): string {
	return `vec${index}:transport=tap,ifname=${tapName(node, index)},mac=${mac}`
}
