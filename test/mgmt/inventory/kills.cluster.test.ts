import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countStatements, killBefore } from './kills.ts'
import { type MariaServer, startMariaServer } from './mariadb-server.ts'

/** A sample; test/mgmt/inventory/kills.long.test.ts has every statement. */

let server: MariaServer
beforeAll(async () => {
	server = await startMariaServer()
})
afterAll(() => server.stop())

test('MariaDB: a process that is killed between two statements leaves nothing half-written, and loses nothing that was answered', async () => {
	const statements = await countStatements(await server.settings())
	expect(statements).toBeGreaterThan(50)
	const some = fc.sample(fc.uniqueArray(fc.integer({ min: 0, max: statements - 1 }), { minLength: 6, maxLength: 6 }), 1).flat()
	for (const at of some) await killBefore(await server.settings(), at)
})
