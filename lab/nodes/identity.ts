/** What distinguishes one node from another. */
export interface Identity {
	readonly name: string
	/** Starts at 1. Addresses and device names are derived from it. */
	readonly number: number
	readonly address: string
	/** MAC of the management NIC, which Kubernetes uses. */
	readonly mac: string
	readonly podRange: string
}

/** The network between the control plane and the nodes. */
export const management = { bridge: 'br-mgmt', gateway: '10.77.0.1', prefix: 24 } as const

/** The addresses of all pods. */
export const podRange = '10.244.0.0/16'

/** Returns the identities of `count` nodes: node1, node2, … At most 99. */
export function identities(count: number): Identity[] {
	return Array.from({ length: count }, (_, i) => identity(i + 1))
}

function identity(number: number): Identity {
	return {
		name: `node${number}`,
		number,
		address: `10.77.0.${10 + number}`,
		mac: `fa:16:3e:ff:00:${number.toString(16).padStart(2, '0')}`,
		podRange: `10.244.${number}.0/24`,
	}
}
