import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { countStatements, killBefore } from './kills.ts'

/** A sample; test/mgmt/inventory/kills.long.test.ts has every statement, with both databases. */

const folder = mkdtempSync(join(tmpdir(), 'inventory-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
const empty = () => ({ use: 'sqlite', sqlite: { path: join(folder, `${++count}.db`) } }) as const

test('SQLite: a process that is killed between two statements leaves nothing half-written, and loses nothing that was answered', async () => {
	const statements = await countStatements(empty())
	expect(statements).toBeGreaterThan(50)
	const some = fc.sample(fc.uniqueArray(fc.integer({ min: 0, max: statements - 1 }), { minLength: 8, maxLength: 8 }), 1).flat()
	for (const at of some) await killBefore(empty(), at)
})
