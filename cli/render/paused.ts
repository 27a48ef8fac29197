import type { Fleet } from '../model/fleet.ts'
import { nextStep } from './next-step.ts'
import { stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { stateWords } from './state.ts'

/** The output of pause and resume: the previous state, and what happens next. Pure; fleet and node configs are as before the change. */

export function nodePaused(config: ConfigView): string {
	const { name, paused, status } = config
	const now = paused ? 'already paused' : `paused (was ${stateWords(config)})`
	const running = stateOf(config) === 'InProgress' ? `Job ${status.lastJobName ?? ''} will finish. ` : ''
	return `${name}: ${now}. ${running}Resume with: kubectl multinic resume ${name}`
}

export function nodeResumed(config: ConfigView, fleet: Fleet): string {
	const { name, paused } = config
	if (!paused) return `${name}: not paused (${stateWords(config)}). ${nextStep(config, fleet)}`
	const next = config.deleting
		? nextStep({ ...config, paused: false }, fleet)
		: fleet.paused
			? 'The rollout is paused too. Resume it with: kubectl multinic resume'
			: 'The controller continues where it stopped.'
	return `${name}: resumed. ${next}`
}

export function fleetPaused({ pausedBy, running, line }: Fleet): string {
	const now = pausedBy.person ? 'rollout already paused' : pausedBy.chart ? 'rollout paused, in addition to the chart' : 'rollout paused'
	const inProgress = running > 0 ? `${count(running, 'run')} in progress will finish. ` : ''
	const queued = line.size > 0 ? `${count(line.size, 'node')} queued. ` : ''
	return `${now}. ${inProgress}${queued}Resume with: kubectl multinic resume`
}

export function fleetResumed({ pausedBy, line, rule }: Fleet, namespace: string): string {
	const [first] = line.keys()
	if (pausedBy.chart) {
		const now = pausedBy.person ? 'pause removed' : 'not paused by kubectl multinic pause'
		return `${now}, but the chart still pauses the rollout: set rollout.paused to false (helm upgrade, or in Git). ${see(namespace)}`
	}
	const next = first === undefined ? 'No nodes queued.' : `${count(line.size, 'node')} queued, ${first} is next.`
	if (pausedBy.person) return `rollout resumed. ${next}`
	return `rollout not paused. ${rule === '' || first === undefined ? next : `${next} Blocked: ${rule}.`}`
}

/** Returns how to show the settings of the chart. */
const see = (namespace: string) => `See: kubectl get configmap multinic-rollout -n ${namespace} -o yaml`

function count(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? '' : 's'}`
}
