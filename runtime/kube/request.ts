export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Options of every call. */
export type CallOptions = {
	signal?: AbortSignal
	/** Time limit of one try in milliseconds; 0: none. Default: the transport's. */
	timeoutMs?: number
	/** Waits for no other call: it has a separate connection. For calls the process depends on, such as those for its lease. */
	urgent?: boolean
}

export type Request = CallOptions & {
	method: Method
	/** Absolute on the server: `/api/v1/nodes/a`. */
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
	/** Called immediately before each try; if it returns false, the call fails with STOPPED. */
	mayBegin?: () => boolean
}

/** One finished try, for metrics. Contains no names from the path. */
export type Call = {
	verb: string
	method: Method
	host: string
	code: string
	/** Time until the response began. */
	seconds: number
	/** How long the try waited before it could begin, in seconds. */
	waited: number
	/** Whether it repeats the same request. */
	isRetry: boolean
}

/** A response that is read as a stream. */
export type Stream = { contentType: string; bytes: AsyncIterable<Uint8Array> }
