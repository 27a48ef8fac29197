import type { AgentReport } from '../../contract/agent-run.ts'
import { REPORT_MAX_BYTES, TERMINATION_MAX_BYTES } from '../../contract/names.ts'

/**
 * @returns the report as JSON, within the size limit of its ConfigMap: optional parts are omitted as needed, starting with the content of
 *   files
 */
export function reportText(report: AgentReport): string {
	const forms = [report, withoutContents(report), withFewerCommands(report), withoutDetails(withoutPlan(report))]
	return forms.map(form => JSON.stringify(form)).find(isShortEnough) ?? shortText(report)
}

function isShortEnough(text: string): boolean {
	return Buffer.byteLength(text) <= REPORT_MAX_BYTES
}

/** Omits the content of files, the largest first, until the report fits. */
function withoutContents(report: AgentReport): AgentReport {
	const { plan } = report
	if (!plan) return report
	let files = plan.files
	for (const { path } of plan.files.toSorted((a, b) => (b.content?.length ?? 0) - (a.content?.length ?? 0))) {
		if (isShortEnough(JSON.stringify({ ...report, plan: { ...plan, files } }))) break
		files = files.map(file => (file.path === path ? lean(file) : file))
	}
	return { ...report, plan: { ...plan, files } }
}

/** Repeatedly halves the list of commands until the report fits; the log contains all of them. */
function withFewerCommands(report: AgentReport): AgentReport {
	const plan = report.plan && { ...report.plan, files: report.plan.files.map(lean) }
	const all = plan?.commands ?? []
	for (let kept = all.length; plan && kept > 0; kept = Math.floor(kept / 2)) {
		const commands = kept < all.length ? [...all.slice(0, kept), `and ${all.length - kept} more (see the log)`] : all
		const shorter = { ...report, plan: { ...plan, commands } }
		if (isShortEnough(JSON.stringify(shorter))) return shorter
	}
	return withoutPlan(report)
}

function lean({ content: _, ...file }: NonNullable<AgentReport['plan']>['files'][number]) {
	return file
}

function withoutPlan({ plan: _, ...report }: AgentReport): AgentReport {
	return report
}

function withoutDetails({ drift: _, ...report }: AgentReport): AgentReport {
	return { ...report, interfaces: report.interfaces.map(({ done: _done, drift: _drift, ...nic }) => nic) }
}

/** @returns a short form for the termination message: still a valid report, with as much text as fits */
export function shortText(report: AgentReport): string {
	const forms = [200, 80, 30, 0].map(length => JSON.stringify(cut(report, length)))
	return (
		forms.find(text => Buffer.byteLength(text) <= TERMINATION_MAX_BYTES) ??
		JSON.stringify({ ...cut(report, 0), interfaces: [], notRemoved: [] })
	)
}

function cut({ plan: _plan, drift: _drift, machine: _machine, notes: _notes, ...report }: AgentReport, length: number): AgentReport {
	const interfaces = report.interfaces.map(({ observed: _observed, done: _done, drift: _, disruption: _disruption, warnings, ...nic }) => ({
		...nic,
		message: nic.message.slice(0, length),
		warnings: length >= 80 ? warnings.slice(0, 1).map(warning => ({ ...warning, message: warning.message.slice(0, length) })) : [],
	}))
	const notRemoved = report.notRemoved?.map(nic => ({ ...nic, message: nic.message.slice(0, length) }))
	return {
		...report,
		message: report.message.slice(0, Math.max(length, 80)),
		interfaces,
		...(notRemoved && { notRemoved }),
		milliseconds: {},
		probes: { before: [], after: [] },
	}
}
