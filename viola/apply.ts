import { faultsIn } from '../runtime/faults.ts'
import { NodeConfigRequest, type NodeConfigsResponse, type NodeError, type NodeResult } from '../contract/viola-api.ts'
import { Failure, isFailure, wordsOf } from '../runtime/errors.ts'
import { isKubeFailure } from '../runtime/kube/failures.ts'
import type { Cluster } from './cluster.ts'
import type { ViolaCode } from './failures.ts'

type Answer = { status: 200 | 422 | 503; body: NodeConfigsResponse }

/** Errors of a node that sending it again cannot heal; every other one may heal by itself. */
const lasting: ReadonlySet<string> = new Set(['Invalid', 'Duplicate', 'Refused'])

/** So many nodes of ten interfaces fill the largest body. */
const NODES_MAX = 5_000

/** Node configs written at once; the API server of the biz cluster has others to serve too. */
const AT_ONCE = 8

/**
 * The story of one POST: every node stands alone, so that a bad one never spoils the others.
 *
 * @param gone no further node is begun: its sender has given up, and sends what is wanted by then in another request
 * @returns 200 when every node was applied; else 503 when at least one may be applied later, 422 when none can be as it is
 * @throws Failure BAD_REQUEST when the body is not a list of 1 to 5,000 nodes
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
	const outcomes = await inParallel(read, node => ('code' in node ? node : apply(node)))
	const errors = outcomes.filter(outcome => 'code' in outcome)
	const results = outcomes.filter(outcome => 'status' in outcome)
	return { status: statusOf(errors), body: { applied: results.length, results, errors } }
}

function statusOf(errors: readonly NodeError[]): Answer['status'] {
	if (errors.length === 0) return 200
	return errors.every(({ code }) => lasting.has(code)) ? 422 : 503
}

/** As much of a name that is none as an answer repeats (characters). */
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

/** A node named twice has no one truth: neither is applied. */
function onlyOnce(nodes: readonly (NodeConfigRequest | NodeError)[]): (NodeConfigRequest | NodeError)[] {
	const count = Map.groupBy(nodes, ({ nodeName }) => nodeName.toLowerCase())
	return nodes.map(node => {
		if ('code' in node || count.get(node.nodeName)?.length === 1) return node
		return { nodeName: node.nodeName, code: 'Duplicate', message: `the request has ${node.nodeName} more than once` }
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

/** What an error is called in the answer. */
function codeFor(error: Failure): string {
	if (isKubeFailure(error, 'INVALID', 'BAD_REQUEST')) return 'Refused'
	if (isKubeFailure(error, 'FORBIDDEN', 'UNAUTHORIZED')) return 'NotAllowed'
	if (isKubeFailure(error, 'NOT_FOUND')) return 'ClusterNotReady' // its CRD or its namespace is missing
	if (isKubeFailure(error, 'UNREACHABLE', 'TIMED_OUT', 'SERVER_ERROR', 'TOO_MANY_REQUESTS')) return 'ClusterUnreachable'
	return error.code
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => R | Promise<R>): Promise<R[]> {
	const results: R[] = []
	const entries = items.entries()
	const worker = async () => {
		for (const [position, item] of entries) results[position] = await work(item)
	}
	await Promise.all(Array.from({ length: AT_ONCE }, worker))
	return results
}
