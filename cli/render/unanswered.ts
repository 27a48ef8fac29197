import { clean } from '../../contract/clean.ts'
import type { Event } from '../../runtime/kube/kinds.ts'
import { type ConfigView, condition, isCurrent, stateOf } from '../view.ts'
import { ageOf } from './age.ts'
import { stateWords } from './state.ts'

/** Why no run answered, as far as it can be seen from outside. Pure. */

export type Around = {
	config: ConfigView
	/** Of the fleet. */
	paused: boolean
	/** Of the Node; empty: there is none, or it says nothing; undefined: not known. */
	ready: string | undefined
	events: readonly Event[]
	namespace: string
	seconds: number
	now: number
}

const mostEvents = 3

/** @returns the sentence, then what was found, then where to look further */
export function unansweredLines(around: Around): string[] {
	const { config, seconds, namespace, events, now } = around
	return [
		`error: timed out after ${seconds} s waiting for a run on ${config.name}; nothing was changed`,
		...causes(around).map(cause => `  ${clean(cause)}`),
		...events.slice(0, mostEvents).map(event => `  ${clean(eventWords(event, now))}`),
		`  more: kubectl multinic get ${config.name}; kubectl get events -n ${namespace}; kubectl get pods -n ${namespace}`,
	]
}

function causes({ config, paused, ready }: Around): string[] {
	const message = condition(config, 'Ready')?.message
	return [
		`the node config is ${stateWords(config)}${message ? `: ${message}` : ''}`,
		...(isCurrent(config) ? [] : [`the controller has not observed generation ${config.generation} yet; check that it is running`]),
		...(config.paused ? [`it is paused: kubectl multinic resume ${config.name}`] : []),
		...(paused ? ['the rollout is paused: kubectl multinic resume'] : []),
		...(ready === '' ? [`there is no Kubernetes node ${config.name}, or it reports no status`] : []),
		...(ready === 'Unknown' ? ['its kubelet is not reporting, so no pod can start there'] : []),
		...(stateOf(config) === 'InProgress' ? [`Job ${config.status.lastJobName ?? ''} is running, and a node has one run at a time`] : []),
	]
}

function eventWords({ reason, message, lastTimestamp, metadata }: Event, now: number): string {
	return `Event ${ageOf(lastTimestamp ?? metadata.creationTimestamp, now)} ago: ${reason ?? ''}: ${message ?? ''}`
}
