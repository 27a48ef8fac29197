import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import * as z from 'zod'
import { ChangeEntry, Hit, INVENTORY_PATH, InventoryNode, PortReport } from '../../contract/inventory-api.ts'
import { EVERY_PROVIDER } from '../../runtime/auth/access.ts'
import { Failure } from '../../runtime/errors.ts'
import { withForms } from '../../runtime/open-api.ts'
import type { NodeRecord, Scope } from '../inventory/inventory.ts'
import { changesCsv, nodesCsv } from './csv.ts'
import type { ApiCode } from './failures.ts'
import { ByNode, ByPort, HITS_MAX, HistoryQuery, NodeQuery, NodesQuery, NoQuery, SearchQuery } from './query.ts'
import { asPreferred, itemsOf, pageIn, type Routes } from './reply.ts'
import { changeView, hitView, nodeView, portView, timeOf } from './views.ts'

const NODE_CONFIGS = `${INVENTORY_PATH}/node-configs`

/** Adds the routes below `/v1/inventory`. */
export function addInventoryRoutes(routes: Routes): void {
	addNodeRoutes(routes)
	addLookups(routes)
	addBackup(routes)
}

function addNodeRoutes({ app, inventory, unlessKnown }: Routes): void {
	const api = app.withTypeProvider<ZodTypeProvider>()
	const list = { summary: 'Lists node configs, ordered by provider and node name.', querystring: NodesQuery }
	api.get(
		NODE_CONFIGS,
		{ schema: { ...list, response: { 200: withForms(z.array(InventoryNode).describe('A page'), 'text/csv') } } },
		(request, reply) => {
			const exchange = { request, reply }
			const { providerId, limit, cursor, ...filter } = request.query
			return unlessKnown(exchange, providerId, async scope => {
				const found = await inventory.nodes(scope, { ...filter, providerId }, pageIn({ limit, cursor }))
				return asPreferred(itemsOf(found, exchange).map(nodeView), exchange, nodesCsv)
			})
		},
	)
	const one = { summary: 'Returns the node config of one node.', params: ByNode, querystring: NodeQuery }
	api.get(`${NODE_CONFIGS}/:nodeName`, { schema: { ...one, response: { 200: InventoryNode } } }, (request, reply) =>
		unlessKnown({ request, reply }, request.query.providerId, async scope =>
			nodeView(onlyOne(await inventory.nodesNamed(scope, request.params.nodeName), request.params.nodeName)),
		),
	)
	const history = { summary: 'Lists the changes of one node, newest first.', params: ByNode, querystring: HistoryQuery }
	const entries = withForms(z.array(ChangeEntry).describe('A page'), 'text/csv')
	api.get(`${NODE_CONFIGS}/:nodeName/history`, { schema: { ...history, response: { 200: entries } } }, (request, reply) => {
		const exchange = { request, reply }
		const { nodeName } = request.params
		return unlessKnown(exchange, request.query.providerId, async scope => {
			const node = onlyOne(await inventory.nodesNamed(scope, nodeName), nodeName)
			const found = await inventory.history(node, pageIn(request.query))
			return asPreferred(itemsOf(found, exchange).map(changeView), exchange, changesCsv)
		})
	})
}

function addLookups({ app, inventory, unlessKnown }: Routes): void {
	const api = app.withTypeProvider<ZodTypeProvider>()
	const port = { summary: 'Returns the path of one port to its NIC: which step it has reached, since when, and why.' }
	const ofPort = { ...port, params: ByPort, querystring: NoQuery, response: { 200: PortReport } }
	api.get(`${INVENTORY_PATH}/ports/:portId`, { schema: ofPort }, (request, reply) =>
		unlessKnown({ request, reply }, undefined, async scope => portView(request.params.portId, await portIn(scope, request.params.portId))),
	)
	const search = { summary: `Finds nodes and NICs by name, VM, port, MAC, address or network; at most ${HITS_MAX}.` }
	const ofSearch = { ...search, querystring: SearchQuery, response: { 200: z.array(Hit).describe('The best matches first') } }
	api.get(`${INVENTORY_PATH}/search`, { schema: ofSearch }, (request, reply) =>
		unlessKnown({ request, reply }, undefined, async scope => (await inventory.search(scope, request.query.q, HITS_MAX)).map(hitView)),
	)

	async function portIn(scope: Scope, portId: string) {
		const found = await inventory.port(scope, portId)
		if (found.nics.length + found.changes.length > 0) return found
		throw new Failure<ApiCode>('PORT_UNKNOWN', `the inventory has no port ${portId}`)
	}
}

function addBackup({ app, inventory, auth, now }: Routes): void {
	const file = { description: 'The database', content: { 'application/vnd.sqlite3': { schema: z.string() } } }
	const summary = 'Returns a verified copy of the SQLite database. A client needs admin access to all providers.'
	app.get(`${INVENTORY_PATH}/backup`, { schema: { summary, querystring: NoQuery, response: { 200: file } } }, async (request, reply) => {
		await auth.require(request.caller, 'admin', EVERY_PROVIDER)
		const { bytes, stream } = await inventory.backup()
		const name = `inventory-${timeOf(now()).replaceAll(':', '-')}.db`
		request.log.info({ client: request.caller.name, how: request.caller.how, bytes }, 'backup of the inventory')
		reply.header('content-length', bytes).header('content-disposition', `attachment; filename="${name}"`)
		return reply.type('application/vnd.sqlite3').send(stream)
	})
}

/** @throws Failure NODE_UNKNOWN, or NODE_AMBIGUOUS if nodes of several providers have the name */
function onlyOne(found: readonly NodeRecord[], nodeName: string): NodeRecord {
	const [node, ...others] = found
	if (!node) throw new Failure<ApiCode>('NODE_UNKNOWN', `the inventory has no node ${nodeName}`)
	if (others.length === 0) return node
	const providers = found.map(({ providerId }) => providerId).join(', ')
	throw new Failure<ApiCode>('NODE_AMBIGUOUS', `node ${nodeName} exists in several providers: add ?providerId= with one of ${providers}`)
}
