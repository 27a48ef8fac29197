/** Options of a Failure in addition to its code and message. */
export type FailureOptions = {
	/** Whether a later retry of the same call may succeed. Default: false. */
	retry?: boolean
	/** Details for the operator. They are written to logs and statuses, so they must not contain a secret. */
	facts?: Readonly<Record<string, unknown>>
	cause?: unknown
}

/**
 * An expected failure: a `code` from a fixed list for programs, a sentence for people. Anything else that is thrown is a bug.
 *
 * Each room has its own list of codes (`type Code = 'A' | 'B'`, `new Failure<Code>(…)`).
 */
export class Failure<Code extends string = string> extends Error {
	override readonly name = 'Failure'
	readonly code: Code
	readonly retry: boolean
	readonly facts: Readonly<Record<string, unknown>>

	constructor(code: Code, message: string, options: FailureOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.code = code
		this.retry = options.retry ?? false
		this.facts = options.facts ?? {}
	}
}

/** Returns whether `error` is an expected failure and, if codes are given, has one of them. */
export function isFailure<Code extends string = string>(error: unknown, ...codes: readonly Code[]): error is Failure<Code> {
	return error instanceof Failure && (codes.length === 0 || codes.some(code => code === error.code))
}

/** Returns the message of a thrown value, followed by the messages of its causes: `a: b: c`, without repetition. */
export function wordsOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error)
	const own = error.message || codeOf(error) || error.name
	if (error.cause === undefined) return own
	const cause = wordsOf(error.cause)
	return own.includes(cause) ? own : `${own}: ${cause}`
}

/** Returns the `code` of a system error (`ECONNRESET`) or of a Failure, else an empty string. */
export function codeOf(error: unknown): string {
	return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
