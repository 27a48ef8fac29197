export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Options of every call. */
export type CallOptions = {
	signal?: AbortSignal
	/** Time limit of one attempt in milliseconds; 0: none. Default: the limit of the transport. */
	timeoutMs?: number
	/** Uses a separate connection and does not wait for other calls. For calls that the process depends on, such as those for its lease. */
	urgent?: boolean
}

export type Request = CallOptions & {
	method: Method
	/** Absolute path on the server: `/api/v1/nodes/a`. */
	path: string
	query?: Readonly<Record<string, string | number | boolean | undefined>>
	/** Sent as JSON. */
	body?: unknown
	/** Default: application/json. */
	contentType?: string
	/** Accept header: the media types of the response, preferred first. Default: application/json. */
	accept?: string | undefined
	/** Name in the request counts. Default: the method in lower case. */
	verb?: string
	/** Called immediately before each attempt; if it returns false, the call fails with STOPPED. */
	mayBegin?: () => boolean
}

/** One finished attempt, for metrics. It contains no names from the path. */
export type Call = {
	verb: string
	method: Method
	host: string
	code: string
	/** Time until the response began, in seconds. */
	seconds: number
	/** How long the attempt waited before it began, in seconds. */
	waited: number
	/** Whether this attempt repeats an earlier attempt of the same request. */
	isRetry: boolean
}

/** A response that is read as a stream. */
export type Stream = { contentType: string; bytes: AsyncIterable<Uint8Array> }
