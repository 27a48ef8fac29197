import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countStatements, killBefore } from './kills.ts'
import { twoWriters } from './two-writers.ts'
import { type MariaServer, startMariaServer } from './mariadb-server.ts'

/** A kill before every statement, from the migration of an empty database to the last commit. */

const folder = mkdtempSync(join(tmpdir(), 'inventory-'))
let count = 0
const empty = () => ({ use: 'sqlite', sqlite: { path: join(folder, `${++count}.db`) } }) as const

let server: MariaServer
beforeAll(async () => {
	server = await startMariaServer()
})
afterAll(async () => {
	rmSync(folder, { recursive: true })
	await server.stop()
})

test('SQLite: a process that is killed before any statement leaves nothing half-written', async () => {
	const statements = await countStatements(empty())
	expect(statements).toBeGreaterThan(50)
	for (let at = 0; at < statements; at++) await killBefore(empty(), at)
})

test('MariaDB: a process that is killed before any statement leaves nothing half-written', async () => {
	const statements = await countStatements(await server.settings())
	expect(statements).toBeGreaterThan(50)
	for (let at = 0; at < statements; at++) await killBefore(await server.settings(), at)
})

test('MariaDB: two leaders write for 30 s', async () => {
	await twoWriters(await server.settings(), 30_000)
})
