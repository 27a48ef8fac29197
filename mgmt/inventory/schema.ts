/**
 * The tables, as Kysely sees them. Times are milliseconds since 1970. JSON is stored as text, because both databases then return the bytes
 * that were written.
 */
export type Schema = {
	node: NodeRow
	nic: NicRow
	subnet: SubnetRow
	change: ChangeRow
	revision: RevisionRow
}

export type NodeRow = {
	provider_id: string
	name: string
	instance_id: string | null
	owner_namespace: string | null
	owner_name: string | null
	owner_uid: string | null
	/** JSON of the interfaces. */
	config: string
	hash: string
	/** JSON of the reported view, without what the other columns contain. */
	report: string | null
	state: string
	reason: string
	letters: string
	revision: number
	created_at: number
	changed_at: number
	sent_at: number | null
	removed_at: number | null
}

export type NicRow = {
	provider_id: string
	node: string
	id: number
	/** Null for a NIC of a node config that a Go system or a person wrote without port ids. */
	port: string | null
	mac: string
	address: string | null
	subnet: string | null
	state: string
	reason: string
	message: string
	seen_at: number
	sent_at: number | null
	started_at: number | null
	settled_at: number | null
}

export type SubnetRow = {
	id: string
	name: string
	cidr: string
	network: string
	network_name: string | null
	mtu: number | null
	created_at: number
	modified_at: number
	deleted_at: number | null
}

export type ChangeRow = {
	/** From the same counter as the revisions of nodes. */
	seq: number
	at: number
	actor_kind: string
	actor: string
	provider_id: string
	node: string
	nic: number | null
	port: string | null
	kind: string
	reason: string
	message: string
	/** JSON. */
	difference: string
}

/** The only row has id 1. Every writing transaction locks it first, so revisions become visible in their order. */
export type RevisionRow = {
	id: number
	epoch: string
	value: number
	/** Removed nodes that changed up to this revision may have been forgotten. */
	forgotten: number
	/** sha256 of the file that was imported; `none` if there was none when the database was made; empty before that. */
	imported: string
}
