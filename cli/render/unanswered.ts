import { clean } from '../../contract/clean.ts'
import type { Event } from '../../runtime/kube/index.ts'
import { condition, isCurrent, stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { ageOf } from './age.ts'
import { leaderlessWords } from './leaderless.ts'
import { stateWords } from './state.ts'

/** The reasons why no run answered a request, as far as the plugin can see them. Pure. */

export type Around = {
	config: ConfigView
	/** Whether the rollout is paused. */
	paused: boolean
	/** The status of the Node's condition Ready; empty: there is no Node, or no such condition; undefined: not known. */
	ready: string | undefined
	/** When the leading controller last renewed its Lease; empty: there is no leader; undefined: not known. */
	renewed: string | undefined
	events: readonly Event[]
	namespace: string
	seconds: number
	now: number
}

const mostEvents = 3

/** @returns the error, then the causes that were found, then commands that show more */
export function unansweredLines(around: Around): string[] {
	const { config, seconds, namespace, events, now } = around
	return [
		`error: timed out after ${seconds} s waiting for a run on ${config.name}; nothing was changed`,
		...causes(around).map(cause => `  ${clean(cause)}`),
		...events.slice(0, mostEvents).map(event => `  ${clean(eventWords(event, now))}`),
		`  more: kubectl multinic get ${config.name}; kubectl get events -n ${namespace}; kubectl get pods -n ${namespace}`,
	]
}

function causes(around: Around): string[] {
	const { config, paused, ready } = around
	const message = condition(config.status, 'Ready')?.message
	return [
		`the node config is ${stateWords(config)}${message ? `: ${message}` : ''}`,
		...(isCurrent(config) ? [] : [`the controller has not observed generation ${config.generation} yet; check that it is running`]),
		...[leaderlessWords(around)].filter(Boolean),
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
