import type { FastifyInstance } from 'fastify'
import { addAuth } from '../../runtime/auth/add-auth.ts'
import type { Auth } from '../../runtime/auth/auth.ts'
import { addHealth, createHttpServer, type HttpServerOptions } from '../../runtime/http-server.ts'
import type { Log } from '../../runtime/log.ts'
import { addOpenApi } from '../../runtime/open-api.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { statusOf } from './failures.ts'
import { addGoRoutes } from './go-routes.ts'
import { addInventoryRoutes } from './inventory-routes.ts'
import { createReply, type Routes } from './reply.ts'

export type InventoryApiOptions = {
	inventory: Inventory
	auth: Auth
	/** Certificate and key; without them, plain HTTP is used. */
	tls?: HttpServerOptions['tls']
	log: Log
	now: () => number
}

/** The version of the API. It is also in the paths: `/v1`. */
const VERSION = '1'

/** Creates the HTTP server of the inventory, which every replica of mgmt runs. The API is read-only. */
export function createInventoryApi({ inventory, auth, tls, log, now }: InventoryApiOptions): FastifyInstance {
	const app = createHttpServer({ log, statusOf, tls })
	app.register(async api => {
		await addOpenApi(api, { title: 'MultiNIC inventory', description, version: VERSION })
		await api.register(async guarded => {
			await addAuth(guarded, auth, { log })
			const routes: Routes = { app: guarded, inventory, auth, now, ...createReply({ inventory, auth }) }
			addInventoryRoutes(routes)
			addGoRoutes(routes)
		})
	})
	addHealth(app, { ready: () => true })
	return app
}

const description =
	'What is configured on which node, since when and why. A client sees only the providers that it may read. ' +
	'Responses have an ETag; a list is returned in pages, and the header Link has the path of the next one.'
