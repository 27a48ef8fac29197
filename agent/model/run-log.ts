/** The log of a run, one line per step. */

export type Log = {
	/** Logs a step of the run: what it is (one word), and its result; `facts` are only for machines. */
	tell(what: string, words: string, facts?: object): void
	/** Logs one interface: its name, its MAC, what it is and what happens to it. */
	nic(name: string, mac: string, words: string): void
	/** Logs facts for machines only: people find them in the report. */
	facts(what: string, facts: object): void
}
