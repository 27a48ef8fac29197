import { AgentReport } from '../contract/agent-run.ts'
import { REPORT_BOUNDS } from '../contract/names.ts'
import { parseBounded } from '../runtime/bounded-json.ts'
import { faultsIn } from '../runtime/faults.ts'

/** Reads the report of a run, whatever its node wrote. @returns the report, or the sentence that says why it is none */
export function readReport(text: string): { report: AgentReport } | { fault: string } {
	const json = parseBounded(text, REPORT_BOUNDS)
	if ('fault' in json) return json
	const parsed = AgentReport.safeParse(json.value)
	return parsed.success ? { report: parsed.data } : { fault: faultsIn(parsed.error, { whole: 'it' }) }
}
