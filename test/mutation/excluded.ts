/** A mutant that changes nothing that a test could see, by name. */
export interface Excluded {
	readonly file: string
	/** The line of code that it changes, or the first of several. */
	readonly code: string
	/** As a run prints it: `original → mutated`. */
	readonly change: string
	readonly reason: string
}

/** Mutants that no test can kill. An entry whose code has changed makes the run fail. */
export const excluded: readonly Excluded[] = []
