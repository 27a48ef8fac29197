import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { expect, test } from 'vitest'
import { loadNodes } from '../../../mgmt/inventory/load.ts'
import type { Schema } from '../../../mgmt/inventory/schema.ts'
import { sqliteDialect } from '../../../mgmt/inventory/sqlite.ts'

test('a row with another name than was requested, which the database takes for the same, is ignored', async () => {
	const database = new DatabaseSync(':memory:')
	const db = new Kysely<Schema>({ dialect: sqliteDialect(database).dialect })
	// rtrim compares as utf8mb4_bin of MariaDB does
	database.exec('create table node (provider_id text, name text collate rtrim)')
	database.exec('create table nic (provider_id text, node text collate rtrim, id integer)')
	database.exec("insert into node values ('biz-1', 'worker-1'); insert into nic values ('biz-1', 'worker-1', 0)")
	const key = { providerId: 'biz-1', nodeName: 'worker-1 ' }
	expect([...(await loadNodes(db, [key])).values()]).toEqual([{ node: undefined, nics: [] }])
	expect([...(await loadNodes(db, [{ ...key, nodeName: 'worker-1' }])).values()]).toMatchObject([{ nics: [{ id: 0 }], node: {} }])
	await db.destroy()
})
