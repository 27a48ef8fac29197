import type { Reason } from '../../contract/reasons.ts'

/** Why an interface is not configured in this run. */
export type Refusal = { reason: Reason; message: string }

/** The cause of a refusal in one sentence, and the command that shows it on the node. */
export type Cause = { says: string; see: string }

/** A row of the table of refusals in docs/agent/reference.md. */
export type Row = {
	reason: Reason
	/** The condition of the refusal, as the end of a sentence that begins with "the NIC" or "the interface". */
	when: string
	/** The command that shows the cause, with example names. */
	see: string
}

/** One of several conditions that are checked in order. @returns the result if the condition holds, else undefined */
export type Check<Input, Result> = (input: Input) => Result | undefined

/** @returns the result of the first check that has one */
export function firstOf<Input, Result>(checks: readonly Check<Input, Result>[], input: Input): Result | undefined {
	for (const check of checks) {
		const result = check(input)
		if (result !== undefined) return result
	}
	return undefined
}

/** One condition that must not hold. */
export type RefusalCheck<Input> = Row & {
	/** @returns the cause; if it has no command, the command of the row applies */
	find(input: Input): { says: string; see?: string } | undefined
}

/** Runs the checks in order. @returns the refusal by the first check that finds a cause */
export function firstRefusal<Input>(checks: readonly RefusalCheck<Input>[], input: Input): Refusal | undefined {
	return firstOf(checks.map(refusing<Input>), input)
}

function refusing<Input>({ reason, see, find }: RefusalCheck<Input>): Check<Input, Refusal> {
	return input => {
		const cause = find(input)
		return cause && refusalOf(reason, { see, ...cause })
	}
}

/** @returns a refusal that names its cause and, in parentheses, the command that shows it */
export function refusalOf(reason: Reason, { says, see }: Cause): Refusal {
	return { reason, message: `${says} (${see})` }
}
