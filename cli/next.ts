import type { Fleet } from './fleet.ts'
import { stopWords } from './render/fleet.ts'
import { releaseWords } from './render/missing.ts'
import { condition, type ConfigView, isCurrent, mayHeal, reasonOf, stateOf } from './view.ts'

/** What happens next to a node, and what a person can do. Pure. */

type Rule = (config: ConfigView, fleet: Fleet) => string | undefined

/** The first that has something to say is what comes first. */
const rules: readonly Rule[] = [isDeleted, isPaused, isNew, isRunning, isAsked, isInLine, isHeldBack, hasDrifted, isFailed, isPlanned]

/** @returns one or two sentences */
export function nextFor(config: ConfigView, fleet: Fleet): string {
	for (const rule of rules) {
		const words = rule(config, fleet)
		if (words) return words
	}
	return 'Nothing: the node is as it should be.'
}

function isDeleted({ name, deleting, paused }: ConfigView, fleet: Fleet): string | undefined {
	if (!deleting) return undefined
	if (fleet.deletedWith !== undefined)
		return `It is deleted with its namespace, in which no run can start. ${releaseWords(name, fleet.deletedWith)}`
	if (!paused && fleet.paused)
		return 'It is deleted: a last run puts the node back as it was once the fleet goes on: kubectl multinic resume'
	if (paused) return `It is deleted, and paused: the node is put back once it goes on: kubectl multinic resume ${name}`
	return 'It is deleted: a last run puts the node back as it was, then the node config goes.'
}

function isPaused({ name, paused }: ConfigView): string | undefined {
	return paused ? `It is paused; it goes on with: kubectl multinic resume ${name}` : undefined
}

function isNew(config: ConfigView): string | undefined {
	const { generation, status } = config
	if (isCurrent(config)) return undefined
	const before = status.observedGeneration === undefined ? '' : `; what is shown speaks of generation ${status.observedGeneration}`
	return `The controller has not yet looked at generation ${generation}${before}.`
}

function isRunning(config: ConfigView): string | undefined {
	if (stateOf(config) !== 'InProgress') return undefined
	return `Job ${config.status.lastJobName ?? ''} is under way; its words: kubectl multinic logs ${config.name} -f`
}

function isAsked({ asked }: ConfigView, { paused }: Fleet): string | undefined {
	if (asked.retry === undefined) return undefined
	return paused
		? 'A run was asked for; it starts once the fleet goes on: kubectl multinic resume'
		: 'A run was asked for, and starts as soon as nothing holds it back.'
}

function isInLine({ name }: ConfigView, fleet: Fleet): string | undefined {
	const { line, rule, paused } = fleet
	const place = line.get(name)
	if (place === undefined) return undefined
	const stop = stopWords(fleet)
	return `It is ${place} of ${line.size} in line: ${rule}${paused ? '; it goes on with: kubectl multinic resume' : '.'}${stop && ` ${stop}`}`
}

function isHeldBack(config: ConfigView): string | undefined {
	const reason = reasonOf(config)
	if (stateOf(config) !== 'Pending' || reason === 'Planned') return undefined
	return reason === '' ? 'The controller says nothing of it yet.' : 'The run starts by itself when that is over.'
}

function isFailed(config: ConfigView, { stoppers }: Fleet): string | undefined {
	if (stateOf(config) !== 'Failed') return undefined
	const { name } = config
	const now = `kubectl multinic retry ${name}`
	const stop = stoppers.some(one => one.name === name) ? `. It stops the rollout: kubectl multinic pause ${name} lifts the stop.` : ''
	return mayHeal(config)
		? `It is tried again by itself; to have it now: ${now}${stop}`
		: `It waits for a change of the node config, or for: ${now}${stop}`
}

function isPlanned({ name, status, mode }: ConfigView): string | undefined {
	return status.state === 'Pending' && mode === 'Plan'
		? `Only a plan is wanted (spec.mode); to see it: kubectl multinic plan ${name}`
		: undefined
}

/** A drift that was judged makes the node Failed for that reason; one beside another failure is not what comes next. */
function hasDrifted(config: ConfigView): string | undefined {
	const isTold = stateOf(config) !== 'Failed' && condition(config, 'Drifted')?.status === 'True'
	if (reasonOf(config) !== 'Drifted' && !isTold) return undefined
	return `It is put right by itself, as often as repairsPerHour allows; what differs: kubectl multinic diff ${config.name}`
}
