import { cleanAll, clean } from '../../contract/clean.ts'
import { REPORT_BOUNDS } from '../../contract/names.ts'
import { readBounded } from '../../runtime/bounded-json.ts'
import { Report } from '../model/report.ts'
import type { Mode } from '../model/snapshot.ts'
import type { RunIdentity } from './projections.ts'

/**
 * Parses the report of a run. The work is bounded for any text that the node wrote, and characters that must not appear in a status are
 * removed. Pure.
 *
 * @param text `report.json`, or a termination message
 * @returns the report, or a message with the reason why it is not a report of this run
 */
export function readReport(text: string, run: RunIdentity & { mode: Mode }): { report: Report } | { fault: string } {
	const read = readBounded(text, REPORT_BOUNDS, Report)
	if ('fault' in read) return { fault: clean(read.fault) }
	const report = cleanAll(read.value)
	const { nodeName, uid, generation, attempt, mode } = report
	const same = nodeName === run.node && uid === run.uid && generation === run.generation && attempt === run.attempt && mode === run.mode
	return same
		? { report }
		: { fault: `it belongs to ${mode} of generation ${generation}, attempt ${attempt}, on ${nodeName}, not to this run` }
}
