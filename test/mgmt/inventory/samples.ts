import type { NodeConfigRequest, NodeConfigView } from '../../../contract/viola-api.ts'
import type { Change } from '../../../mgmt/inventory/inventory.ts'
import type { InterfaceStatus, State } from '../../../contract/node-config.ts'

/** Node configs and changes for tests of the inventory. Every part of a sample follows from its numbers. */

export const providerId = 'biz-1'
export const actor = { kind: 'OpenstackConfig', name: 'team-a/web' } as const
export const owner = { namespace: 'team-a', name: 'web', uid: '3b1f0f0a-0000-4000-8000-000000000001' }

/** What Neutron has about the subnet of every first NIC. */
export const web = { name: 'web', cidr: '10.0.0.0/16', networkId: 'network-0', networkName: 'Front', mtu: 1450 }

export function portId(node: number, port: number): string {
	return `port-${node}-${port}`
}

export function nic(node: number, port: number, id = port): NodeConfigRequest['interfaces'][number] {
	const hex = (value: number) => value.toString(16).padStart(2, '0')
	return {
		id,
		name: `multinic${id}`,
		portId: portId(node, port),
		subnetId: `subnet-${port}`,
		networkId: `network-${port}`,
		macAddress: `fa:16:3e:${hex(node >> 8)}:${hex(node & 255)}:${hex(port)}`,
		address: `10.${port}.${node >> 8}.${(node & 127) + 1}`,
		cidr: `10.${port}.0.0/16`,
		mtu: 1450,
	}
}

export function nics(node: number, count: number): NodeConfigRequest['interfaces'] {
	return Array.from({ length: count }, (_, port) => nic(node, port))
}

export function sent(
	node: number,
	interfaces: NodeConfigRequest['interfaces'],
	more: Partial<Extract<Change, { kind: 'sent' }>> = {},
): Change {
	const key = { kind: 'sent', at: 1_000, providerId, nodeName: `worker-${node}`, instanceId: `vm-${node}` } as const
	return { ...key, actor, owner, interfaces, ...more }
}

export function view(node: number, interfaces: NodeConfigView['interfaces'], more: Partial<NodeConfigView> = {}): NodeConfigView {
	return {
		nodeName: `worker-${node}`,
		providerId,
		instanceId: `vm-${node}`,
		interfaces,
		owner,
		deleting: false,
		generation: 1,
		resourceVersion: '100',
		lastManager: 'multinic-viola',
		...more,
	}
}

/** The view of a node all of whose NICs are in this state. */
export function viewIn(state: State, node: number, interfaces: NodeConfigView['interfaces'], reason = `All${state}`): NodeConfigView {
	const ready = { type: 'Ready', status: state === 'Configured' ? 'True' : 'False', reason, message: `${state} ${reason}` } as const
	const statuses = interfaces.map(({ id = 0, macAddress }): InterfaceStatus => {
		return { id, name: `multinic${id}`, macAddress, status: state, reason, message: '' }
	})
	return view(node, interfaces, {
		resourceVersion: state,
		status: {
			observedGeneration: 1,
			state,
			lastJobName: `multinic-agent-worker-${node}-g1`,
			conditions: [{ ...ready, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 }],
			interfaceStatuses: statuses,
		},
	})
}

export function reported(reportedView: NodeConfigView, at = 2_000): Change {
	return { kind: 'reported', at, providerId: reportedView.providerId ?? providerId, view: reportedView }
}
