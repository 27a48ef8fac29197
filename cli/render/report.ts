import { clean } from '../../contract/clean.ts'
import type { AgentReport } from '../../contract/agent-run.ts'
import { table } from './columns.ts'

/** @returns the report of a run whose log no longer exists: the same content, in fewer words. Pure. */
export function reportLines(report: AgentReport): string[] {
	const {
		nodeName,
		generation,
		mode,
		backend,
		interfaces,
		started,
		finished,
		changes,
		outcome,
		reason,
		message,
		probes,
		notes = [],
	} = report
	const facts = [nodeName, `generation ${generation}`, `mode ${mode}`, ...(backend ? [`backend ${backend}`] : [])]
	const lost = probes.after
		.filter(({ ok }) => !ok)
		.map(probe => `probe lost      ${probe.name}${probe.message ? `: ${probe.message}` : ''}`)
	return [
		facts.join(', '),
		...table(interfaces.map(nic => [nic.name, nic.macAddress, nic.state, nic.reason, nic.message])),
		...interfaces.flatMap(({ name, warnings }) =>
			warnings.map(warning => clean(`warning         ${name}: ${warning.reason}: ${warning.message}`)),
		),
		...[...lost, ...notes.map(note => `note            ${note}`)].map(clean),
		`started         ${started}`,
		`finished        ${finished}, ${changes} changes`,
		clean(`${outcome.padEnd(15)} ${reason}: ${message}`),
	]
}
