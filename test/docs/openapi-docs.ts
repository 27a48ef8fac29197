import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createInventoryApi } from '../../mgmt/api/server.ts'
import { openInventory } from '../../mgmt/inventory/open.ts'
import { noAuth } from '../../runtime/auth/auth.ts'
import { createLog } from '../../runtime/log.ts'
import { createViola } from '../../viola/routes/routes.ts'

/** The committed OpenAPI documents, as the servers return them. `node test/docs/openapi-docs.ts` writes them again. */

const log = createLog('docs', { level: 'silent' })

type Documents = Readonly<Record<string, () => FastifyInstance>>

/** Path of the document → server. */
export const servers: Documents = {
	'docs/openapi-inventory.yaml': () =>
		createInventoryApi({ inventory: openInventory({ use: 'nothing' }, { log }), auth: noAuth, log, now: () => 0 }),
	'docs/openapi-viola.yaml': () => createViola({ auth: noAuth, log, clusterOf: () => Promise.reject(new Error('no cluster')) }),
}

export function fileOf(path: string): string {
	return join(import.meta.dirname, '../..', path)
}

/** Returns the document of a server. */
export async function documentOf(start: () => FastifyInstance): Promise<string> {
	const app = start()
	const { body } = await app.inject({ url: '/openapi.yaml' })
	await app.close()
	return body
}

if (import.meta.main) for (const [path, start] of Object.entries(servers)) writeFileSync(fileOf(path), await documentOf(start))
