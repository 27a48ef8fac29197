import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import { Failure } from '../../runtime/errors.ts'
import { applyAll, keyOf, partsOf, portsOf, subnetAfter } from './batch.ts'
import type { Bulk } from './bulk.ts'
import type { Stored, Unnumbered } from './drafts.ts'
import type { Change, InventoryCode } from './inventory.ts'
import { loadNodes, nodesOfPorts } from './load.ts'
import type { NodeKey } from './records.ts'
import type { NicRow, Schema, SubnetRow } from './schema.ts'

export type Store = {
	db: Kysely<Schema>
	bulk: Bulk
	/** Work that follows a commit in its own turn of the event loop, so that no transaction takes longer because of it. */
	afterCommit?: () => Promise<void>
}

/** How many numbers one change may use: for its nodes, and for its rows in table `change`. */
const NUMBERS_PER_CHANGE = 128

/**
 * Stores changes in transactions of at most 50 nodes, and lets the event loop run between them.
 *
 * @param onCommit is called with the revision of each committed transaction
 * @throws Failure Superseded if another process has begun an epoch, or the error of the database
 */
export async function record(store: Store, epoch: string, changes: readonly Change[], onCommit: (revision: number) => void): Promise<void> {
	for (const [i, part] of partsOf(changes).entries()) {
		if (i > 0) await nextTurn()
		const revision = await recordPart(store, epoch, part)
		if (revision === undefined) continue
		onCommit(revision)
		await store.afterCommit?.()
	}
}

/** @returns the revision, or undefined if nothing differs */
async function recordPart({ db, bulk }: Store, epoch: string, part: readonly Change[]): Promise<number | undefined> {
	const tx = await db.startTransaction().execute()
	try {
		const numbers = await takeNumbers(tx, epoch, part.length * NUMBERS_PER_CHANGE)
		const isDifferent = await write(tx, bulk, part, numbers)
		if (!isDifferent) return void (await tx.rollback().execute())
		await tx.commit().execute()
		return numbers.last
	} catch (error) {
		if (!tx.isCommitted && !tx.isRolledBack)
			await tx
				.rollback()
				.execute()
				// the error that ended the transaction is thrown below; a rollback fails only because the connection has ended
				.catch(() => {})
		throw error
	}
}

type Numbers = { next: () => number; last: number }

/** Takes numbers from the counter. Its row stays locked until the transaction ends, so numbers become visible in their order. */
async function takeNumbers(db: Transaction<Schema>, epoch: string, count: number): Promise<Numbers> {
	const { numUpdatedRows } = await db
		.updateTable('revision')
		.set(row => ({ value: row('value', '+', count) }))
		.where('id', '=', 1)
		.where('epoch', '=', epoch)
		.executeTakeFirst()
	if (numUpdatedRows === 0n)
		throw new Failure<InventoryCode>('Superseded', 'another mgmt has begun to write the inventory; this one stops writing')
	const { value } = await db.selectFrom('revision').select('value').where('id', '=', 1).executeTakeFirstOrThrow()
	let number = value - count
	const next = () => {
		if (number === value) throw new Error('a transaction has used more numbers than it took')
		return ++number
	}
	return { next, last: value }
}

async function write(db: Transaction<Schema>, bulk: Bulk, part: readonly Change[], numbers: Numbers): Promise<boolean> {
	const ofSubnets = part.filter(change => change.kind === 'subnet')
	const ofNodes = part.filter(change => change.kind !== 'subnet')
	const wroteSubnets = await writeSubnets(db, bulk, ofSubnets)
	const before = await loadConcerned(db, ofNodes)
	const { different, changeRows } = applyAll(before, ofNodes, sha256)
	await writeNodes(db, bulk, { before, different, changeRows, numbers })
	return wroteSubnets || different.size > 0 || changeRows.length > 0
}

/** Reads the nodes that changes name, and those that now have a port that the changes name. */
async function loadConcerned(
	db: Transaction<Schema>,
	changes: readonly Exclude<Change, { kind: 'subnet' }>[],
): Promise<Map<string, Stored>> {
	const own = await loadNodes(db, uniqueKeys(changes.flatMap(change => keyOf(change) ?? [])))
	const known = new Set([...own.values()].flatMap(({ nics }) => nics.map(({ provider_id, port }) => `${provider_id} ${port}`)))
	const unknown = changes.flatMap(portsOf).filter(({ providerId, portId }) => !known.has(`${providerId} ${portId}`))
	const others = await loadNodes(db, uniqueKeys(await nodesOfPorts(db, unknown)))
	return new Map([...others, ...own])
}

type Writing = {
	before: ReadonlyMap<string, Stored>
	different: ReadonlyMap<string, Stored>
	changeRows: readonly Unnumbered[]
	numbers: Numbers
}

/** Rows that leave are deleted first, because another row may take their id or their port. */
async function writeNodes(db: Transaction<Schema>, bulk: Bulk, { before, different, changeRows, numbers }: Writing): Promise<void> {
	const nodes = [...different].flatMap(([name, { node }]) => (node ? [{ name, node: { ...node, revision: numbers.next() } }] : []))
	const isKnown = ({ name }: { name: string }) => before.get(name)?.node !== undefined
	const nics = [...different].map(([name, { nics: after }]) => nicWrites(before.get(name)?.nics ?? [], after))
	for (const gone of nics.flatMap(({ leave }) => leave)) await deleteNic(db, gone)
	const rows = (of: typeof nodes) => of.map(({ node }) => node)
	await bulk.insert(db, 'node', rows(nodes.filter(entry => !isKnown(entry))))
	await bulk.update(db, 'node', nodeColumns, rows(nodes.filter(isKnown)))
	await bulk.insert(
		db,
		'nic',
		nics.flatMap(({ enter }) => enter),
	)
	await bulk.report(
		db,
		nics.map(({ stay, enter, kept }) => ({ rows: stay, areAll: enter.length === 0 && stay.length === kept })),
	)
	await bulk.insert(
		db,
		'change',
		changeRows.map(row => ({ seq: numbers.next(), ...row })),
	)
}

const nodeColumns = [
	...(['instance_id', 'owner_namespace', 'owner_name', 'owner_uid', 'config', 'hash', 'report', 'state', 'reason', 'letters'] as const),
	...(['revision', 'changed_at', 'sent_at', 'removed_at'] as const),
]
const placeColumns = ['id', 'port', 'mac', 'address', 'subnet'] as const

/** A row whose indexed columns stay is updated; any other one is written again. */
function nicWrites(before: readonly NicRow[], after: readonly NicRow[]) {
	const old = new Map(before.map(row => [row.id, row]))
	const staysInPlace = (row: NicRow) => placeColumns.every(column => old.get(row.id)?.[column] === row[column])
	const changed = after.filter(row => old.get(row.id) !== row)
	const enter = changed.filter(row => !staysInPlace(row))
	const kept = new Set(after.filter(staysInPlace).map(({ id }) => id))
	return { leave: before.filter(({ id }) => !kept.has(id)), enter, stay: changed.filter(staysInPlace), kept: kept.size }
}

async function deleteNic(db: Transaction<Schema>, { provider_id, node, id }: NicRow): Promise<void> {
	await db.deleteFrom('nic').where('provider_id', '=', provider_id).where('node', '=', node).where('id', '=', id).execute()
}

async function writeSubnets(
	db: Transaction<Schema>,
	bulk: Bulk,
	changes: readonly Extract<Change, { kind: 'subnet' }>[],
): Promise<boolean> {
	let wrote = false
	for (const change of changes) {
		const row = await db.selectFrom('subnet').selectAll().where('id', '=', change.subnetId).executeTakeFirst()
		const next = subnetAfter(row, change)
		if (!next) continue
		wrote = true
		if (row) await bulk.update(db, 'subnet', subnetColumns, [next])
		else await bulk.insert(db, 'subnet', [next])
	}
	return wrote
}

const subnetColumns: readonly (keyof SubnetRow)[] = ['name', 'cidr', 'network', 'network_name', 'mtu', 'modified_at', 'deleted_at']

function uniqueKeys(keys: readonly NodeKey[]): NodeKey[] {
	return [...new Map(keys.map(key => [`${key.providerId} ${key.nodeName}`, key])).values()]
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}
