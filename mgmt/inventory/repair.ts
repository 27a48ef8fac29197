import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Schema } from './schema.ts'
import { isSqlite } from './tables.ts'

/** The largest number that a column may have. Times and counters are far below, and all numbers up to it are exact in JavaScript. */
const MOST = 2 ** 52

/** What becomes of a number out of range: this value, or the row is deleted. */
type Instead = 0 | null | 'delete'
type Columns = Readonly<Record<string, Instead>>

/** The numbers on which revisions depend, each with an index. */
const counters: readonly [table: keyof Schema, Columns][] = [
	['change', { seq: 'delete' }],
	['node', { revision: 0 }],
	['revision', { value: 0, forgotten: 0 }],
]

/** Further numbers, which only SQLite may return out of range: it throws instead of returning the row. */
const others: readonly [table: keyof Schema, Columns][] = [
	['node', { created_at: 0, changed_at: 0, sent_at: null, removed_at: null }],
	['nic', { id: 'delete', seen_at: 0, sent_at: null, started_at: null, settled_at: null }],
	['subnet', { mtu: null, created_at: 0, modified_at: 0, deleted_at: null }],
	['change', { at: 0, nic: null }],
]

/** Replaces numbers that this process never writes, such as those of damaged rows, because one such row would make every read fail. */
export async function repairNumbers(db: Kysely<Schema>): Promise<void> {
	for (const [table, columns] of isSqlite(db) ? [...counters, ...others] : counters) await repairTable(db, table, columns)
}

/** Sets the counter above every number that is in use, if it is not. */
export async function repairCounter(db: Kysely<Schema>, inUse: number): Promise<void> {
	const behind = await db.selectFrom('revision').select('id').where('id', '=', 1).where('value', '<', inUse).executeTakeFirst()
	if (behind) await db.updateTable('revision').set({ value: inUse }).where('id', '=', 1).where('value', '<', inUse).execute()
}

/** Looks first, because with MariaDB another process may write at the same time, and would wait for the lock of an update. */
async function repairTable(db: Kysely<Schema>, table: keyof Schema, columns: Columns): Promise<void> {
	const any = sql.join(Object.keys(columns).map(isWrong), sql` or `)
	const { rows } = await sql`select 1 from ${sql.table(table)} where ${any} limit 1`.execute(db)
	if (rows.length === 0) return
	for (const [column, instead] of Object.entries(columns)) {
		const change =
			instead === 'delete' ? sql`delete from ${sql.table(table)}` : sql`update ${sql.table(table)} set ${sql.ref(column)} = ${instead}`
		await sql`${change} where ${isWrong(column)}`.execute(db)
	}
}

/** In SQLite, a text is larger than every number. */
function isWrong(column: string): RawBuilder<unknown> {
	return sql`(${sql.ref(column)} > ${MOST} or ${sql.ref(column)} < 0)`
}
