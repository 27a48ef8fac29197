import type { Reason } from '../contract/reasons.ts'
import { Failure } from '../runtime/errors.ts'

export { isFailure, wordsOf } from '../runtime/errors.ts'

/** Everything that is expected to go wrong in a run. */
export type Code =
	| 'BAD_INPUT'
	| 'COMMAND_FAILED'
	| 'NOT_VERIFIED'
	| 'ADDRESS_IN_USE'
	| 'CONNECTIVITY_LOST'
	| 'FOREIGN_CHANGED'
	| 'NOT_ARMED'
	| 'EXPIRED'
	| 'UNKNOWN_BACKEND'
	| 'BAD_RECORD'
	| 'LOCKED'
	| 'API_REFUSED'

/** @returns an expected failure of the run; `id`, where given, is the one interface that caused it */
export function failure(code: Code, message: string, facts: { id?: number | undefined; cause?: unknown } = {}): Failure<Code> {
	const { cause, ...rest } = facts
	return new Failure<Code>(code, message, { facts: rest, ...(cause === undefined ? {} : { cause }) })
}

/** @returns the interface that a failure blames, or undefined when the run as a whole failed */
export function blamed(error: Failure): number | undefined {
	return typeof error.facts.id === 'number' ? error.facts.id : undefined
}

/** @returns what a status calls this failure */
export function reasonOf(code: Code): Reason {
	return reasons[code]
}

const reasons: Record<Code, Reason> = {
	BAD_INPUT: 'InvalidConfig',
	COMMAND_FAILED: 'CommandFailed',
	NOT_VERIFIED: 'NotVerified',
	ADDRESS_IN_USE: 'AddressInUse',
	CONNECTIVITY_LOST: 'ConnectivityLost',
	FOREIGN_CHANGED: 'ForeignChanged',
	NOT_ARMED: 'CommandFailed',
	EXPIRED: 'RolledBack',
	UNKNOWN_BACKEND: 'UnknownBackend',
	BAD_RECORD: 'RunFailed',
	LOCKED: 'RunFailed',
	API_REFUSED: 'RunFailed',
}
