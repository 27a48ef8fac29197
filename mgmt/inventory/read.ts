import { type ExpressionBuilder, type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import { cursorAfter, readCursor } from './cursor.ts'
import { changeRecord, type NicWithSubnet, nicRecord, nodeRecord } from './from-rows.ts'
import type { NodeFilter, Page, Paged, Scope } from './inventory.ts'
import type { ChangeRecord, NicRecord, NodeKey, NodeRecord, ProviderSummary } from './records.ts'
import type { NodeRow, Schema } from './schema.ts'
import { containing } from './search.ts'

/** The reads of the inventory. Each runs in one transaction, so that what it returns belongs to one revision. */

type Db = Kysely<Schema>
type Nodes = SelectQueryBuilder<Schema, 'node', NodeRow>

export async function readNodes(db: Db, scope: Scope, filter: NodeFilter, { limit, cursor }: Page): Promise<Paged<NodeRecord>> {
	let query = filtered(nodesIn(db, scope), filter)
	if (cursor !== undefined) {
		const [providerId = '', nodeName = ''] = readCursor(cursor, 'string', 'string') as string[]
		query = query
			.where('provider_id', '>=', providerId)
			.where(row => row.or([row('provider_id', '>', providerId), row('name', '>', nodeName)]))
	}
	const rows = await ordered(query)
		.limit(limit + 1)
		.execute()
	const shown = rows.slice(0, limit)
	const last = shown.at(-1)
	const items = await withNics(db, shown)
	return { items, ...(rows.length > limit && last && { next: cursorAfter(last.provider_id, last.name) }) }
}

export async function readNodesBy(db: Db, scope: Scope, column: 'name' | 'instance_id', value: string): Promise<NodeRecord[]> {
	const query = nodesIn(db, scope).where(column, '=', value)
	return withNics(db, await ordered(column === 'name' ? query : query.where('removed_at', 'is', null)).execute())
}

export async function readHistory(db: Db, { providerId, nodeName }: NodeKey, { limit, cursor }: Page): Promise<Paged<ChangeRecord>> {
	let query = db.selectFrom('change').selectAll().where('provider_id', '=', providerId).where('node', '=', nodeName)
	if (cursor !== undefined) query = query.where('seq', '<', Number(readCursor(cursor, 'number')[0]))
	const rows = await query
		.orderBy('seq', 'desc')
		.limit(limit + 1)
		.execute()
	const items = rows.slice(0, limit).map(changeRecord)
	const last = items.at(-1)
	return { items, ...(rows.length > limit && last && { next: cursorAfter(last.seq) }) }
}

/** How many changes of a port are returned. */
const PORT_CHANGES = 50

export async function readPort(db: Db, scope: Scope, portId: string): Promise<{ nics: NicRecord[]; changes: ChangeRecord[] }> {
	const nics = await nicsWithSubnet(db)
		.where('nic.port', '=', portId)
		.where(inScope(scope, 'nic.provider_id'))
		.orderBy('nic.provider_id')
		.execute()
	const changes = await db
		.selectFrom('change')
		.selectAll()
		.where('port', '=', portId)
		.where(inScope(scope, 'provider_id'))
		.orderBy('seq', 'desc')
		.limit(PORT_CHANGES)
		.execute()
	return { nics: nics.map(nicRecord), changes: changes.map(changeRecord) }
}

export async function readProviders(db: Db, scope: Scope): Promise<ProviderSummary[]> {
	const rows = await db
		.selectFrom('node')
		.select(['provider_id', 'name', 'instance_id', 'letters', 'changed_at', 'sent_at'])
		.where('removed_at', 'is', null)
		.where(inScope(scope, 'provider_id'))
		.orderBy('provider_id')
		.orderBy('name')
		.execute()
	return [...Map.groupBy(rows, row => row.provider_id)].map(([providerId, ofProvider]) => {
		const nodes = ofProvider.map(row => ({
			providerId,
			nodeName: row.name,
			...(row.instance_id !== null && { instanceId: row.instance_id }),
			interfaceCount: row.letters.length,
			updatedAt: row.sent_at ?? row.changed_at,
		}))
		return { providerId, nodeCount: nodes.length, updatedAt: Math.max(...nodes.map(({ updatedAt }) => updatedAt)), nodes }
	})
}

export async function readChanged(db: Db, scope: Scope, revision: number, limit: number): Promise<NodeRecord[]> {
	return withNics(db, await nodesIn(db, scope).where('revision', '>', revision).orderBy('revision').limit(limit).execute())
}

/** Returns the condition that a row belongs to a provider that the reader may see. */
export function inScope(scope: Scope, column: string) {
	if (scope === '*') return sql<boolean>`1 = 1`
	return scope.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`${sql.ref(column)} in (${sql.join([...scope])})`
}

export function nicsWithSubnet(db: Db) {
	return db
		.selectFrom('nic')
		.leftJoin('subnet', 'subnet.id', 'nic.subnet')
		.selectAll('nic')
		.select([
			'subnet.name as subnet_name',
			'subnet.cidr as subnet_cidr',
			'subnet.network as subnet_network',
			'subnet.network_name as subnet_network_name',
			'subnet.mtu as subnet_mtu',
		])
}

function nodesIn(db: Db, scope: Scope): Nodes {
	return db.selectFrom('node').selectAll().where(inScope(scope, 'provider_id'))
}

function ordered(query: Nodes): Nodes {
	return query.orderBy('provider_id').orderBy('name')
}

function filtered(nodes: Nodes, { state, ...filter }: NodeFilter): Nodes {
	let query = nodes.where('removed_at', state === 'Removed' ? 'is not' : 'is', null)
	if (state !== undefined) query = query.where('state', '=', state)
	if (filter.providerId !== undefined) query = query.where('provider_id', '=', filter.providerId)
	if (filter.nodeName !== undefined) query = query.where('name', '=', filter.nodeName)
	if (filter.instanceId !== undefined) query = query.where('instance_id', '=', filter.instanceId)
	if (filter.changedSince !== undefined) query = query.where('changed_at', '>=', filter.changedSince)
	const { subnetId, q } = filter
	if (subnetId !== undefined) query = query.where(row => row.exists(ownNics(row).where('nic.subnet', '=', subnetId)))
	if (q !== undefined && q !== '')
		query = query.where(row => row.or([containing(q, nodeTexts), row.exists(ownNics(row).where(containing(q, nicTexts)))]))
	return query
}

/** The columns that a search looks into. */
export const nodeTexts = ['node.name', 'node.instance_id'] as const
export const nicTexts = [
	'nic.port',
	'nic.mac',
	'nic.address',
	'subnet.name',
	'subnet.network_name',
	'subnet.network',
	'subnet.cidr',
] as const

function ownNics(row: ExpressionBuilder<Schema, 'node'>) {
	return row
		.selectFrom('nic')
		.leftJoin('subnet', 'subnet.id', 'nic.subnet')
		.select('nic.id')
		.whereRef('nic.provider_id', '=', 'node.provider_id')
		.whereRef('nic.node', '=', 'node.name')
}

async function withNics(db: Db, rows: readonly NodeRow[]): Promise<NodeRecord[]> {
	const nics = new Map<string, NicRecord[]>()
	for (const [providerId, nodes] of Map.groupBy(rows, row => row.provider_id)) {
		const names = nodes.map(({ name }) => name)
		const query = nicsWithSubnet(db).where('nic.provider_id', '=', providerId).where('nic.node', 'in', names)
		const found: NicWithSubnet[] = await query.orderBy('nic.node').orderBy('nic.id').execute()
		for (const [name, own] of Map.groupBy(found, nic => nic.node)) nics.set(`${providerId} ${name}`, own.map(nicRecord))
	}
	return rows.map(row => nodeRecord(row, nics.get(`${row.provider_id} ${row.name}`) ?? []))
}
