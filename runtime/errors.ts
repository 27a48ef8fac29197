/** What a Failure may carry beside its words. */
export type FailureOptions = {
	/** Whether doing the same again later may succeed. Default: false. */
	retry?: boolean
	/** What a person needs to see. It reaches logs and status: never a secret. */
	facts?: Readonly<Record<string, unknown>>
	cause?: unknown
}

/**
 * An expected failure: a closed `code` for programs, a sentence for people. Anything else that is thrown is a bug.
 *
 * Each room owns its list of codes (`type Code = 'A' | 'B'`, `new Failure<Code>(…)`).
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

/** Whether `error` is an expected failure and, where codes are given, one of those. */
export function isFailure<Code extends string = string>(error: unknown, ...codes: readonly Code[]): error is Failure<Code> {
	return error instanceof Failure && (codes.length === 0 || codes.some(code => code === error.code))
}

/** The words of anything that was thrown, with those of its causes: `a: b: c`, none said twice. */
export function wordsOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error)
	const own = error.message || codeOf(error) || error.name
	if (error.cause === undefined) return own
	const cause = wordsOf(error.cause)
	return own.includes(cause) ? own : `${own}: ${cause}`
}

/** The `code` of a system error (`ECONNRESET`) or of a Failure, else an empty string. */
export function codeOf(error: unknown): string {
	return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
