import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import * as z from 'zod'
import { GoProviders, GoRecord, INTERFACES_PATH } from '../../contract/inventory-api.ts'
import { Failure } from '../../runtime/errors.ts'
import type { NodeRecord, Scope } from '../inventory/inventory.ts'
import type { ApiCode } from './failures.ts'
import { providersView, recordView } from './go-views.ts'
import { ByInstance, InstanceQuery, LIMIT_MAX, NoQuery, ProviderQuery } from './query.ts'
import { itemsOf, pageIn, type Routes } from './reply.ts'

const NODE_CONFIGS = `${INTERFACES_PATH}/node-configs`

/** Adds the routes of the Go operator, with its responses. */
export function addGoRoutes({ app, inventory, unlessKnown }: Routes): void {
	const api = app.withTypeProvider<ZodTypeProvider>()
	const providers = { summary: 'Lists the providers with their nodes.', querystring: NoQuery, response: { 200: GoProviders } }
	api.get(`${INTERFACES_PATH}/providers`, { schema: providers }, (request, reply) =>
		unlessKnown({ request, reply }, undefined, async scope => providersView(await inventory.providers(scope))),
	)
	const records = z.array(GoRecord).describe('The records')
	const list = { summary: 'Lists the node configs of one provider.', querystring: ProviderQuery, response: { 200: records } }
	api.get(NODE_CONFIGS, { schema: list }, (request, reply) => {
		const exchange = { request, reply }
		const { providerId, ...page } = request.query
		return unlessKnown(exchange, providerId, async scope => {
			const isPaged = page.limit !== undefined || page.cursor !== undefined
			const nodes = isPaged
				? itemsOf(await inventory.nodes(scope, { providerId }, pageIn(page)), exchange)
				: await allNodes(scope, providerId)
			return nodes.map(recordView)
		})
	})
	const byInstance = { summary: 'Lists the node configs of one VM.', params: ByInstance, querystring: InstanceQuery }
	api.get(`${NODE_CONFIGS}/by-instance/:instanceId`, { schema: { ...byInstance, response: { 200: records } } }, (request, reply) => {
		const { instanceId } = request.params
		return unlessKnown({ request, reply }, request.query.providerId, async scope => {
			const found = await inventory.nodesOfInstance(scope, instanceId)
			if (found.length > 0) return found.map(recordView)
			throw new Failure<ApiCode>('INSTANCE_UNKNOWN', `the inventory has no node config of VM ${instanceId}`)
		})
	})

	/** Reads all pages, because a client of the Go operator sends no `limit` and does not follow `Link`. */
	async function allNodes(scope: Scope, providerId: string): Promise<NodeRecord[]> {
		const nodes: NodeRecord[] = []
		let cursor: string | undefined
		do {
			const page = await inventory.nodes(scope, { providerId }, { limit: LIMIT_MAX, cursor })
			for (const node of page.items) nodes.push(node)
			cursor = page.next
		} while (cursor !== undefined)
		return nodes
	}
}
