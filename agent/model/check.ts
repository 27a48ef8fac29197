import type { Reason } from '../../contract/reasons.ts'

/** Why an interface is not configured in this run. */
export type Refusal = { reason: Reason; message: string }

/** The cause of a refusal in one sentence, and the command that shows it on the node. */
export type Found = { says: string; see: string }

/** A row of the table of refusals in docs/agent/reference.md. */
export type Row = {
	reason: Reason
	/** The condition of the refusal, as the end of a sentence that begins with "the NIC" or "the interface". */
	when: string
	/** The command that shows the cause, with example names. */
	see: string
}

/** One condition that must not hold. */
export type Check<Input> = Row & {
	/** @returns the cause; without a command, that of the row shows it */
	find(input: Input): { says: string; see?: string } | undefined
}

/** Runs the checks in order: the first one that finds a cause refuses. */
export function firstOf<Input>(checks: readonly Check<Input>[], input: Input): Refusal | undefined {
	for (const { reason, see, find } of checks) {
		const found = find(input)
		if (found) return refusalOf(reason, { see, ...found })
	}
}

/** @returns a refusal that names its cause and, in brackets, the command that shows it */
export function refusalOf(reason: Reason, { says, see }: Found): Refusal {
	return { reason, message: `${says} (${see})` }
}
