import type { Reason } from '../../contract/reasons.ts'

/** Why an interface is not configured in this run. */
export type Refusal = { reason: Reason; message: string }

/** What makes a check refuse, in one sentence, and the command that shows it on the node. */
export type Found = { says: string; see: string }

/** A row of the table of refusals in docs/agent.md. */
export type Row = {
	reason: Reason
	/** When it refuses an interface, as the end of a sentence that begins with "the NIC" or "the interface". */
	when: string
	/** The command that shows the cause, with the names of an example. */
	see: string
}

/** One thing that must not be. */
export type Check<Input> = Row & {
	/** @returns what it found; without a command, that of the row shows it */
	find(input: Input): { says: string; see?: string } | undefined
}

/** Reads checks top to bottom: the first that finds something refuses. */
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
