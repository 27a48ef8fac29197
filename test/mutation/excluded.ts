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
		file: 'agent/plan/node-packets.ts',
		code: 'if (found.length === 0) return []',
		change: 'found.length === 0 → false',
		reason: 'the rest maps the same empty list; the condition spares a pass over the routes of the host',
	},
	{
		file: 'agent/plan/node-packets.ts',
		code: '.map(network => (lengthOf(network) > lengthOf(route.to) ? network : route.to))',
		change: 'lengthOf(network) > lengthOf(route.to) → lengthOf(network) >= lengthOf(route.to)',
		reason: 'networks that overlap and have the same prefix length are the same network',
	},
	{
		file: 'agent/plan/pods-elsewhere.ts',
		code: 'const pod = around.length > 0 ? addressIn(to, taken) : undefined',
		change: 'around.length > 0 → true',
		reason: 'without a pod network around it the address is added to none; the condition spares a lookup for each route of the host',
	},
	{
		file: 'agent/plan/pods-elsewhere.ts',
		code: 'const pod = around.length > 0 ? addressIn(to, taken) : undefined',
		change: 'around.length > 0 → around.length >= 0',
		reason: 'without a pod network around it the address is added to none; the condition spares a lookup for each route of the host',
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
