/** A mutant without an effect that a test could detect. */
export interface Excluded {
	readonly file: string
	/** The line of code that it changes, or the first of several lines. */
	readonly code: string
	/** As a run prints it: `original → mutated`. */
	readonly change: string
	readonly reason: string
}

/** Mutants that no test can kill. An entry whose code has changed makes the run fail. */
export const excluded: readonly Excluded[] = [
	{
		file: 'agent/plan/addresses-to-probe.ts',
		code: 'const wires = ips.length === 0 ? [] : [...othersWires(selection, host), ...ownWires(selection)].filter(isOther(link))',
		change: 'ips.length === 0 → false',
		reason: 'a shortcut: without a new address, no link has one to probe',
	},
	{
		file: 'agent/plan/sample-address.ts',
		code: 'const special = routes.filter(route => route.family === family && route.table === MAIN && lengthOf(route.to) > 1)',
		change: 'route.family === family → true',
		reason: 'a shortcut: no network contains an address of the other family',
	},
	{
		file: 'agent/plan/select.ts',
		code: 'return named.every(link => own.has(link)) ? first : judgeWith(new Set([...own, ...leaving]))',
		change: 'link => own.has(link) → () => undefined',
		reason: 'a shortcut: if all named links are in `own`, the checks get the same links again and find the same',
	},
	{
		file: 'agent/plan/shared-network.ts',
		code: '.filter(route => (around.has(route) || isOnLink(route)) && lengthOf(route.to) > 1 && isForeign(route, own))',
		change: 'around.has(route) || isOnLink(route) → true',
		reason: 'a shortcut for 100,000 routes: any other route contains no network of an interface, and `meets` compares that again',
	},
	{
		file: 'agent/plan/shared-network.ts',
		code: 'const meets = (network: string) => contains(network, ip) && lengthOf(best.to) <= lengthOf(network)',
		change: 'lengthOf(best.to) <= lengthOf(network) → lengthOf(best.to) < lengthOf(network)',
		reason: 'a route to the network itself is an obstacle of foreignRoutes, which come first',
	},
	{
		file: 'agent/plan/sharing-checks.ts',
		code: 'if (requested.length === 0) return',
		change: 'requested.length === 0 → false',
		reason: 'a shortcut: the loop over no routes finds nothing',
	},
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
			'whenUpToDate is evaluated first and returns for every other state, unless the node config is deleted; then an unfinished run is Failed',
	},
	{
		file: 'controller/rules/decide.ts',
		code: "const leftMs = Date.parse(config.status.lastProcessed ?? '') + waitMs - now",
		change: '\'\' → "Stryker was here!"',
		reason: 'neither string is a time',
	},
	{
		file: 'controller/rules/verify.ts',
		code: 'return attemptsOf(snapshot).reduce<Run | undefined>((best, run) => (best && best.attempt > run.attempt ? best : run), undefined)',
		change: 'best.attempt > run.attempt → best.attempt >= run.attempt',
		reason: 'no two runs of one generation have the same number',
	},
	{
		file: 'controller/rules/gc.ts',
		code: "const reportedAt = Date.parse(status.lastProcessed ?? '')",
		change: '\'\' → "Stryker was here!"',
		reason: 'neither is a time',
	},
	{
		file: 'agent/run/observe-and-plan.ts',
		code: 'const selection = failed.size + kept.size === 0 ? first : select(possible, state)',
		change: 'failed.size + kept.size === 0 → false',
		reason: 'select is pure, so that it selects the same again if nothing is rejected',
	},
	{
		file: 'agent/run/repeat-attempts.ts',
		code: "run.logHeading('backend' in found ? found.backend : 'unknown')",
		change: '\'unknown\' → ""',
		reason: 'observeHost comes first and throws if the backend is unknown',
	},
]
