/** The log of a run, one line per step. */

export type Log = {
	/** Logs a step of the run. `what`: the kind of step, one word; `words`: its result; `facts`: structured data for programs only. */
	step(what: string, words: string, facts?: object): void
	/** Logs one interface. `words`: its description, and what the run does with it. */
	nic(name: string, mac: string, words: string): void
	/** Logs facts for programs only: the report shows them to people. */
	facts(what: string, facts: object): void
}
