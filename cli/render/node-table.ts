import type { Fleet } from '../model/fleet.ts'
import { condition, reasonOf, stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { age } from './age.ts'
import { type Colours, stateCell } from './colours.ts'
import type { Cell } from './columns.ts'

/** The table of node configs. Pure. */

const narrow = ['NODE', 'STATE', 'INTERFACES', 'REASON', 'AGE']
const wide = [...narrow, 'BACKEND', 'GENERATION', 'JOB', 'DRIFTED', 'PERSISTENT', 'MESSAGE']

/** @returns the names of the columns */
export function nodesHeader(isWide: boolean): string[] {
	return isWide ? wide : narrow
}

/** @returns one row, with the position of a queued node */
export function nodeRow(config: ConfigView, { fleet, now, colours, isWide }: NodesView): Cell[] {
	const { status } = config
	const row: Cell[] = [
		config.name,
		stateCell(stateOf(config), colours),
		status.interfaces ?? `0/${config.wanted}`,
		reasonCell(config, fleet),
		age(now - config.created),
	]
	if (!isWide) return row
	const ready = condition(config.status, 'Ready')?.message ?? ''
	return [
		...row,
		status.backend ?? '-',
		String(config.generation),
		status.lastJobName ?? '-',
		condition(config.status, 'Drifted')?.status ?? '-',
		condition(config.status, 'Persistent')?.status ?? '-',
		ready || '-',
	]
}

export type NodesView = { fleet: Fleet; now: number; colours: Colours; isWide: boolean }

/** Returns the reason, with the position of a queued node: `Waiting 12 of 340`. */
function reasonCell(config: ConfigView, { line }: Fleet): string {
	const place = line.get(config.name)
	const reason = reasonOf(config)
	if (place !== undefined) return `${reason} ${place} of ${line.size}`
	return config.deleting ? `${reason || '-'} (deleting)` : reason || '-'
}

/** @returns the data of a row without the age and the position in the queue, which change over time */
export function changeKey(config: ConfigView): string {
	const { generation, deleting, status } = config
	const conditions = ['Ready', 'Drifted', 'Persistent'].map(type => {
		const said = condition(config.status, type)
		return [said?.status, said?.reason, said?.message]
	})
	return JSON.stringify([generation, deleting, status.state, status.interfaces, status.lastJobName, conditions])
}
