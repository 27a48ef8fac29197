import { AgentReport } from '../contract/agent-run.ts'
import type { Mode, Report } from './snapshot.ts'
import type { Mark } from './view.ts'

/**
 * Reads what a run reported. Pure.
 *
 * @param text `report.json`, or a termination message
 * @returns the report, or the sentence that says why it is none of this run's
 */
export function readReport(text: string, run: Mark & { mode: Mode }): { report: Report } | { fault: string } {
	const json = parse(text)
	if (json === undefined) return { fault: 'it is not JSON' }
	const parsed = AgentReport.safeParse(json)
	if (!parsed.success) return { fault: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') }
	const { probes: _1, plan: _2, drift: _3, notes: _4, unfinished: _5, ...report } = parsed.data
	const { uid, generation, attempt, mode } = report
	const same = uid === run.uid && generation === run.generation && attempt === run.attempt && mode === run.mode
	return same ? { report } : { fault: `it speaks of ${mode} of generation ${generation}, attempt ${attempt}, not of this run` }
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined // a report that was cut, or no report at all
	}
}
