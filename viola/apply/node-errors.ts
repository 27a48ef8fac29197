import type { NodeError } from '../../contract/viola-api.ts'
import { type Failure, wordsOf } from '../../runtime/errors.ts'

/** Error codes that are not retryable: sending the node again unchanged cannot succeed. Every other failure may be temporary. */
const lasting: ReadonlySet<string> = new Set(['Invalid', 'Duplicate', 'Refused'])

/** Returns the status of a POST: 200 if every node was applied, 503 if at least one error is retryable, and 422 otherwise. */
export function statusFor(errors: readonly NodeError[]): 200 | 422 | 503 {
	if (errors.length === 0) return 200
	return errors.every(({ code }) => lasting.has(code)) ? 422 : 503
}

/** Returns the error of a node in the response. */
export function nodeError(nodeName: string, failure: Failure): NodeError {
	return { nodeName, code: codes[failure.code] ?? failure.code, message: wordsOf(failure) }
}

const codes: Readonly<Record<string, string>> = {
	INVALID: 'Refused',
	BAD_REQUEST: 'Refused',
	FORBIDDEN: 'NotAllowed',
	UNAUTHORIZED: 'NotAllowed',
	NOT_FOUND: 'ClusterNotReady', // its CRD or its namespace is missing
	CLUSTER_NOT_SYNCED: 'ClusterNotSynced',
	CLUSTER_UNREACHABLE: 'ClusterUnreachable',
	UNREACHABLE: 'ClusterUnreachable',
	TIMED_OUT: 'ClusterUnreachable',
	SERVER_ERROR: 'ClusterUnreachable',
	TOO_MANY_REQUESTS: 'ClusterUnreachable',
	TERMINATING: 'Terminating',
	CONFLICT: 'Conflict',
	DEADLINE: 'Deadline',
	STOPPED: 'Deadline', // only the deadline cancels a request
}
