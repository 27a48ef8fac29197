/** The error codes for rejecting a whole request, and their HTTP status, in addition to those of every server. */
export const failures = {
	BAD_REQUEST: 400,
	UNKNOWN_PROVIDER: 404,
	UNKNOWN_NODE: 404,
	CLUSTER_UNREACHABLE: 503,
	/** The node configs of the cluster have not been read yet. */
	CLUSTER_NOT_SYNCED: 503,
	/** A node config that is being deleted cannot be changed. */
	TERMINATING: 503,
	/** Other clients keep changing the node config. */
	CONFLICT: 503,
	/** The request as a whole timed out. */
	DEADLINE: 503,
	/** The client, or all clients, have as many event streams open as allowed. */
	TOO_MANY_STREAMS: 503,
} as const
export type ViolaCode = keyof typeof failures
