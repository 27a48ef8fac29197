import type { FastifyRequest } from 'fastify'
import * as z from 'zod'
import { NodeName } from '../../contract/primitives.ts'
import { Failure } from '../../runtime/errors.ts'
import { faultList, faultsIn } from '../../runtime/faults.ts'
import type { ViolaCode } from '../model/failures.ts'

export type ByNode = { Params: { nodeName: string } }

/** The query of a route without parameters. */
export const NoQuery = z.strictObject({})

/** @throws Failure BAD_REQUEST for an unknown or invalid query parameter */
export function queryOf<T>({ query }: FastifyRequest<ByNode> | FastifyRequest, schema: z.ZodType<T>): T {
	const parsed = schema.safeParse(query)
	if (parsed.success) return parsed.data
	throw new Failure<ViolaCode>('BAD_REQUEST', faultsIn(parsed.error, { whole: 'the query' }), {
		facts: { faults: faultList(parsed.error) },
	})
}

/** Returns the node name in the path. @throws Failure BAD_REQUEST if no node can have it */
export function nodeIn({ params }: FastifyRequest<ByNode>): string {
	const parsed = NodeName.safeParse(params.nodeName.toLowerCase())
	if (parsed.success) return parsed.data
	throw new Failure<ViolaCode>('BAD_REQUEST', faultsIn(parsed.error, { whole: 'the last part of the path' }))
}
