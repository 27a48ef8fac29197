import type { Fleet } from '../model/fleet.ts'
import { stopWords } from './fleet.ts'
import { releaseWords } from './missing.ts'
import { complaintOf, condition, isCurrent, mayHeal, reasonOf, stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'

/** What happens next to a node, and what the user can do. Pure. */

type Check = (config: ConfigView, fleet: Fleet) => string | undefined

/** The first rule that returns a sentence decides. */
const checks: readonly Check[] = [
	whenDeleted,
	whenPaused,
	whenNotObserved,
	whenRunning,
	whenRequested,
	whenQueued,
	whenHeldBack,
	whenDrifted,
	whenFailed,
	whenPlanned,
]

/** @returns one or two sentences */
export function nextStep(config: ConfigView, fleet: Fleet): string {
	for (const rule of checks) {
		const words = rule(config, fleet)
		if (words) return words
	}
	return 'Nothing. The node matches its node config.'
}

function whenDeleted({ name, deleting, paused }: ConfigView, fleet: Fleet): string | undefined {
	if (!deleting) return undefined
	if (fleet.deletedWith !== undefined)
		return `It is being deleted with its namespace, and no run can start there. ${releaseWords(name, fleet.deletedWith)}`
	if (!paused && fleet.paused) return 'It is being deleted. A last run restores the node when the rollout resumes: kubectl multinic resume'
	if (paused) return `It is being deleted, but is paused. A last run restores the node when it resumes: kubectl multinic resume ${name}`
	return 'It is being deleted. A last run restores the node, then the node config is removed.'
}

function whenPaused({ name, paused }: ConfigView): string | undefined {
	return paused ? `It is paused. Resume with: kubectl multinic resume ${name}` : undefined
}

function whenNotObserved(config: ConfigView): string | undefined {
	const { generation, status } = config
	if (isCurrent(config)) return undefined
	const before = status.observedGeneration === undefined ? '' : `; this status is of generation ${status.observedGeneration}`
	const ask = config.asked.retry === undefined ? '' : 'A run was requested. '
	return `${ask}The controller has not observed generation ${generation} yet${before}.`
}

function whenRunning(config: ConfigView): string | undefined {
	if (stateOf(config) !== 'InProgress') return undefined
	const job = `Job ${config.status.lastJobName ?? ''}`
	if (reasonOf(config) === 'PodRefused')
		return `Kubernetes has not started the pod of ${job}. Kubernetes keeps trying until the deadline of the run; then the run is retried automatically.`
	return `${job} is running. Follow it with: kubectl multinic logs ${config.name} -f`
}

function whenRequested({ asked }: ConfigView, { paused }: Fleet): string | undefined {
	if (asked.retry === undefined) return undefined
	return paused
		? 'A run was requested. It starts when the rollout resumes: kubectl multinic resume'
		: 'A run was requested and starts as soon as possible.'
}

function whenQueued({ name }: ConfigView, fleet: Fleet): string | undefined {
	const { line, rule, paused } = fleet
	const place = line.get(name)
	if (place === undefined) return undefined
	const stop = stopWords(fleet)
	return `It is ${place} of ${line.size} in the queue: ${rule}${paused ? '. Resume with: kubectl multinic resume' : '.'}${stop && ` ${stop}`}`
}

function whenHeldBack(config: ConfigView): string | undefined {
	const reason = reasonOf(config)
	if (stateOf(config) !== 'Pending' || reason === 'Planned') return undefined
	return reason === '' ? 'The controller has not reported a status yet.' : 'The run starts automatically when that is resolved.'
}

function whenFailed(config: ConfigView, { stoppers }: Fleet): string | undefined {
	if (stateOf(config) !== 'Failed') return undefined
	const { name } = config
	const now = `kubectl multinic retry ${name}`
	const stop = stoppers.some(one => one.name === name)
		? `. It stops the rollout. To continue without it: kubectl multinic pause ${name}`
		: ''
	return mayHeal(complaintOf(config))
		? `It is retried automatically. To retry now: ${now}${stop}`
		: `It is not retried until the node config changes. To retry now: ${now}${stop}`
}

function whenPlanned({ name, status, mode }: ConfigView): string | undefined {
	return status.state === 'Pending' && mode === 'Plan'
		? `Only a plan is requested (spec.mode). Show it with: kubectl multinic plan ${name}`
		: undefined
}

/** Verified drift makes the node Failed with that reason. If the node failed for another reason, that failure decides the next step. */
function whenDrifted(config: ConfigView): string | undefined {
	const isTold = stateOf(config) !== 'Failed' && condition(config.status, 'Drifted')?.status === 'True'
	if (reasonOf(config) !== 'Drifted' && !isTold) return undefined
	return `It is repaired automatically, at most repairsPerHour times an hour. Show the drift with: kubectl multinic diff ${config.name}`
}
