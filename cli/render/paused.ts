import type { Fleet } from '../fleet.ts'
import { nextFor } from '../next.ts'
import { type ConfigView, stateOf } from '../view.ts'
import { stateWords } from './state.ts'

/** What was before a pause or its end, and what happens next. Pure; the fleet and the node configs are those from before. */

export function nodePaused(config: ConfigView): string {
	const { name, paused, status } = config
	const was = paused ? 'was paused already' : `was ${stateWords(config)}, is paused now`
	const running = stateOf(config) === 'InProgress' ? `Job ${status.lastJobName ?? ''} is awaited; then no` : 'No'
	return `${name}: ${was}. ${running} run is started until: kubectl multinic resume ${name}`
}

export function nodeResumed(config: ConfigView, fleet: Fleet): string {
	const { name, paused } = config
	if (!paused) return `${name}: was not paused, is ${stateWords(config)}. ${nextFor(config, fleet)}`
	const next = fleet.paused
		? 'The fleet is paused as well; it goes on with: kubectl multinic resume'
		: 'The controller takes it up where it was.'
	return `${name}: was paused, goes on now. ${next}`
}

export function fleetPaused({ pausedBy, running, line }: Fleet): string {
	const was = pausedBy.person
		? 'the fleet was paused already'
		: pausedBy.chart
			? 'the fleet was paused by the chart, and is paused by you too now'
			: 'the fleet went on, is paused now'
	const underWay = running > 0 ? `${count(running, 'run')} under way ${running === 1 ? 'is' : 'are'} awaited. ` : ''
	const waiting = line.size > 0 ? `${count(line.size, 'node')} in line ${line.size === 1 ? 'waits' : 'wait'}. ` : ''
	return `${was}. ${underWay}${waiting}No node is changed until: kubectl multinic resume`
}

export function fleetResumed({ pausedBy, line, rule }: Fleet): string {
	const [first] = line.keys()
	const was = pausedBy.person ? 'the pause of the fleet is taken back' : 'the fleet was not paused by kubectl multinic pause'
	if (pausedBy.chart) return `${was}, but the chart still pauses it: set rollout.paused to false (helm upgrade, or in Git). ${CHART}`
	const next = first === undefined ? 'Nobody waits in line.' : `${count(line.size, 'node')} in line; the first is ${first}.`
	if (pausedBy.person) return `the fleet was paused, goes on now. ${next}`
	return `the fleet was not paused. ${rule === '' || first === undefined ? next : `${next} It is held back: ${rule}.`}`
}

/** Where the chart's settings are, for a look. */
const CHART = 'See: kubectl get configmap multinic-rollout -o yaml'

function count(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? '' : 's'}`
}
