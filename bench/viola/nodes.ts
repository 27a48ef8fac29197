import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { NodeConfigRequest } from '../../contract/viola-api.ts'

/** Node configs as mgmt sends them, and a status as the controller writes it. */

/** Returns the node configs `prefix-from` to `prefix-(from + count - 1)`. MACs and addresses are unique within a node. */
export function nodesOf(
	prefix: string,
	{ from = 0, count, nics, mtu = 1450 }: { from?: number; count: number; nics: number; mtu?: number },
) {
	return Array.from({ length: count }, (_, at): NodeConfigRequest => nodeOf(`${prefix}-${from + at}`, from + at, nics, mtu))
}

function nodeOf(nodeName: string, index: number, nics: number, mtu: number): NodeConfigRequest {
	return { nodeName, instanceId: uuid(index, 99), interfaces: Array.from({ length: nics }, (_, id) => nicOf(index, id, mtu)) }
}

function nicOf(index: number, id: number, mtu: number) {
	const [high, low] = [(index >> 8) & 255, (index % 250) + 2]
	return {
		...{ id, name: `multinic${id}`, portId: uuid(index, id), networkId: uuid(id, 1), subnetId: uuid(id, 2) },
		macAddress: `fa:16:3e:0${id}:${hex(high, 2)}:${hex(index & 255, 2)}`,
		...{ address: `10.${id}.${high}.${low}`, cidr: `10.${id}.0.0/16`, gateway: `10.${id}.0.1`, mtu },
	}
}

/** Returns a status in which every interface is configured. */
export function statusOf({ nodeName, interfaces }: NodeConfigRequest): NodeConfigStatus {
	const at = '2026-01-01T12:00:00Z'
	const condition = (type: string) => ({
		type,
		status: 'True' as const,
		reason: 'Configured',
		message: '',
		lastTransitionTime: at,
		observedGeneration: 1,
	})
	return {
		...{ observedGeneration: 1, lastProcessed: at, lastJobName: `multinic-agent-${nodeName}-g1`, state: 'Configured' },
		...{ interfaces: `${interfaces.length}/${interfaces.length}`, backend: 'netplan-networkd', bootID: uuid(7, 7) },
		conditions: ['Ready', 'Progressing', 'Drifted', 'Persistent'].map(condition),
		interfaceStatuses: interfaces.map(({ id = 0, macAddress, address = '', mtu = 0 }) => ({
			...{ id, name: `multinic${id}`, macAddress, status: 'Configured', reason: 'Configured', message: '', lastConfigured: at },
			observed: { link: `multinic${id}`, mtu, up: true, addresses: [`${address}/16`] },
		})),
	}
}

function uuid(high: number, low: number): string {
	return `6f1e1c8e-${hex(high, 4)}-4000-8000-${hex(low, 12)}`
}

function hex(value: number, digits: number): string {
	return value.toString(16).padStart(digits, '0')
}
