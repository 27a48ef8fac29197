import { clean } from '../../contract/clean.ts'
import type { State } from '../../contract/node-config.ts'
import { type Fleet, isUnderWay } from '../fleet.ts'
import type { Colours } from './colours.ts'

/** What is said of the fleet as a whole. Pure. */

/** @returns the lines above the table while a rollout is under way or cannot go on; none when all is settled */
export function fleetLines(fleet: Fleet, colours: Colours): string[] {
	if (!isUnderWay(fleet)) return []
	const { settled, total, running, line, rule } = fleet
	const held = line.size > 0 ? `${line.size} held back` : 'none held back'
	const counts = `Rollout: ${settled} of ${total} settled, ${running} running, ${held}`
	return [rule === '' ? counts : `${counts}: ${colours.warm(clean(rule))}`]
}

const order: readonly State[] = ['Configured', 'InProgress', 'Pending', 'Failed']

/** @returns `1000 nodes: 640 Configured, 10 InProgress, 340 Pending, 10 Failed` */
export function summaryLine({ total, states }: Fleet): string {
	const parts = order.filter(state => states[state] > 0).map(state => `${states[state]} ${state}`)
	return `${total} ${total === 1 ? 'node' : 'nodes'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
