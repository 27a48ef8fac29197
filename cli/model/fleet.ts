import {
	hasNeverRun,
	type PausedBy,
	type Place,
	type Rollout as Known,
	type RolloutSettings,
	rolloutOrder,
	waveLimit,
} from '../../contract/rollout.ts'
import type { State } from '../../contract/node-config.ts'
import { type Stopper, type StopRecord, stoppersOf } from './stoppers.ts'
import { complaintOf, condition, isCurrent, isDrifted, isJudged, mayHeal, reasonOf, stateOf } from '../../contract/status.ts'
import type { ConfigView } from './node-config-view.ts'

/** The status of a rollout, computed from node configs, Nodes and settings. Pure. */

/** The rollout settings and the pause, or why the settings cannot be used; undefined if the user may not read them. */
export type Rollout = Known | undefined

export type Fleet = {
	total: number
	states: Readonly<Record<State, number>>
	/** Number of node configs whose generation has a result (Configured, Failed, or Planned in mode Plan) and that are not queued. */
	settled: number
	/** Number of runs in progress. */
	running: number
	/** Names of queued node configs, and of those whose repair or retry is held back → position in the queue, from 1. */
	line: ReadonlyMap<string, number>
	paused: boolean
	/** The sources of the pause. */
	pausedBy: PausedBy
	/**
	 * Nodes that prevent changes to all other nodes, with the reason. The rollout continues when each of them succeeds, is paused or is
	 * deleted.
	 */
	stoppers: readonly Stopper[]
	/** The reason why the queue is held back, as a sentence without its period; empty if the queue is not held back. */
	rule: string
	/** Why the settings cannot be used, in which case no node is changed; empty if they can be used. */
	fault: string
	/** The namespace, if it is being deleted together with node configs. */
	deletedWith?: string
}

/**
 * Computes the status of a fleet.
 *
 * @param controlPlane names of the control-plane Nodes, which are last in the queue
 * @param record the nodes that stop the rollout, as recorded by the controller; without a record, they are derived from the statuses
 */
export function fleetOf(
	configs: readonly ConfigView[],
	controlPlane: ReadonlySet<string>,
	rollout: Rollout,
	record?: StopRecord | undefined,
): Fleet {
	const states: Record<State, number> = { Pending: 0, InProgress: 0, Configured: 0, Failed: 0 }
	for (const config of configs) states[stateOf(config)]++
	const settings = rollout && 'value' in rollout ? rollout.value : undefined
	const running = states.InProgress
	const pausedBy = rollout?.pausedBy ?? { chart: false, person: false }
	const paused = pausedBy.chart || pausedBy.person
	const fault = rollout && 'fault' in rollout ? rollout.fault : ''
	const stoppers = stoppersOf(configs, record)
	const stopping = new Set(stoppers.map(({ name }) => name))
	const isHeld = (config: ConfigView) =>
		fault !== '' || paused ? isToBeRun(config, settings) : stopping.size > 0 && !stopping.has(config.name) && isStopped(config, settings)
	const line = lineOf(
		configs.filter(config => isWaiting(config) || isHeld(config)),
		controlPlane,
	)
	const places = new Map(line.map(({ name }, at) => [name, at + 1]))
	const onNodes = configs.filter(config => reasonOf(config) !== 'NodeNotFound').length
	const limit = settings && waveLimit(settings.maxUnavailable, onNodes)
	const rule = ruleOf({ stopper: stoppers[0], first: line[0], running, paused, fault, limit })
	return {
		total: configs.length,
		states,
		settled: configs.filter(config => isSettled(config) && !places.has(config.name)).length,
		running,
		line: places,
		paused,
		pausedBy,
		stoppers,
		rule,
		fault,
	}
}

/** Reports whether a rollout rule holds the node back. */
export function isWaiting(config: ConfigView): boolean {
	return stateOf(config) === 'Pending' && reasonOf(config) === 'Waiting'
}

/**
 * Reports whether a run is due although the status does not show it: because a retry was requested, or to repair drift, to retry a failure
 * that may heal, or to restore the node of a deleted node config.
 */
function isToBeRun(config: ConfigView, settings: RolloutSettings | undefined): boolean {
	if (config.paused || !isCurrent(config) || stateOf(config) === 'InProgress') return false
	if (config.asked.retry !== undefined) return true
	if (stateOf(config) !== 'Failed') return false
	if (config.deleting) return true
	return isDrifted(config) ? settings?.repairsPerHour !== 0 : mayHeal(complaintOf(config))
}

/**
 * Reports whether a node that stops the rollout holds back the run of this other node. A run that a user requested is not held back.
 */
function isStopped(config: ConfigView, settings: RolloutSettings | undefined): boolean {
	return config.asked.retry === undefined && isToBeRun(config, settings)
}

/** Reports whether the current generation has a result, after which only a retry or a repair starts automatically. */
export function isSettled(config: ConfigView): boolean {
	return !config.deleting && isCurrent(config) && isJudged(config)
}

/** Reports whether a rollout is in progress, or cannot continue. */
export function isUnderWay({ running, line, rule }: Fleet): boolean {
	return running > 0 || line.size > 0 || rule !== ''
}

function lineOf(waiting: readonly ConfigView[], controlPlane: ReadonlySet<string>): (Place & { config: ConfigView })[] {
	const placeOf = (config: ConfigView) => {
		const { name, status } = config
		return { name, controlPlane: controlPlane.has(name), isNew: hasNeverRun(status), config }
	}
	return waiting.map(placeOf).sort(rolloutOrder)
}

type Line = {
	stopper: Stopper | undefined
	first: { config: ConfigView } | undefined
	running: number
	paused: boolean
	fault: string
	limit: number | undefined
}

/** Returns the rule with the highest precedence. For example, a pause holds nodes back even if no node stops the rollout. */
function ruleOf({ stopper, first, running, paused, fault, limit }: Line): string {
	if (fault !== '') return `ConfigMap multinic-rollout cannot be used: ${clause(fault)}`
	if (paused) return 'the rollout is paused'
	if (stopper) return `stopped by ${stopper.name}: ${stopper.reason}, ${clause(stopper.message)}`
	if (!first) return ''
	if (limit !== undefined && running >= limit) return `the wave is full (at most ${limit} ${limit === 1 ? 'node' : 'nodes'})`
	return clause(condition(first.config.status, 'Ready')?.message) || 'the controller has not reported a reason'
}

/** Returns a message without its final period, for use inside a sentence. */
function clause(message = ''): string {
	return message.replace(/\.$/, '')
}
