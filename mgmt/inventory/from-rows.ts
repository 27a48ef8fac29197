import type { ChangeKind, ChangeRecord, NicRecord, NodeRecord, NodeState } from './records.ts'
import type { ChangeRow, NicRow, NodeRow, SubnetRow } from './schema.ts'
import { interfacesOf, objectIn, ownerOf } from './stored.ts'

/** Records made of rows. This process validated them before it wrote them, so they are not validated again. */

/** A row of `nic` with the columns of its subnet, all null if Neutron did not describe the subnet yet. */
export type NicWithSubnet = NicRow & {
	subnet_name: SubnetRow['name'] | null
	subnet_cidr: SubnetRow['cidr'] | null
	subnet_network: SubnetRow['network'] | null
	subnet_network_name: SubnetRow['network_name']
	subnet_mtu: SubnetRow['mtu']
}

export function nodeRecord(row: NodeRow, nics: NicRecord[]): NodeRecord {
	const owner = ownerOf(row)
	const report = row.report === null ? undefined : (objectIn(row.report) as NodeRecord['report'])
	return {
		providerId: row.provider_id,
		nodeName: row.name,
		...(row.instance_id !== null && { instanceId: row.instance_id }),
		...(owner && { owner }),
		interfaces: interfacesOf(row) as NodeRecord['interfaces'],
		hash: row.hash,
		...(report && { report }),
		state: row.state as NodeState,
		reason: row.reason,
		letters: row.letters,
		revision: row.revision,
		createdAt: row.created_at,
		changedAt: row.changed_at,
		...(row.sent_at !== null && { sentAt: row.sent_at }),
		...(row.removed_at !== null && { removedAt: row.removed_at }),
		nics,
	}
}

export function nicRecord(row: NicWithSubnet): NicRecord {
	const subnet = subnetOf(row)
	return {
		providerId: row.provider_id,
		nodeName: row.node,
		id: row.id,
		...(row.port !== null && { portId: row.port }),
		macAddress: row.mac,
		...(row.address !== null && { address: row.address }),
		state: row.state as NicRecord['state'],
		reason: row.reason,
		message: row.message,
		...(subnet && { subnet }),
		seenAt: row.seen_at,
		...(row.sent_at !== null && { sentAt: row.sent_at }),
		...(row.started_at !== null && { startedAt: row.started_at }),
		...(row.settled_at !== null && { settledAt: row.settled_at }),
	}
}

function subnetOf(row: NicWithSubnet): NicRecord['subnet'] {
	const { subnet: id, subnet_name: name, subnet_cidr: cidr, subnet_network: networkId } = row
	if (id === null) return undefined
	const facts = { id, name: name ?? '', cidr: cidr ?? '', networkId: networkId ?? '' }
	return {
		...facts,
		...(row.subnet_network_name !== null && { networkName: row.subnet_network_name }),
		...(row.subnet_mtu !== null && { mtu: row.subnet_mtu }),
	}
}

export function changeRecord(row: ChangeRow): ChangeRecord {
	return {
		providerId: row.provider_id,
		nodeName: row.node,
		seq: row.seq,
		at: row.at,
		actor: { kind: row.actor_kind as ChangeRecord['actor']['kind'], name: row.actor },
		...(row.nic !== null && { nic: row.nic }),
		...(row.port !== null && { portId: row.port }),
		kind: row.kind as ChangeKind,
		reason: row.reason,
		message: row.message,
		difference: (objectIn(row.difference) ?? {}) as ChangeRecord['difference'],
	}
}
