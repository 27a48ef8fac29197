import type { Collected } from './collect.ts'
import type { FleetReading } from '../read/fleet.ts'
import { condition } from '../../contract/status.ts'
import { isAsWanted } from '../model/node-config-view.ts'
import { coloursFor } from '../render/colours.ts'
import { fleetLines, summaryLine } from '../render/fleet.ts'
import { nodeRow, nodesHeader } from '../render/node-table.ts'
import { table } from '../render/columns.ts'

/** The index page of a support bundle, which a user reads first. Pure. */

export type Index = Collected & {
	/** Undefined if node configs could not be read. */
	fleet: FleetReading | undefined
	server: string
	namespace: string
	version: string
	now: number
	/** Number of runs whose log was omitted because there were too many. */
	leftOut: number
}

const shownMax = 50

export function indexText(index: Index): string {
	const { files, missing, server, namespace, version, now, leftOut } = index
	const lines = [
		'MultiNIC support bundle',
		`created ${new Date(now).toISOString()} by kubectl-multinic ${version}`,
		`from ${server}, namespace ${namespace}`,
		'',
		...fleetSection(index),
		'FILES',
		...table(files.map(({ path, what, text }) => [`  ${path}`, size(text), what])),
		'',
		'NOT READ',
		...(missing.length > 0 ? missing.map(({ path, error }) => `  ${path}: ${error}`) : ['  nothing, the bundle is complete']),
		...(leftOut > 0 ? [`  logs of ${leftOut} more runs (too many)`] : []),
		'',
		'Secrets and kubeconfigs were not read. Environment variables that look like secrets are hidden. Addresses, MACs and node names are not hidden.',
	]
	return `${lines.join('\n')}\n`
}

function fleetSection({ fleet: reading, now }: Index): string[] {
	if (!reading) return ['Node configs could not be read, see below.', '']
	const { configs, fleet } = reading
	const colours = coloursFor(false)
	const wrong = configs.filter(config => !isAsWanted(config))
	const shown = wrong.slice(0, shownMax)
	const view = { fleet, now, colours, isWide: false }
	const rows = shown.map(config => [...nodeRow(config, view), condition(config.status, 'Ready')?.message ?? ''])
	const more = wrong.length > shown.length ? [`  … and ${wrong.length - shown.length} more`] : []
	return [
		summaryLine(fleet),
		...fleetLines(fleet, colours),
		'',
		'NOT IN THE DESIRED STATE',
		...(rows.length > 0 ? [...table([[...nodesHeader(false), 'MESSAGE'], ...rows]).map(line => `  ${line}`), ...more] : ['  none']),
		'',
	]
}

function size(text: string): string {
	const bytes = new TextEncoder().encode(text).length
	return bytes < 1_024 ? `${bytes} B` : `${Math.round(bytes / 1_024)} KiB`
}
