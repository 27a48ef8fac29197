import type { NodeConfigView, Owner } from '../../contract/viola-api.ts'

/** What the inventory returns. Times are milliseconds since 1970. */

/** Who caused a change: an OpenstackConfig (`namespace/name`), a client of viola, a run (its Job), the field manager of an edit, or mgmt. */
export type Actor = { kind: 'OpenstackConfig' | 'client' | 'run' | 'manager' | 'mgmt'; name: string }

/** A node of a biz cluster. */
export type NodeKey = { providerId: string; nodeName: string }

export type SubnetFacts = {
	name: string
	cidr: string
	networkId: string
	networkName?: string | undefined
	mtu?: number | undefined
}

/** `epoch`: a random word that each leader, and each new database, starts. Within one epoch, `revision` only grows. */
export type Revision = { epoch: string; revision: number }

/** `Pending`: sent, and nothing reported yet. `Removed`: the biz cluster has no such node config any more. */
export type NodeState = 'Pending' | 'InProgress' | 'Configured' | 'Failed' | 'Removing' | 'Removed'

export type NodeRecord = NodeKey & {
	instanceId?: string
	owner?: Owner
	/** As sent, or as the biz cluster has it if that differs. */
	interfaces: NodeConfigView['interfaces']
	/** sha256 of `canonicalText(interfaces)`, in hexadecimal. */
	hash: string
	/** As last reported by the biz cluster, without interfaces; absent if it was not reported yet. */
	report?: Omit<NodeConfigView, 'interfaces' | 'nodeName' | 'providerId' | 'instanceId' | 'owner'>
	state: NodeState
	reason: string
	/** One letter per interface, by id: C configured, I in progress, P pending, F failed. */
	letters: string
	revision: number
	createdAt: number
	/** The last change of anything in this record. */
	changedAt: number
	/** The last time viola accepted it. */
	sentAt?: number
	removedAt?: number
	nics: NicRecord[]
}

/** A port and its NIC: one row of table `nic`. */
export type NicRecord = NodeKey & {
	id: number
	portId?: string
	macAddress: string
	address?: string
	/** State and reason of this NIC as the node reported them. */
	state: 'Pending' | 'InProgress' | 'Configured' | 'Failed'
	reason: string
	message: string
	subnet?: SubnetFacts & { id: string }
	/** OpenStack had the port · viola accepted it · a run began · a run ended, with the state above. */
	seenAt: number
	sentAt?: number
	startedAt?: number
	settledAt?: number
}

export type ChangeRecord = NodeKey & {
	/** Grows with every change, in the order of commits. */
	seq: number
	at: number
	actor: Actor
	nic?: number
	portId?: string
	kind: ChangeKind
	reason: string
	message: string
	difference: Difference
}

/** What changed, by field: `[before, after]`. An absent value is null. */
export type Difference = Readonly<Record<string, readonly [unknown, unknown]>>

export type ChangeKind =
	| 'NodeAdded'
	| 'NodeChanged'
	| 'NodeRemoved'
	| 'StateChanged'
	| 'NicAdded'
	| 'NicChanged'
	| 'NicRemoved'
	/** The row had another id than the node config; it was corrected. */
	| 'IdCorrected'
	| 'NicFailed'
	| 'NicRecovered'
	| 'PortGone'

export type Hit = { kind: 'node'; node: NodeKey; instanceId?: string; matched: string } | { kind: 'nic'; nic: NicRecord; matched: string }

export type ProviderSummary = {
	providerId: string
	nodeCount: number
	updatedAt: number
	nodes: { providerId: string; nodeName: string; instanceId?: string; interfaceCount: number; updatedAt: number }[]
}
