import { AgentReport } from '../../contract/agent-run.ts'
import { clean, cleanAll, cleanLines } from '../../contract/clean.ts'
import { REPORT_BOUNDS } from '../../contract/names.ts'
import { readBounded } from '../../runtime/bounded-json.ts'

/** Reads the report of a run, in which a node may write anything. @returns the report, or a sentence with the reason why it is invalid */
export function readReport(text: string): { report: AgentReport } | { fault: string } {
	const read = readBounded(text, REPORT_BOUNDS, AgentReport)
	return 'value' in read ? { report: cleaned(read.value) } : { fault: clean(read.fault) }
}

/** Cleans all strings of a report. The content of a file keeps its line breaks. */
function cleaned(report: AgentReport): AgentReport {
	const { plan, ...rest } = report
	if (!plan) return cleanAll(report)
	const files = plan.files.map(({ content, ...file }) => ({
		...cleanAll(file),
		...(content !== undefined && { content: cleanLines(content) }),
	}))
	return { ...cleanAll(rest), plan: { ...cleanAll(plan), files } }
}
