import type * as z from 'zod'
import { AgentReport } from '../contract/agent-run.ts'
import { cleanAll, clean } from '../contract/clean.ts'
import { REPORT_BOUNDS } from '../contract/names.ts'
import { parseBounded } from '../runtime/bounded-json.ts'
import { faultsIn } from '../runtime/faults.ts'
import type { Mode } from './snapshot.ts'
import type { Mark } from './view.ts'

/** Of what a run reports, what a decision needs: the rest is for people, and those of a whole fleet are held at once. */
export const Report = AgentReport.omit({ probes: true, plan: true, drift: true, notes: true, unfinished: true })
export type Report = z.infer<typeof Report>

/**
 * Reads what a run reported, in work that is bounded whatever a node wrote, and without what must not enter a status. Pure.
 *
 * @param text `report.json`, or a termination message
 * @returns the report, or the sentence that says why it is none of this run's
 */
export function readReport(text: string, run: Mark & { mode: Mode }): { report: Report } | { fault: string } {
	const json = parseBounded(text, REPORT_BOUNDS)
	if ('fault' in json) return json
	const parsed = Report.safeParse(json.value)
	if (!parsed.success) return { fault: clean(faultsIn(parsed.error, { whole: 'it' })) }
	const report = cleanAll(parsed.data)
	const { nodeName, uid, generation, attempt, mode } = report
	const same = nodeName === run.node && uid === run.uid && generation === run.generation && attempt === run.attempt && mode === run.mode
	return same
		? { report }
		: { fault: `it belongs to ${mode} of generation ${generation}, attempt ${attempt}, on ${nodeName}, not of this run` }
}
