import * as z from 'zod'
import type { NodeError } from '../../contract/viola-api.ts'
import { parseBounded } from '../../runtime/bounded-json.ts'
import { rejected, rejectedWhole } from '../../runtime/http-errors.ts'
import { type Wanted, wantedOf } from '../model/wanted.ts'
import { onlyOnce, readNode } from './read-nodes.ts'

/** Maximum size of a body (bytes): 1,000 nodes with ten interfaces each take 1.5 MiB. */
export const BODY_LIMIT = 4 << 20

/** Limits of a body, above those of any legitimate request. */
const BOUNDS = { bytes: BODY_LIMIT, depth: 16, values: 500_000 }

/** Maximum number of nodes in a request. */
export const NODES_MAX = 5_000

/** Number of nodes that are parsed before other requests are processed. */
const NODES_A_TURN = 25

const shape = 'the body must be a list of at least one node config: [{ nodeName, instanceId, interfaces }]'
const Body = z
	.array(z.unknown(), shape)
	.min(1, shape)
	.max(NODES_MAX, { error: ({ input }) => `the body has ${(input as unknown[]).length} node configs, at most ${NODES_MAX} are allowed` })

/**
 * Reads the body of a POST. A large one takes tens of milliseconds, so other requests are served in between.
 *
 * @param place the cluster and namespace of the request
 * @returns the desired state of each node, or why the node is rejected, in the order of the body
 * @throws Failure BAD_REQUEST if the body is not a list of 1 to 5,000 nodes; facts: `{ faults: [{ path, message }] }`
 */
export async function readBody(text: unknown, place: Readonly<{ namespace: string; providerId: string }>): Promise<(Wanted | NodeError)[]> {
	const entries = readList(typeof text === 'string' ? text : '')
	const nodes: (Wanted | NodeError)[] = []
	for (const [position, entry] of entries.entries()) {
		if (position > 0 && position % NODES_A_TURN === 0) await new Promise(resolve => setImmediate(resolve))
		const node = readNode(entry, position)
		nodes.push('code' in node ? node : wantedOf(node, place))
	}
	return onlyOnce(nodes)
}

function readList(text: string): unknown[] {
	if (text === '') throw rejectedWhole(shape)
	const json = parseBounded(text, BOUNDS)
	if ('fault' in json) throw rejectedWhole(`the body cannot be read: ${json.fault}`)
	const parsed = Body.safeParse(json.value)
	if (!parsed.success) throw rejected(parsed.error)
	return parsed.data
}
