import { Counter, type Registry } from '@prometheus-io/client'
import type { Decision } from './decision.ts'
import { condition } from './runs.ts'

/** Counts runs and results under names of our own. */
export function countDecisions(registry: Registry): (decision: Decision) => void {
	const started = new Counter({
		name: 'multinic_runs_started_total',
		help: 'Runs by cause',
		labelNames: ['cause', 'mode'],
		registers: [registry],
	})
	const results = new Counter({
		name: 'multinic_run_results_total',
		help: 'Results of runs by state and reason',
		labelNames: ['state', 'reason'],
		registers: [registry],
	})
	return decision => {
		if (decision.act === 'start') started.inc({ cause: decision.run.cause, mode: decision.run.mode })
		if (decision.act === 'settle' && decision.result)
			results.inc({ state: decision.status.state ?? '', reason: condition(decision.status, 'Ready')?.reason ?? '' })
	}
}
