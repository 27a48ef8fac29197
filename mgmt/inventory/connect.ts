import { setImmediate as nextTurn } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { createManyRows, createRowByRow } from './bulk.ts'
import { mariaDialect } from './mariadb.ts'
import { migrate } from './migrate.ts'
import type { Store } from './record.ts'
import type { Schema } from './schema.ts'
import type { MariaSettings, SqliteSettings } from './settings.ts'
import { type BeforeStatement, sqliteDialect } from './sqlite.ts'
import { openSqlite, type Replaced } from './sqlite-file.ts'

/** A database that is open and has the current schema. */
export type Opened = {
	store: Store
	/** The file of SQLite, which no other process can write; undefined with MariaDB. */
	file: string | undefined
	replaced?: Replaced
	connections(): number
	close(): Promise<void>
}

export type ConnectOptions = {
	/** Of each statement of MariaDB, in milliseconds. */
	deadlineMs: number
	now: () => number
	before?: BeforeStatement | undefined
}

/** @throws the error of SQLite */
export async function connectSqlite({ path }: SqliteSettings, { now, before }: ConnectOptions): Promise<Opened> {
	const { database, replaced } = openSqlite(path, now())
	const { dialect, runEach } = sqliteDialect(database, before)
	const db = new Kysely<Schema>({ dialect })
	await orClose(db, () => migrate(db))
	const store = { db, bulk: createRowByRow(runEach), afterCommit: checkpoints(db) }
	const open = { store, file: path, connections: () => Number(database.isOpen) }
	return { ...open, ...(replaced && { replaced }), close: () => db.destroy() }
}

/** After how many transactions the write-ahead log is copied into the file. One of 50 nodes writes about a megabyte. */
const COMMITS_PER_CHECKPOINT = 4

function checkpoints(db: Kysely<Schema>): () => Promise<void> {
	let commits = 0
	return async () => {
		if (++commits % COMMITS_PER_CHECKPOINT > 0) return
		await nextTurn()
		await sql`pragma wal_checkpoint(passive)`.execute(db)
	}
}

/** How long a statement of a migration may take: it may have to copy a table. */
const MIGRATION_MS = 60_000

/** Reads use up to this many connections at once, beside the one that writes. */
const CONNECTIONS = 4

/** @throws the error of mysql2, or Failure Timeout or CredentialsUnreadable */
export async function connectMaria(settings: MariaSettings, { deadlineMs, before }: ConnectOptions): Promise<Opened> {
	const { dialect, connections } = mariaDialect(settings, { deadlineMs, connections: CONNECTIONS, ...(before && { before }) })
	const db = new Kysely<Schema>({ dialect })
	await orClose(db, async () => {
		// a stopped server is found within the short deadline, before anything is attempted with the long one
		await db.introspection.getTables()
		const slow = mariaDialect(settings, { deadlineMs: MIGRATION_MS, connections: 1, ...(before && { before }) })
		const migrating = new Kysely<Schema>({ dialect: slow.dialect })
		await migrate(migrating).finally(() => migrating.destroy())
	})
	return { store: { db, bulk: createManyRows() }, file: undefined, connections, close: () => db.destroy() }
}

async function orClose(db: Kysely<Schema>, work: () => Promise<void>): Promise<void> {
	try {
		// a driver that was never used is not closed by Kysely
		await db.connection().execute(async () => {})
		await work()
	} catch (error) {
		await db.destroy()
		throw error
	}
}
