import type { AgentReport } from '../contract/agent-run.ts'
import { REPORT_MAX_BYTES, TERMINATION_MAX_BYTES } from '../contract/names.ts'

/** @returns the report as JSON, as long as its ConfigMap may hold: what may be left out goes first */
export function reportText(report: AgentReport): string {
	const { plan: _, ...lean } = report
	return [report, lean].map(form => JSON.stringify(form)).find(text => Buffer.byteLength(text) <= REPORT_MAX_BYTES) ?? shortText(report)
}

/** @returns a short form for the termination message; still a whole report, with as many words as there is room for */
export function shortText(report: AgentReport): string {
	const forms = [200, 80, 30, 0].map(length => JSON.stringify(cut(report, length)))
	return forms.find(text => Buffer.byteLength(text) <= TERMINATION_MAX_BYTES) ?? JSON.stringify({ ...cut(report, 0), interfaces: [] })
}

function cut({ plan: _, machine: __, ...report }: AgentReport, length: number): AgentReport {
	const interfaces = report.interfaces.map(({ observed: _, warnings, ...nic }) => ({
		...nic,
		message: nic.message.slice(0, length),
		warnings: length >= 80 ? warnings.slice(0, 1).map(warning => ({ ...warning, message: warning.message.slice(0, length) })) : [],
	}))
	return {
		...report,
		message: report.message.slice(0, Math.max(length, 80)),
		interfaces,
		milliseconds: {},
		probes: { before: [], after: [] },
	}
}
