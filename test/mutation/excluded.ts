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
export const excluded: readonly Excluded[] = [
	{
		file: 'agent/plan/predicted-refusals.ts',
		code: 'if (selection.accepted.length === 0) return new Map()',
		change: 'selection.accepted.length === 0 → false',
		reason: 'it saves the prediction: without accepted interfaces there are no packets from them, and no loss has one as its cause',
	},
	{
		file: 'agent/plan/predicted-refusals.ts',
		code: 'const then = after === host ? now : fibOf(after)',
		change: 'after === host → false',
		reason: 'it saves time: the model of the same host is the same',
	},
	{
		file: 'agent/plan/predicted-refusals.ts',
		code: 'const losses = after === host ? [] : predictedLosses(selection, { paths, now, then }, host)',
		change: 'after === host → false',
		reason: 'it saves time: two lookups in the same model have the same answer, so nothing is lost',
	},
	{
		file: 'controller/rules/decide.ts',
		code: "if (config.requests.retry !== undefined || config.status.state !== 'Failed' || !isUpToDate(snapshot) || isDrifted(config))",
		change: "config.status.state !== 'Failed' → false",
		reason:
			'whenUpToDate comes first and returns for every other state, unless the node config is deleted; then an unfinished run is Failed',
	},
	{
		file: 'controller/rules/decide.ts',
		code: "const leftMs = Date.parse(config.status.lastProcessed ?? '') + waitMs - now",
		change: '\'\' → "Stryker was here!"',
		reason: 'neither is a time',
	},
	{
		file: 'controller/rules/verify.ts',
		code: 'return attemptsOf(snapshot).reduce<Run | undefined>((best, run) => (best && best.attempt > run.attempt ? best : run), undefined)',
		change: 'best.attempt > run.attempt → best.attempt >= run.attempt',
		reason: 'no two runs of one generation have the same number',
	},
]
