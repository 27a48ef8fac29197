import { clean } from '../../contract/clean.ts'
import type { AgentReport, InterfaceReport, PlannedDiff } from '../../contract/agent-run.ts'
import type { Colours } from './colours.ts'
import { table } from './columns.ts'

/** What a run would do, with every command and file. Pure. */

/** Reports whether the desired state can be reached: there is a complete plan then, even if the plan changes nothing. */
export function isPossible({ plan, outcome }: AgentReport): boolean {
	return plan !== undefined && outcome === 'Succeeded'
}

/** @returns the plan for people; the report's own message if there is no plan */
export function planLines({ run, report }: { run: string; report: AgentReport }, colours: Colours): string[] {
	const { nodeName, generation, backend, interfaces, plan, notes = [], unfinished } = report
	const facts = [nodeName, `generation ${generation}`, ...(backend ? [`backend ${backend}`] : [])]
	return [
		colours.strong(`${facts.join(', ')}: planned changes`),
		colours.faint(`Computed by Job ${run} at ${report.finished}; nothing was changed`),
		...table(interfaces.map(nicRow)),
		...(plan ? details(plan, refusals(report), colours) : ['', clean(`no plan: ${report.message}`)]),
		...[...(unfinished ? [unfinished] : []), ...notes].map(note => colours.faint(clean(`# ${note}`))),
	]
}

function nicRow({ name, macAddress, reason, message, disruption }: InterfaceReport): string[] {
	return [name, macAddress, reason, disruption ? `${disruption.class}: ${disruption.because}` : message]
}

/** Includes the message only for an interface to be removed, which has no table row; the other messages are in their rows. */
function refusals({ interfaces, notRemoved = [] }: AgentReport): string[] {
	const failed = interfaces.filter(({ state }) => state === 'Failed')
	return [
		...failed.map(({ name, reason }) => `${name} cannot be configured (${reason})`),
		...notRemoved.map(({ name, reason, message }) => `${name} cannot be removed (${reason}): ${message}`),
	].map(clean)
}

function details({ commands, links, files, disruption }: PlannedDiff, refused: readonly string[], colours: Colours): string[] {
	const names = Object.entries(links).map(([spoken, name]) => `${spoken} is ${name}`)
	const cost = disruption.class === 'None' ? colours.good : colours.warm
	const bad = refused.map(colours.bad)
	if (commands.length === 0 && files.length === 0)
		return ['', ...(bad.length > 0 ? ['no changes', ...bad] : ['no changes, the node is up to date'])]
	return [
		...section('Commands', commands, colours),
		...(names.length > 0 ? [colours.faint(clean(`  (${names.join(', ')})`))] : []),
		...section(
			'Files',
			files.flatMap(file => fileLines(file)),
			colours,
		),
		...section('Disruption', [], colours),
		`  ${cost(disruption.class)}: ${clean(disruption.because)}`,
		...(bad.length > 0 ? ['', ...bad] : []),
	]
}

function section(title: string, lines: readonly string[], { strong }: Colours): string[] {
	return ['', strong(title), ...lines.map(line => `  ${clean(line)}`)]
}

function fileLines({ path, action, mode, bytes, content }: PlannedDiff['files'][number]): string[] {
	const facts = [action.padEnd(6), path, ...(mode ? [`mode ${mode}`] : []), ...(bytes === undefined ? [] : [`${bytes} bytes`])]
	const lines = content === undefined ? [] : content.replace(/\n$/, '').split('\n')
	return [facts.join('  '), ...lines.map(line => `    | ${line}`)]
}
