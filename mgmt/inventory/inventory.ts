import type { Readable } from 'node:stream'
import type { NodeConfigRequest, NodeConfigView, Owner } from '../../contract/viola-api.ts'
import type {
	Actor,
	ChangeRecord,
	Hit,
	NicRecord,
	NodeKey,
	NodeRecord,
	NodeState,
	ProviderSummary,
	Revision,
	SubnetFacts,
} from './records.ts'

export type * from './records.ts'

/**
 * The inventory: what is configured on which node, since when and why, and the ids of ports. It is never a condition for a change of a
 * node: a caller that gets a Failure continues without it.
 *
 * Times are milliseconds since 1970. Every call ends within its deadline (reads 5 s, `record` 10 s per transaction), also while the
 * database does not respond.
 */
export type Inventory = Reads & {
	/** Whether the database can be used now. Never waits. */
	state(): InventoryState
	/** Settles after the first attempt to open the database, whether it succeeded or not. Reads before that are refused as `Unavailable`. */
	opened: Promise<void>

	/**
	 * Makes this process the writer; to be called each time the Lease is acquired. The first `record` after it writes a new epoch, and every
	 * `record` of an earlier leader then fails with `Superseded`.
	 */
	lead(): void
	/**
	 * Stores changes, in the given order. Resolves when all are stored durably; changes that alter nothing cost no write. A transaction covers
	 * at most 50 nodes, and the event loop runs between two transactions.
	 *
	 * @throws Failure Unavailable (retry) if the database is lost: transactions that were committed before stay stored, and repeating the
	 *   same changes is harmless · Disabled · Superseded
	 */
	record(changes: readonly Change[]): Promise<void>
	/**
	 * Stores changes when the database allows it, without making the caller wait. Changes of one node that are not stored yet are merged, so
	 * the memory needed does not grow with the length of an outage. Changes of a provider beyond a limit are dropped with a warning. While INVENTORY_ENABLED is false, changes are dropped.
	 */
	learn(changes: readonly Change[]): void
	/**
	 * Resolves to true when everything that was passed to `learn` is stored, and to false as soon as that fails or `signal` is aborted. A
	 * change whose data the database does not accept is set aside with a warning, and does not count.
	 */
	drained(signal?: AbortSignal): Promise<boolean>

	/** Opens a verified copy of the database as a stream. @throws Failure Unavailable, Disabled, or BackupUnsupported with MariaDB */
	backup(): Promise<{ bytes: number; stream: Readable }>
	/** Ends all queries and connections. `learn`ed changes that are not stored are lost. */
	close(): Promise<void>
}

/** The failures of the inventory. `Unavailable` is the only one that is retryable. */
export type InventoryCode = 'Unavailable' | 'Disabled' | 'Superseded' | 'InvalidCursor' | 'BackupUnsupported'

/** Why the database cannot be used; a word for conditions and metrics. */
export type LostReason =
	/** The first attempt to open it has not ended yet. */
	| 'Opening'
	/** Another process uses the file. */
	| 'Locked'
	| 'DiskFull'
	| 'ReadOnly'
	/** The server cannot be reached, does not respond in time, or closed the connection. */
	| 'Unreachable'
	/** User or password are wrong, or a file with one of them cannot be read. */
	| 'AccessDenied'
	/** Any other error, which the message contains. */
	| 'DatabaseError'

export type InventoryState =
	/** `replaced`: the database was damaged at that time, its file was kept under that name, and the inventory was rebuilt from nothing. */
	| { state: 'available'; since: number; replaced?: { file: string; why: string; at: number } }
	| { state: 'unavailable'; since: number; reason: LostReason; message: string }
	/** INVENTORY_ENABLED is false. Everything behaves as if the database were lost. */
	| { state: 'disabled' }

/** One thing that mgmt learned. */
export type Change =
	/** Viola accepted this node config. */
	| (NodeKey & {
			kind: 'sent'
			at: number
			actor: Actor
			instanceId?: string | undefined
			owner?: Owner | undefined
			interfaces: NodeConfigRequest['interfaces']
			/** When OpenStack was first seen to have the port, by port id. Default: `at`. */
			seenAt?: ReadonlyMap<string, number>
	  })
	/**
	 * The biz cluster has this node config (viola's GET or stream). Where the ids differ from the rows, the rows are corrected. The actor is
	 * taken from the view: its last field manager, its owner, its last run.
	 */
	| { kind: 'reported'; at: number; providerId: string; view: NodeConfigView }
	/** The biz cluster has no such node config any more. The ids of its ports stay, so that the node gets them again. */
	| (NodeKey & { kind: 'removed'; at: number; actor: Actor })
	/** OpenStack has no such port any more. Its row is deleted, so its id is free. */
	| { kind: 'portGone'; at: number; providerId: string; portId: string }
	/** What Neutron has about a subnet; without `subnet`, it has none any more. */
	| { kind: 'subnet'; at: number; subnetId: string; subnet?: SubnetFacts | undefined }

/** Which providers a reader may see. */
export type Scope = '*' | readonly string[]

export type Page = {
	/** 1 to 1000 */
	limit: number
	/** `next` of the page before; undefined for the first page. */
	cursor?: string | undefined
}
export type Paged<T> = { items: T[]; next?: string }

export type Reads = {
	/** The ids that the rows of a node have, by port id; for `nameInterfaces`. Empty if the node is unknown. */
	idsOf(node: NodeKey): Promise<Map<string, number>>
	/**
	 * Changes with every commit that changes a row: the ETag of every answer. Costs no query with SQLite, and one of a single row with
	 * MariaDB.
	 */
	revision(): Promise<Revision>
	/** Node configs, ordered by provider and name. Removed ones only with `state: 'Removed'`. @throws Failure InvalidCursor */
	nodes(scope: Scope, filter: NodeFilter, page: Page): Promise<Paged<NodeRecord>>
	/** All nodes of that name, ordered by provider: one per biz cluster. Includes removed ones. */
	nodesNamed(scope: Scope, nodeName: string): Promise<NodeRecord[]>
	/** The node configs of a VM, ordered by provider and name. */
	nodesOfInstance(scope: Scope, instanceId: string): Promise<NodeRecord[]>
	/** Changes of a node, newest first. @throws Failure InvalidCursor */
	history(node: NodeKey, page: Page): Promise<Paged<ChangeRecord>>
	/** A port in each biz cluster that has it, with its changes (the 50 newest first). A port that is gone has only changes. */
	port(scope: Scope, portId: string): Promise<{ nics: NicRecord[]; changes: ChangeRecord[] }>
	/** Nodes and NICs with `q` in a name, id, MAC or address, ignoring the case of ASCII letters; exact matches first, then by name. */
	search(scope: Scope, q: string, limit: number): Promise<Hit[]>
	/** Ids of every provider that has or had nodes, ordered. */
	providerIds(): Promise<string[]>
	/** Every provider that has nodes, each with its nodes, ordered. */
	providers(scope: Scope): Promise<ProviderSummary[]>
	/**
	 * Nodes that changed after a revision, including removed ones, ordered by revision. `reset`: that revision is of another epoch, or so old
	 * that removed nodes were forgotten since; then everything has to be read again.
	 */
	changesSince(
		scope: Scope,
		after: Revision,
		limit: number,
	): Promise<{ items: NodeRecord[]; head: Revision } | { reset: true; head: Revision }>
}

export type NodeFilter = {
	providerId?: string | undefined
	nodeName?: string | undefined
	instanceId?: string | undefined
	state?: NodeState | undefined
	/** Nodes with a NIC in this subnet. */
	subnetId?: string | undefined
	/** Nodes that changed at this time or later. */
	changedSince?: number | undefined
	/** Nodes that `search` would find, or whose NICs it would find. */
	q?: string | undefined
}
