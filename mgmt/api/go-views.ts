import type { GoProviders, GoRecord } from '../../contract/inventory-api.ts'
import { interfaceName } from '../../contract/names.ts'
import type { NodeRecord, ProviderSummary } from '../inventory/inventory.ts'
import { timeOf } from './views.ts'

/** Turns records of the inventory into the responses of the Go operator, in which every field is present. Pure. */

export function providersView(providers: readonly ProviderSummary[]): GoProviders {
	return {
		providers: providers.map(({ providerId, nodeCount, updatedAt, nodes }) => ({
			providerId,
			nodeCount,
			updatedAt: timeOf(updatedAt),
			nodes: nodes.map(node => ({ ...node, instanceId: node.instanceId ?? '', updatedAt: timeOf(node.updatedAt) })),
		})),
	}
}

export function recordView({ providerId, nodeName, instanceId = '', interfaces, hash, sentAt, changedAt }: NodeRecord): GoRecord {
	return {
		providerId,
		nodeName,
		instanceId,
		config: { nodeName, instanceId, interfaces: interfaces.map(withName) },
		lastConfigHash: hash,
		updatedAt: timeOf(sentAt ?? changedAt), // as in the overview: reports of the node do not count
	}
}

function withName<T extends { id?: number | undefined }>(nic: T, position: number): T & { id: number; name: string } {
	const id = nic.id ?? position
	return { ...nic, id, name: interfaceName(id) }
}
