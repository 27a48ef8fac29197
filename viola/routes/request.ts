import type { FastifyRequest } from 'fastify'
import * as z from 'zod'
import { SentNodeName } from '../../contract/primitives.ts'
import { rejected } from '../../runtime/http-errors.ts'

export type ByNode = { Params: { nodeName: string } }

/** The query of a route without parameters. */
export const NoQuery = z.strictObject({})

/** @throws Failure BAD_REQUEST for an unknown or invalid query parameter */
export function queryOf<T>({ query }: FastifyRequest<ByNode> | FastifyRequest, schema: z.ZodType<T>): T {
	const parsed = schema.safeParse(query)
	if (parsed.success) return parsed.data
	throw rejected(parsed.error, { whole: 'the query' })
}

/** Returns the node name in the path. @throws Failure BAD_REQUEST if no node can have it */
export function nodeIn({ params }: FastifyRequest<ByNode>): string {
	const parsed = SentNodeName.safeParse(params.nodeName)
	if (parsed.success) return parsed.data
	throw rejected(parsed.error, { whole: 'the last part of the path' })
}
