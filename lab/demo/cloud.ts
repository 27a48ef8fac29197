import type { Openstack } from '../openstack/server.ts'

/** Where mgmt and viola come from: processes of this checkout's sources, or `charts/multinic-mgmt` on the nodes. */
export const mgmtOrigins = ['sources', 'chart'] as const
export type MgmtOrigin = (typeof mgmtOrigins)[number]

/** The running mgmt and viola. */
export interface MgmtSide {
	/** A sentence for the user that says where the OpenstackConfig is. */
	readonly where: string
	/** Address of the inventory API, if this machine can reach it. */
	readonly inventoryUrl?: string
	stop(): Promise<void>
}

/** The cloud side of the lab: OpenStack with one VM per node, mgmt and viola. */
export interface Cloud extends MgmtSide {
	readonly openstack: Openstack
}

/** The only data network of the lab. Its gateway is reachable. */
export const dataNetwork = { name: 'data', cidr: '192.168.10.0/24', gateway: '192.168.10.1', mtu: 1450 } as const

/** @returns an address of the data network, such as `192.168.10.10/24` */
export function withPrefix(address: string): string {
	return `${address}/${dataNetwork.cidr.split('/')[1]}`
}

/** Namespace of the controller, the agents and the node configs. */
export const namespace = 'multinic-system'

/** The poll intervals of mgmt. They are shorter than in production, so that the demo shows changes soon. */
export const pollIntervals = { fast: '1s', slow: '2s', error: '2s' } as const
