import { clean } from '../../contract/clean.ts'
import type { AgentReport, Drift, InterfaceReport } from '../../contract/agent-run.ts'
import type { Colours } from './colours.ts'

/** The drift that a run found, in the form of a unified diff. Pure. */

export type Looked = { run: string; report: AgentReport }

/** Reports whether the run succeeded and found no drift. */
export function isRight(report: AgentReport): boolean {
	return (
		report.outcome === 'Succeeded' && (report.drift ?? []).length === 0 && report.interfaces.every(nic => (nic.drift ?? []).length === 0)
	)
}

/** @returns lines by interface: `-` for desired values, `+` for observed values */
export function driftLines({ run, report }: Looked, colours: Colours): string[] {
	const { nodeName, generation, interfaces, drift = [], unfinished, notes = [], message } = report
	const further = [...(unfinished ? [`unfinished: ${unfinished}`] : []), ...notes].map(note => colours.faint(clean(`# ${note}`)))
	if (isRight(report)) return [`${nodeName} matches generation ${generation} of its node config (checked by Job ${run})`, ...further]
	const shared = drift.filter(isShared)
	const hunks = [
		...interfaces.flatMap(nic => nicHunk(nic, colours)),
		...hunk(
			'leftover',
			drift.filter(one => !shared.includes(one)),
			colours,
		),
		...hunk('host files', shared, colours),
	]
	return [
		colours.strong(`--- ${nodeName}, generation ${generation}, desired`),
		colours.strong(`+++ ${nodeName}, observed by Job ${run} at ${report.finished}`),
		...(hunks.length > 0 ? hunks : [clean(message)]),
		...further,
	]
}

/** Reports whether the drift is in a desired file of no single interface: the host's record file, or a file to be restored. */
function isShared({ link, wanted }: Drift): boolean {
	return link === undefined && wanted !== 'none'
}

function nicHunk(nic: InterfaceReport, colours: Colours): string[] {
	const { name, macAddress, state, reason, message, drift = [] } = nic
	if (drift.length > 0) return hunk(`${name} ${macAddress}`, drift, colours)
	if (state === 'Configured') return []
	return [colours.busy(`@@ ${name} ${macAddress} @@`), clean(` ${reason}: ${message}`)]
}

function hunk(title: string, drift: readonly Drift[], { busy, good, bad }: Colours): string[] {
	if (drift.length === 0) return []
	const lines = drift.flatMap(one => {
		const { wanted, found } = one
		return [
			...(wanted === 'none' ? [] : [bad(clean(`-${wordsFor(one, wanted)}`))]),
			...(found === 'missing' ? [] : [good(clean(`+${wordsFor(one, found)}`))]),
		]
	})
	return [busy(clean(`@@ ${title} @@`)), ...lines]
}

/** Returns `mtu 1450`, `sysctl rp_filter 2`, `ens9: rule from …`; a file that exists is shown only by its name. */
function wordsFor({ attribute, of, link }: Drift, value: string): string {
	const words = [attribute, of, value === 'there' ? undefined : value].filter(Boolean).join(' ')
	return link === undefined ? words : `${link}: ${words}`
}
