import { Failure } from '../runtime/errors.ts'

/** What a command can end with of its own, besides what the API server says. */
export type CliCode =
	| 'NO_FLEET'
	| 'NO_NODE'
	| 'NO_RUN'
	| 'NOT_ANSWERED'
	| 'NOT_WRITTEN'
	/** What was typed cannot be meant. */
	| 'USAGE'

/** An expected end of a command, in one sentence. */
export function failure(code: CliCode, message: string, cause?: unknown): Failure<CliCode> {
	return new Failure(code, message, { cause })
}
