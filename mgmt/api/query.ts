import * as z from 'zod'
import { InventoryState } from '../../contract/inventory-api.ts'
import { CHANGE_CURSOR, NODE_CURSOR } from '../inventory/cursor.ts'

/**
 * The parameters of requests. A parameter that is not known is an error, because a misspelled filter would return more than was asked for.
 */

/** Maximum number of items of a page. */
export const LIMIT_MAX = 1_000
/** Maximum number of hits of a search. */
export const HITS_MAX = 20

const text = z.string().min(1).max(253)

const limit = {
	limit: z
		.string()
		.regex(/^([1-9]\d{0,2}|1000)$/, `must be a number from 1 to ${LIMIT_MAX}`)
		.transform(Number)
		.optional()
		.describe(`Number of items in the response, 1 to ${LIMIT_MAX}; default 100`),
}

const cursorOf = (form: RegExp) =>
	z
		.string()
		.regex(form, 'must be a cursor from the header Link of a page')
		.optional()
		.describe('Continues after a page: from its header Link')
const nodePage = { ...limit, cursor: cursorOf(NODE_CURSOR) }

const providerId = text.optional().describe('Only this biz cluster')

export const NodesQuery = z.strictObject({
	...nodePage,
	providerId,
	nodeName: text.toLowerCase().optional(),
	instanceId: text.optional().describe('Only the node of this VM'),
	state: InventoryState.optional().describe('Removed nodes are returned only with Removed'),
	subnetId: text.optional().describe('Only nodes with a NIC in this subnet'),
	changedSince: z.iso
		.datetime({ offset: true, error: 'must be a time such as 2026-12-01T12:00:00Z' })
		.transform(time => Date.parse(time))
		.optional()
		.describe('Only nodes that changed at this time or later'),
	q: text.optional().describe('Only nodes with this in a name, id, MAC or address'),
})
export type NodesQuery = z.infer<typeof NodesQuery>

export const NodeQuery = z.strictObject({ providerId })
export const HistoryQuery = z.strictObject({ ...limit, cursor: cursorOf(CHANGE_CURSOR), providerId })
export const SearchQuery = z.strictObject({ q: text.describe('Part of a name, id, MAC or address') })
export const NoQuery = z.strictObject({})
/** The Go operator rejects a request without a provider. */
export const ProviderQuery = z.strictObject({
	...nodePage,
	limit: limit.limit.describe(`Number of records in the response, 1 to ${LIMIT_MAX}; without it, all of them`),
	providerId: text.describe('The biz cluster'),
})
export const InstanceQuery = z.strictObject({ providerId })

export const ByNode = z.object({ nodeName: text.toLowerCase() })
export const ByPort = z.object({ portId: text })
export const ByInstance = z.object({ instanceId: text })

/** Number of items of a page without `limit`. */
export const LIMIT_DEFAULT = 100

/** Returns the path and query of the next page. */
export function nextPage(url: string, cursor: string): string {
	const [path = '', query] = url.split('?')
	const parameters = new URLSearchParams(query)
	parameters.set('cursor', cursor)
	return `${path}?${parameters}`
}
