import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from './schema.ts'
import { createTable, indexes, isSqlite, tables } from './tables.ts'

/**
 * Every step of the schema, by name, in the order of the names.
 *
 * A step works beside the version of mgmt before it, and may be repeated: MariaDB commits each statement separately, so a step that was
 * interrupted runs again from its beginning. A step that was released is never changed.
 */
export const migrations: Readonly<Record<string, Migration>> = {
	'0001-inventory': { up: createTables },
	'0002-seed-views': { up: createViews },
}

async function createTables(db: Kysely<Schema>): Promise<void> {
	for (const [of, shape] of Object.entries(tables)) await createTable(db, of as keyof Schema, shape)
	await createIndexes(db)
	await addRevisionRow(db)
}

/** Adds the row of the counter unless it exists. It continues above every number that is in use. */
export async function addRevisionRow(db: Kysely<Schema>): Promise<void> {
	const row = await db.selectFrom('revision').select('id').executeTakeFirst()
	if (row) return
	const value = await numberInUse(db)
	await db.insertInto('revision').values({ id: 1, epoch: '', value, forgotten: 0, imported: '' }).execute()
}

/** Returns the highest number that a node or a change has. */
export async function numberInUse(db: Kysely<Schema>): Promise<number> {
	const node = await db
		.selectFrom('node')
		.select(of => of.fn.max('revision').as('last'))
		.executeTakeFirst()
	const change = await db
		.selectFrom('change')
		.select(of => of.fn.max('seq').as('last'))
		.executeTakeFirst()
	return Math.max(node?.last ?? 0, change?.last ?? 0)
}

async function createIndexes(db: Kysely<Schema>): Promise<void> {
	const existing = await (isSqlite(db) ? sqliteIndexes : mariaIndexes).execute(db)
	const names = new Set(existing.rows.map(row => row.name))
	for (const [of, index, columns] of indexes) if (!names.has(index)) await db.schema.createIndex(index).on(of).columns(columns).execute()
}

const sqliteIndexes = sql<{ name: string }>`select name from sqlite_master where type = 'index'`
const mariaIndexes = sql<{ name: string }>`
	select distinct index_name as name from information_schema.statistics where table_schema = database()`

/** The tables of the MariaDB that an earlier system filled, as views. A table that still has such a name is left as it is. */
async function createViews(db: Kysely<Schema>): Promise<void> {
	const names = new Set((await db.introspection.getTables()).map(table => table.name))
	for (const [view, select] of Object.entries(seedViews))
		if (!names.has(view)) await sql`create view ${sql.table(view)} as ${select}`.execute(db)
}

const seedViews: Readonly<Record<string, RawBuilder<unknown>>> = {
	multi_subnet: sql`
		select id as subnet_id, name as subnet_name, cidr, network as network_id,
			case when deleted_at is null then 'active' else 'deleted' end as status, created_at, modified_at, deleted_at
		from subnet`,
	node_table: sql`
		select instance_id as attached_node_id, name as attached_node_name, provider_id,
			case when removed_at is null then 'active' else 'deleted' end as status,
			created_at, changed_at as modified_at, removed_at as deleted_at
		from node`,
	multi_interface: sql`
		select nic.port as port_id, nic.subnet as subnet_id, nic.mac as macaddress, nic.address,
			node.instance_id as attached_node_id, node.name as attached_node_name, node.provider_id,
			node.owner_namespace as cr_namespace, node.owner_name as cr_name,
			case when node.removed_at is null then 'active' else 'deleted' end as status,
			case when nic.state = 'Configured' then 1 else 0 end as netplan_success,
			nic.seen_at as created_at, node.changed_at as modified_at, node.removed_at as deleted_at
		from nic join node on node.provider_id = nic.provider_id and node.name = nic.node`,
}
