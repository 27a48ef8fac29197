import type { Reason } from '../../contract/reasons.ts'
import { Failure } from '../../runtime/errors.ts'

export { isFailure, wordsOf } from '../../runtime/errors.ts'

/** Every expected failure of a run. */
export type Code =
	| 'BAD_INPUT'
	| 'COMMAND_FAILED'
	| 'NOT_VERIFIED'
	| 'ADDRESS_IN_USE'
	| 'CONNECTIVITY_LOST'
	| 'ROUTED_ELSEWHERE'
	| 'FOREIGN_CHANGED'
	/** An object not managed by MultiNIC has disappeared, and the run cannot have removed it. */
	| 'LOST_BY_OTHERS'
	| 'NOT_ARMED'
	| 'EXPIRED'
	| 'UNKNOWN_BACKEND'
	| 'BAD_RECORD'
	| 'LOCKED'
	| 'API_REFUSED'

/** The failure of one interface. */
export type Blame = { id: number; message: string }

/**
 * @returns an expected failure of the run; `id`, if set, is the one interface that caused it, `blames` lists several, `hops` are addresses
 * that no longer answer, `lost` are keys of state not managed by MultiNIC; `ofHost`: the run would also fail with fewer changes
 */
export function failure(
	code: Code,
	message: string,
	facts: {
		id?: number | undefined
		blames?: readonly Blame[]
		hops?: readonly string[]
		lost?: readonly string[]
		ofHost?: true
		cause?: unknown
	} = {},
): Failure<Code> {
	const { cause, ...rest } = facts
	return new Failure<Code>(code, message, { facts: rest, ...(cause === undefined ? {} : { cause }) })
}

/**
 * @returns a failure that several interfaces may have caused; the messages about one interface form one sentence; `lost` as in `failure`
 */
export function blaming(code: Code, blames: readonly Blame[], lost: readonly string[] = []): Failure<Code> {
	const ids = [...new Set(blames.map(({ id }) => id))]
	const words = (id: number) => blames.flatMap(blame => (blame.id === id ? [blame.message] : [])).join('; ')
	return failure(code, ids.map(words).join('; '), { blames: ids.map(id => ({ id, message: words(id) })), lost })
}

/** @returns the interfaces that a failure blames, each with its message; empty if the run as a whole failed */
export function blamed({ facts: { id, blames }, message }: Failure): readonly Blame[] {
	if (Array.isArray(blames)) return blames as Blame[]
	return typeof id === 'number' ? [{ id, message }] : []
}

/**
 * @returns the error of a parser without the piece of text that JSON.parse quotes, because host files may contain secrets of other programs
 */
export function withoutText(error: unknown): unknown {
	return error instanceof SyntaxError ? new Error('it is not JSON') : error
}

/** @returns the reason for this failure in a status */
export function reasonOf(code: Code): Reason {
	return reasons[code]
}

const reasons: Record<Code, Reason> = {
	BAD_INPUT: 'InvalidConfig',
	COMMAND_FAILED: 'CommandFailed',
	NOT_VERIFIED: 'NotVerified',
	ADDRESS_IN_USE: 'AddressInUse',
	CONNECTIVITY_LOST: 'ConnectivityLost',
	ROUTED_ELSEWHERE: 'RoutedElsewhere',
	FOREIGN_CHANGED: 'ForeignChanged',
	LOST_BY_OTHERS: 'NotVerified',
	NOT_ARMED: 'CommandFailed',
	EXPIRED: 'RolledBack',
	UNKNOWN_BACKEND: 'UnknownBackend',
	BAD_RECORD: 'RunFailed',
	LOCKED: 'RunFailed',
	API_REFUSED: 'RunFailed',
}
