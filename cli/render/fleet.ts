import { clean } from '../../contract/clean.ts'
import type { State } from '../../contract/node-config.ts'
import { type Fleet, isUnderWay } from '../model/fleet.ts'
import type { Colours } from './colours.ts'

/** The text about the fleet as a whole. Pure. */

/** @returns the lines above the table if a rollout is in progress or cannot continue, starting with the nodes that stop it */
export function fleetLines(fleet: Fleet, colours: Colours): string[] {
	if (!isUnderWay(fleet)) return []
	const { settled, total, running, line, rule } = fleet
	const held = line.size > 0 ? `${line.size} queued` : 'none queued'
	const counts = `Rollout: ${settled} of ${total} finished, ${running} running, ${held}`
	const stop = stopWords(fleet)
	return [...(stop === '' ? [] : [colours.bad(stop)]), rule === '' ? counts : `${counts}: ${colours.warm(clean(rule))}`]
}

const namedMax = 3

/** @returns which nodes stop the rollout, and how to continue without them; empty if no node stops it */
export function stopWords({ stoppers }: Pick<Fleet, 'stoppers'>): string {
	if (stoppers.length === 0) return ''
	const named = stoppers.slice(0, namedMax).map(({ name, reason }) => clean(`${name} (${reason})`))
	const more = stoppers.length > namedMax ? [`${stoppers.length - namedMax} more`] : []
	const who = [...named, ...more].join(', ').replace(/, ([^,]*)$/, ' and $1')
	const names = more.length > 0 ? 'NODE for each of them' : stoppers.map(({ name }) => name).join(' ')
	const [verb, object] = stoppers.length === 1 ? ['stops', 'it'] : ['stop', 'them']
	return `${who} ${verb} the rollout. To continue without ${object}: kubectl multinic pause ${names}`
}

const order: readonly State[] = ['Configured', 'InProgress', 'Pending', 'Failed']

/** @returns `1000 nodes: 640 Configured, 10 InProgress, 340 Pending, 10 Failed` */
export function summaryLine({ total, states }: Fleet): string {
	const parts = order.filter(state => states[state] > 0).map(state => `${states[state]} ${state}`)
	return `${total} ${total === 1 ? 'node' : 'nodes'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}
