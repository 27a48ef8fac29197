import { Failure } from '../../runtime/errors.ts'

/** The codes of a command's own errors, in addition to those of the API server. */
export type CliCode =
	| 'NO_FLEET'
	| 'NO_NODE'
	| 'NO_RUN'
	| 'NOT_ANSWERED'
	| 'NOT_WRITTEN'
	/** The command line is invalid. */
	| 'USAGE'

/** Creates an expected error of a command; the message is one sentence. */
export function failure(code: CliCode, message: string, cause?: unknown): Failure<CliCode> {
	return new Failure(code, message, { cause })
}
