import type { NodeConfigRequest } from '../../contract/viola-api.ts'
import type { Failure } from '../../runtime/errors.ts'
import { briefly, type MgmtReason } from '../model/failures.ts'

/** Maximum number of nodes in one POST, so that viola finishes it within its deadline. */
export const BATCH_MAX = 200

/** `retryAfterMs`: how long viola asked to wait before the next request. */
export type Sent = { applied: string[]; errors: { nodeName: string; message: string }[]; retryAfterMs?: number }

/** A batch that was processed, or one that failed as a whole. */
export type Part = Sent | { nodes: readonly NodeConfigRequest[]; failure: Failure<MgmtReason> }

/** Divides nodes into the batches of one POST each. */
export function inBatches(nodes: readonly NodeConfigRequest[]): NodeConfigRequest[][] {
	const starts = Array.from({ length: Math.ceil(nodes.length / BATCH_MAX) }, (_, at) => at * BATCH_MAX)
	return starts.map(start => nodes.slice(start, start + BATCH_MAX))
}

/**
 * Combines the results of all batches. The nodes of a batch that failed as a whole are errors, so that the results of the other batches are
 * kept.
 *
 * @throws Failure of the first batch if viola processed no batch
 */
export function merged(parts: readonly Part[]): Sent {
	const failed = parts.filter(part => 'failure' in part)
	const [first] = failed
	if (first && failed.length === parts.length) throw first.failure
	const done = parts.filter(part => 'applied' in part)
	const lost = failed.flatMap(({ nodes, failure }) => nodes.map(({ nodeName }) => ({ nodeName, message: briefly(failure) })))
	const retryAfterMs = Math.max(0, ...failed.map(({ failure }) => retryAfterOf(failure)))
	return {
		applied: done.flatMap(({ applied }) => applied),
		errors: [...done.flatMap(({ errors }) => errors), ...lost],
		...(retryAfterMs > 0 && { retryAfterMs }),
	}
}

/** Returns the failure of a batch because of which no further batch is sent. */
export function pauseAfter(parts: readonly Part[]): Failure<MgmtReason> | undefined {
	return parts.flatMap(part => ('failure' in part ? part.failure : [])).find(endsCalls)
}

/**
 * Whether further calls are useless for now: viola asked to wait, cannot be reached, or the reconcile was canceled. Any other failure may be
 * specific to its call.
 */
export function endsCalls(failure: Failure): boolean {
	const cause = failure.facts.cause ?? failure.code
	return retryAfterOf(failure) > 0 || cause === 'UNREACHABLE' || cause === 'STOPPED'
}

/** Returns how long the remote system asked to wait, in milliseconds; 0 if it did not. */
export function retryAfterOf({ facts }: Failure): number {
	return typeof facts.retryAfterMs === 'number' ? facts.retryAfterMs : 0
}
