import * as z from 'zod'
import { InventoryState } from '../../contract/inventory-api.ts'

/** The parameters of requests. An unknown parameter is an error, because a misspelled filter would return more than was requested. */

const LIMIT_MAX = 1_000
/** Maximum number of hits of a search. */
export const HITS_MAX = 20

const text = z.string().min(1).max(253)

const page = {
	limit: z
		.string()
		.regex(/^[1-9]\d{0,3}$/, `must be a number from 1 to ${LIMIT_MAX}`)
		.transform(Number)
		.pipe(z.int().max(LIMIT_MAX, `must be a number from 1 to ${LIMIT_MAX}`))
		.optional()
		.describe(`Number of items in the response, 1 to ${LIMIT_MAX}; default 100`),
	cursor: z.string().min(1).max(1_024).optional().describe('Continues after a page; the value is in the header Link of that page'),
}

const providerId = text.optional().describe('Only this biz cluster')

export const NodesQuery = z.strictObject({
	...page,
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
	q: text.optional().describe('Only nodes with this text in a name, id, MAC or address'),
})
export type NodesQuery = z.infer<typeof NodesQuery>

export const NodeQuery = z.strictObject({ providerId })
export const HistoryQuery = z.strictObject({ ...page, providerId })
export const SearchQuery = z.strictObject({ q: text.describe('Part of a name, id, MAC or address') })
export const NoQuery = z.strictObject({})
/** The Go operator rejects a request without a provider. */
export const ProviderQuery = z.strictObject({ ...page, providerId: text.describe('The biz cluster') })
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
