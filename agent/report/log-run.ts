import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import type { HostState } from '../model/host-state.ts'
import type { Log } from '../model/run-log.ts'
import type { Accepted, Released } from '../model/selection.ts'
import type { Plan } from '../plan/plan.ts'
import { sharingWarning } from '../plan/sharing-checks.ts'
import { driftOf, driftWords } from './drift.ts'
import { linkWords, nicWords } from './plan-words.ts'
import type { Tally } from './tally.ts'

const modes: Record<RunConfig['mode'], string> = { Apply: '', Plan: 'plan only, ', Verify: 'verify only, ', Cleanup: 'cleanup, ' }

/**
 * Logs the first line: the node, the generation and the mode. A read-only run also reports an unfinished run, which it leaves untouched.
 */
export function logHeading({ config, unfinished }: Tally, backend: string, log: Log): void {
	const { nodeName, generation, attempt, mode } = config
	const again = attempt > 1 ? `, attempt ${attempt}` : ''
	const facts = { node: nodeName, generation, attempt, mode, backend }
	log.step(`${nodeName}, generation ${generation}${again}, ${modes[mode]}backend ${backend}`, '', facts)
	if (unfinished !== undefined)
		log.step('unfinished', `an earlier run (${unfinished}) ended before its commit; it would be rolled back first`)
}

/** Logs one line per interface: its current link, and what happens to it or, in mode Verify, its drift. */
export function logInterfaces(plan: Plan, host: HostState, { log, mode }: { log: Log; mode: RunConfig['mode'] }): void {
	const wanted = [
		...plan.accepted.map(accepted => ({ nic: accepted.nic, words: acceptedWords(accepted, plan, mode === 'Verify' ? host : undefined) })),
		...plan.refused.map(({ nic, refusal }) => ({ nic, words: `${refusal.reason}: ${refusal.message}` })),
	]
	for (const { nic, words } of wanted.toSorted((a, b) => a.nic.id - b.nic.id)) log.nic(nic.name, nic.macAddress, words)
	for (const { nic } of plan.accepted) {
		const sharing = plan.shared.get(nic.id)
		if (sharing) log.step('shared network', `${nic.name}: ${sharingWarning(sharing, nic).message}`)
	}
	for (const released of plan.released) log.nic(released.ours.name, released.ours.mac, `is no longer desired${fate(released, plan)}`)
	for (const { ours, refusal } of plan.kept)
		log.nic(ours.name, ours.mac, `is no longer desired, but stays: ${refusal.reason}: ${refusal.message}`)
}

/** @param host given in mode Verify only */
function acceptedWords(accepted: Accepted, plan: Plan, host: HostState | undefined): string {
	const own = plan.steps.filter(({ id }) => id === accepted.nic.id)
	const drift = host ? driftOf(own, host) : []
	return drift.length > 0 ? `${linkWords(accepted.link)}  ${drift.map(driftWords).join('; ')}` : nicWords(accepted, plan)
}

/**
 * Logs the last line. Before it, logs the commands of a plan, leftovers found in mode Verify, or the duration of each phase of other runs.
 */
export function logResult(log: Log, report: AgentReport): void {
	const { mode, outcome, reason, milliseconds, message, changes, drift = [] } = report
	logPlan(log, report)
	for (const one of drift) log.step('leftover', driftWords(one))
	const seconds = ((milliseconds.total ?? 0) / 1000).toFixed(1)
	if (mode !== 'Plan' && mode !== 'Verify') logDurations(log, milliseconds)
	if (outcome !== 'Succeeded') log.step('ended', `${outcome}, ${reason}, after ${seconds} s: ${message}`)
	else if (mode === 'Plan') log.step('ended', `${message}; nothing was changed`)
	else log.step(changes > 0 ? 'committed' : 'ended', `${message}${reason === 'AllInterfacesConfigured' ? '' : ','} in ${seconds} s`)
}

function logDurations(log: Log, { total: _, ...phases }: Readonly<Record<string, number>>): void {
	const words = Object.entries(phases).flatMap(([phase, ms]) => (ms > 0 ? [`${phase} ${ms} ms`] : []))
	if (words.length > 0) log.step('took', words.join(', '), { milliseconds: phases })
}

function logPlan(log: Log, { plan, interfaces }: AgentReport): void {
	if (!plan) return
	const names = Object.entries(plan.links).map(([called, name]) => `${called} is ${name}`)
	if (names.length > 0) log.step('links', names.join(', '))
	for (const command of plan.commands) log.step('would', `${command}${sizeOf(command, plan.files)}`)
	for (const { name, disruption } of interfaces)
		if (disruption) log.step('disruption', `${name} ${disruption.class}: ${disruption.because}`, { name, ...disruption })
}

function sizeOf(command: string, files: NonNullable<AgentReport['plan']>['files']): string {
	const file = files.find(({ path }) => command === `write ${path}`)
	return file ? ` (${file.action === 'create' ? 'new, ' : ''}${file.bytes} bytes)` : ''
}

function fate({ ours, ours: { original }, link }: Released, { moves }: Plan): string {
	if (!link) return ', and no longer exists'
	if (original.name === ours.name && link.name === ours.name) return `; keeps the name ${ours.name}`
	const name = moves.find(move => move.link === link.ifindex)?.to ?? link.name
	return name === original.name ? `; becomes ${name} again` : `; stays ${name} until the name ${original.name} is free`
}
