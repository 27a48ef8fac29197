import { AgentReport } from '../../contract/agent-run.ts'
import { clean, cleanAll, cleanLines } from '../../contract/clean.ts'
import { REPORT_BOUNDS } from '../../contract/names.ts'
import { parseBounded } from '../../runtime/bounded-json.ts'
import { faultsIn } from '../../runtime/faults.ts'

/** Reads the report of a run, whatever its node wrote. @returns the report, or the sentence that says why it is invalid */
export function readReport(text: string): { report: AgentReport } | { fault: string } {
	const json = parseBounded(text, REPORT_BOUNDS)
	if ('fault' in json) return json
	const parsed = AgentReport.safeParse(json.value)
	return parsed.success ? { report: cleaned(parsed.data) } : { fault: clean(faultsIn(parsed.error, { whole: 'it' })) }
}

/** The content of a file keeps its lines. */
function cleaned(report: AgentReport): AgentReport {
	const { plan, ...rest } = report
	if (!plan) return cleanAll(report)
	const files = plan.files.map(({ content, ...file }) => ({
		...cleanAll(file),
		...(content !== undefined && { content: cleanLines(content) }),
	}))
	return { ...cleanAll(rest), plan: { ...cleanAll(plan), files } }
}
