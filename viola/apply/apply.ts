import type { NodeConfigsResponse, NodeError, NodeResult } from '../../contract/viola-api.ts'
import { deadline } from '../../runtime/clock.ts'
import { isFailure } from '../../runtime/errors.ts'
import { inParallel } from '../../runtime/in-parallel.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Wanted } from '../model/wanted.ts'
import { type By, logChange } from './audit.ts'
import { nodeError, statusFor } from './node-errors.ts'
import { upsert } from './upsert.ts'

type Answer = { status: 200 | 422 | 503; body: NodeConfigsResponse }

/** Number of node configs that one request writes concurrently; the API server of the biz cluster also serves other clients. */
const AT_ONCE = 8

export type ApplyHow = {
	by: By
	log: Log
	/** Returns what would be done, as the API server validates it, and writes nothing. */
	dryRun: boolean
	/** Remaining time for the request, in milliseconds. */
	withinMs: number
	/** Aborted when the client has disconnected: no further node config is applied, because the client sends the desired state again. */
	gone: AbortSignal
}

/**
 * Applies the node configs of one POST. Each node is independent, so that one that fails never affects the others.
 *
 * @returns 200 if every node was applied; otherwise 503 if at least one of the failed nodes may be applied later, or 422 if sending them
 *   again unchanged cannot succeed
 */
export async function applyNodes(cluster: Cluster, nodes: readonly (Wanted | NodeError)[], how: ApplyHow): Promise<Answer> {
	const limit = deadline(Math.max(1, how.withinMs))
	const isLate = new Promise<void>(resolve => limit.signal.addEventListener('abort', () => resolve()))
	const apply = (node: Wanted) => Promise.race([applyOne(cluster, node, { ...how, late: limit.signal }), isLate.then(() => late(node))])
	try {
		const outcomes = await inParallel(nodes, AT_ONCE, node => ('code' in node ? node : apply(node)))
		const errors = outcomes.filter(outcome => 'code' in outcome)
		const results = outcomes.filter(outcome => 'status' in outcome)
		const body = { applied: results.length, results, errors, ...(how.dryRun && { dryRun: true as const }) }
		return { status: statusFor(errors), body }
	} finally {
		limit.clear()
	}
}

type OneHow = ApplyHow & { late: AbortSignal }

async function applyOne(
	cluster: Cluster,
	wanted: Wanted,
	{ by, log, dryRun, gone, late: signal }: OneHow,
): Promise<NodeResult | NodeError> {
	const { nodeName } = wanted
	if (gone.aborted) return { nodeName, code: 'NotBegun', message: 'the request was canceled before this node was processed' }
	if (signal.aborted) return late(wanted)
	const failure = cluster.unavailable()
	if (failure) return nodeError(nodeName, failure)
	try {
		const applied = await upsert(cluster, wanted, { dryRun, signal })
		if (!dryRun) logChange(log, wanted, { by, providerId: cluster.providerId, applied })
		return { nodeName, status: applied.status, generation: 'after' in applied ? applied.after.generation : applied.generation }
	} catch (error) {
		if (!isFailure(error)) throw error
		return nodeError(nodeName, error)
	}
}

function late({ nodeName }: Wanted): NodeError {
	return { nodeName, code: 'Deadline', message: `the request timed out before ${nodeName} was finished; send it again` }
}
