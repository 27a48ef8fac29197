import { clean } from '../../contract/clean.ts'
import type { Condition } from '../../contract/conditions.ts'
import type { InterfaceStatus, Observed } from '../../contract/node-config.ts'
import type { Fleet } from '../model/fleet.ts'
import { nextStep } from './next-step.ts'
import { condition, isCurrent, reasonOf, stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { age, ageOf } from './age.ts'
import { type Colours, stateCell } from './colours.ts'
import { type Cell, table } from './columns.ts'

/** A failed write, which the controller reported with an Event. `at`: milliseconds since 1970. */
export type FailedWrite = { reason: string; message: string; at: number }

export type PageView = { fleet: Fleet; now: number; colours: Colours; failedWrite?: FailedWrite | undefined }

/** Returns everything that is known about one node: its interfaces, its conditions, and what happens next. Pure. */
export function nodePage(config: ConfigView, view: PageView): string[] {
	const { colours, now, fleet } = view
	const nics = config.status.interfaceStatuses ?? []
	return [
		...head(config, view),
		'',
		...section('Interfaces', nics.length > 0 ? nics.flatMap(nic => nicLines(nic, view)) : [noneWords(config)], colours),
		...section('Conditions', conditionLines(config.status.conditions ?? [], now), colours),
		...section('Next', [nextStep(config, fleet)], colours),
	].slice(0, -1)
}

function head(config: ConfigView, { colours, now, failedWrite }: PageView): string[] {
	const { status, generation, created } = config
	const title: Cell[] = [
		{ text: config.name, paint: colours.strong },
		stateCell(stateOf(config), colours),
		status.interfaces ?? '',
		reasonOf(config),
	]
	const facts = [
		`generation ${generation}, created ${age(now - created)} ago`,
		...(status.backend ? [`backend ${status.backend}`] : []),
		...(config.mode === 'Plan' ? ['mode Plan'] : []),
		...(config.paused ? ['paused'] : []),
		...(status.lastJobName ? [`last run ${status.lastJobName}`] : []),
	]
	const message = condition(config.status, 'Ready')?.message
	return [
		...table([title]),
		colours.faint(clean(facts.join(', '))),
		...(message ? [clean(message)] : []),
		...(failedWrite ? [failedWriteLine(failedWrite, now)] : []),
	]
}

/** Returns a line about a write that failed after the status was last written. */
function failedWriteLine({ reason, message, at }: FailedWrite, now: number): string {
	return `Event ${reason}, ${age(now - at)} ago: ${message}`
}

function section(title: string, lines: readonly string[], { strong }: Colours): string[] {
	return [strong(title), ...lines.map(one => `  ${one}`), '']
}

/** Returns the text for an empty list of interfaces, which may mean that none is desired or that none is known. */
function noneWords(config: ConfigView): string {
	if (!isCurrent(config)) return 'none known yet'
	if (reasonOf(config) === 'InvalidConfig') return 'unknown: the node config is invalid, and the node is left unchanged'
	if (config.wanted > 0) return 'none known yet'
	const state = stateOf(config)
	if (state === 'Configured') return 'none requested, and none left on the node'
	return state === 'Failed' ? 'none requested, but the removal is not confirmed: see above' : 'none requested'
}

function nicLines(nic: InterfaceStatus, { colours, now }: PageView): string[] {
	const since = nic.lastConfigured ? `configured ${ageOf(nic.lastConfigured, now)} ago` : 'never configured'
	return [
		...table([[nic.name, stateCell(nic.status, colours), nic.macAddress, nic.reason]]),
		`  ${clean(nic.message)}`,
		`  ${colours.faint(clean(`${observed(nic.observed)}; ${since}`))}`,
	]
}

function observed(seen: Observed | undefined): string {
	if (!seen) return 'not observed'
	const { link, mtu, up, addresses } = seen
	const facts = [
		link && `is ${link}`,
		up !== undefined && (up ? 'up' : 'down'),
		mtu !== undefined && `mtu ${mtu}`,
		addresses && (addresses.length > 0 ? addresses.join(' ') : 'no address'),
	]
	return facts.filter(Boolean).join(', ') || 'not observed'
}

function conditionLines(conditions: readonly Condition[], now: number): string[] {
	if (conditions.length === 0) return ['none yet']
	const rows = conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
		type,
		status,
		reason,
		ageOf(lastTransitionTime, now),
		message,
	])
	return table(rows)
}
