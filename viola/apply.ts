import { faultsIn } from '../runtime/faults.ts'
import { NodeConfigRequest, type NodeConfigsResponse, type NodeError, type NodeResult } from '../contract/viola-api.ts'
import { Failure, isFailure, wordsOf } from '../runtime/errors.ts'
import { inParallel } from '../runtime/in-parallel.ts'
import { isKubeFailure } from '../runtime/kube/index.ts'
import type { Cluster } from './cluster.ts'
import type { ViolaCode } from './failures.ts'

type Answer = { status: 200 | 422 | 503; body: NodeConfigsResponse }

/** Error codes of failures that sending the node again cannot fix; every other failure may be temporary. */
const lasting: ReadonlySet<string> = new Set(['Invalid', 'Duplicate', 'Refused'])

/** Maximum number of nodes in a request: the largest body has room for about this many nodes with ten interfaces each. */
const NODES_MAX = 5_000

/** Number of node configs that are written concurrently; the API server of the biz cluster also serves other clients. */
const AT_ONCE = 8

/**
 * Applies the node configs of one POST. Each node is independent, so that an invalid one never affects the others.
 *
 * @param gone when it is aborted, no further node config is applied: the client has disconnected, and will send the desired state again
 * @returns 200 if every node was applied; otherwise 503 if at least one of the failed nodes may be applied later, or 422 if none of them
 *   can be applied unchanged
 * @throws Failure BAD_REQUEST if the body is not a list of 1 to 5,000 nodes
 */
export async function applyNodeConfigs(cluster: Cluster, body: unknown, gone: AbortSignal): Promise<Answer> {
	if (!Array.isArray(body) || body.length === 0)
		throw new Failure<ViolaCode>(
			'BAD_REQUEST',
			'the body must be a list of at least one node config: [{ nodeName, instanceId, interfaces }]',
		)
	if (body.length > NODES_MAX)
		throw new Failure<ViolaCode>('BAD_REQUEST', `the body has ${body.length} node configs, at most ${NODES_MAX} are allowed`)
	const read = onlyOnce(body.map(readNode))
	const apply = (node: NodeConfigRequest) => (gone.aborted ? notBegun(node) : applyOne(cluster, node))
	const outcomes = await inParallel(read, AT_ONCE, node => ('code' in node ? node : apply(node)))
	const errors = outcomes.filter(outcome => 'code' in outcome)
	const results = outcomes.filter(outcome => 'status' in outcome)
	return { status: statusOf(errors), body: { applied: results.length, results, errors } }
}

function statusOf(errors: readonly NodeError[]): Answer['status'] {
	if (errors.length === 0) return 200
	return errors.every(({ code }) => lasting.has(code)) ? 422 : 503
}

/** Maximum length of an invalid name that a response repeats (characters). */
const NAME_MAX = 253

function readNode(entry: unknown, position: number): NodeConfigRequest | NodeError {
	const parsed = NodeConfigRequest.safeParse(entry)
	if (parsed.success) return parsed.data
	const named = typeof entry === 'object' && entry !== null && 'nodeName' in entry && typeof entry.nodeName === 'string'
	return {
		nodeName: named ? String(entry.nodeName).slice(0, NAME_MAX) : `[${position}]`,
		code: 'Invalid',
		message: faultsIn(parsed.error),
	}
}

/** Rejects every entry of a node that occurs more than once, because it is ambiguous which one applies. */
function onlyOnce(nodes: readonly (NodeConfigRequest | NodeError)[]): (NodeConfigRequest | NodeError)[] {
	const count = Map.groupBy(nodes, ({ nodeName }) => nodeName.toLowerCase())
	return nodes.map(node => {
		if ('code' in node || count.get(node.nodeName)?.length === 1) return node
		return { nodeName: node.nodeName, code: 'Duplicate', message: `the request contains ${node.nodeName} more than once` }
	})
}

function notBegun({ nodeName }: NodeConfigRequest): NodeError {
	return { nodeName, code: 'NotBegun', message: 'the request was canceled before this node was processed' }
}

async function applyOne(cluster: Cluster, node: NodeConfigRequest): Promise<NodeResult | NodeError> {
	try {
		return await cluster.upsert(node)
	} catch (error) {
		if (!isFailure(error)) throw error
		return { nodeName: node.nodeName, code: codeFor(error), message: wordsOf(error) }
	}
}

/** Returns the code of an error in the response. */
function codeFor(error: Failure): string {
	if (isKubeFailure(error, 'INVALID', 'BAD_REQUEST')) return 'Refused'
	if (isKubeFailure(error, 'FORBIDDEN', 'UNAUTHORIZED')) return 'NotAllowed'
	if (isKubeFailure(error, 'NOT_FOUND')) return 'ClusterNotReady' // its CRD or its namespace is missing
	if (isKubeFailure(error, 'UNREACHABLE', 'TIMED_OUT', 'SERVER_ERROR', 'TOO_MANY_REQUESTS')) return 'ClusterUnreachable'
	return error.code
}
