import * as z from 'zod'
import { NodeName, SentNodeName } from '../../contract/primitives.ts'

/** Maximum number of node configs of a page, and of node names of a request. */
const LIMIT_MAX = 1_000
const NAMES_MAX = 200

const Limit = z
	.string()
	.regex(/^([1-9]\d{0,2}|1000)$/, `must be a number from 1 to ${LIMIT_MAX}`)
	.transform(Number)

/** The name of the last node of a page. It stays valid when node configs are added or deleted, even that one. */
const Cursor = NodeName

const NodeNames = z.preprocess(value => (typeof value === 'string' ? [value] : value), z.array(SentNodeName).min(1).max(NAMES_MAX))

/** The parameters of a GET of the list. A parameter that is not known is an error, because ignoring a misspelled filter returns too much. */
export const ListQuery = z.strictObject({
	limit: Limit.optional().describe(`Number of node configs in the response, 1 to ${LIMIT_MAX}; without it, all of them`),
	cursor: Cursor.optional().describe('Continues after a page: from its header Link'),
	nodeName: NodeNames.optional().describe(`Only these nodes; repeated for several, at most ${NAMES_MAX}`),
})
export type ListQuery = z.infer<typeof ListQuery>

/** The parameters of a stream. */
export const StreamQuery = z.strictObject({ nodeName: NodeNames.optional() })
export type StreamQuery = z.infer<typeof StreamQuery>

/** Returns the query string of the next page. */
export function nextQuery({ limit, nodeName = [] }: ListQuery, cursor: string): string {
	const parameters = new URLSearchParams(nodeName.map((name): [string, string] => ['nodeName', name]))
	parameters.set('limit', String(limit ?? LIMIT_MAX))
	parameters.set('cursor', cursor)
	return String(parameters)
}
