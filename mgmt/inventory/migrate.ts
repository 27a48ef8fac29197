import type { Kysely } from 'kysely'
import { DEFAULT_MIGRATION_TABLE, Migrator } from 'kysely/migration'
import { addRevisionRow, migrations, numberInUse } from './migrations.ts'
import { repairCounter, repairNumbers } from './repair.ts'
import type { Schema } from './schema.ts'
import { tables } from './tables.ts'

/**
 * Brings the schema up to date, under Kysely's lock. Tables that were dropped are created again, empty.
 *
 * A schema of a newer version is used as it is, because each version works beside the one before it.
 *
 * @throws the error of the database
 */
export async function migrate(db: Kysely<Schema>): Promise<void> {
	if (await isNewer(db)) return
	const { error } = await new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } }).migrateToLatest()
	if (error) throw error
	const existing = new Set((await db.introspection.getTables()).map(table => table.name))
	const isWhole = Object.keys(tables).every(name => existing.has(name))
	if (!isWhole) for (const { up } of Object.values(migrations)) await up(db)
	await repairNumbers(db)
	await addRevisionRow(db)
	await repairCounter(db, await numberInUse(db))
}

async function isNewer(db: Kysely<Schema>): Promise<boolean> {
	const all = await db.introspection.getTables({ withInternalKyselyTables: true })
	if (!all.some(table => table.name === DEFAULT_MIGRATION_TABLE)) return false
	const executed = await (db as unknown as Kysely<Record<string, { name: string }>>)
		.selectFrom(DEFAULT_MIGRATION_TABLE)
		.select('name')
		.execute()
	return executed.some(({ name }) => !Object.hasOwn(migrations, name))
}
