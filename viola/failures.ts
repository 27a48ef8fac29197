/** The error codes for rejecting a whole request, and their HTTP status, in addition to those of every server. */
export const failures = {
	BAD_REQUEST: 400,
	UNKNOWN_PROVIDER: 404,
	UNKNOWN_NODE: 404,
	CLUSTER_UNREACHABLE: 503,
} as const
export type ViolaCode = keyof typeof failures
