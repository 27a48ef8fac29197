import type { NodeConfigRequest } from '../../contract/viola-api.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import type { NodeConfigObject } from '../../viola/model/node-config-kind.ts'
import { type Wanted, wantedOf } from '../../viola/model/wanted.ts'

/** Builders of node configs for the tests of viola. */

export const place = { namespace: 'ns', providerId: 'biz' }
export const nic = { id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
export const owner = { namespace: 'team', name: 'cloud', uid: '6f1e1c8e-0001' }

/** A node as a POST names it. */
export const request = (more: Partial<NodeConfigRequest> = {}): NodeConfigRequest => ({
	nodeName: 'worker-1',
	instanceId: 'vm-1',
	interfaces: [nic],
	...more,
})

export const wanted = (more: Partial<NodeConfigRequest> = {}): Wanted => wantedOf(request(more), place)

/** The node config of such a node, as the API server stores it. */
export function stored(more: Partial<NodeConfigRequest> = {}, meta: object = {}, spec: object = {}): Stored<NodeConfigObject> {
	const { object } = wanted(more)
	const server = { uid: 'uid-1', resourceVersion: '7', generation: 3, creationTimestamp: '2026-01-01T12:00:00Z' }
	return {
		apiVersion: 'multinic.io/v1',
		kind: 'MultiNicNodeConfig',
		metadata: { ...object.metadata, ...server, ...meta },
		spec: { ...object.spec, ...spec },
	}
}
