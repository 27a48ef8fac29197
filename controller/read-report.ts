import type * as z from 'zod'
import { AgentReport } from '../contract/agent-run.ts'
import type { Mode } from './snapshot.ts'
import type { Mark } from './view.ts'

/** Of what a run reports, what a decision needs: the rest is for people, and those of a whole fleet are held at once. */
export const Report = AgentReport.omit({ probes: true, plan: true, drift: true, notes: true, unfinished: true })
export type Report = z.infer<typeof Report>

/**
 * Reads what a run reported. Pure.
 *
 * @param text `report.json`, or a termination message
 * @returns the report, or the sentence that says why it is none of this run's
 */
export function readReport(text: string, run: Mark & { mode: Mode }): { report: Report } | { fault: string } {
	const json = parse(text)
	if (json === undefined) return { fault: 'it is not JSON' }
	const parsed = Report.safeParse(json)
	if (!parsed.success) return { fault: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') }
	const { uid, generation, attempt, mode } = parsed.data
	const same = uid === run.uid && generation === run.generation && attempt === run.attempt && mode === run.mode
	return same ? { report: parsed.data } : { fault: `it speaks of ${mode} of generation ${generation}, attempt ${attempt}, not of this run` }
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined // a report that was cut, or no report at all
	}
}
