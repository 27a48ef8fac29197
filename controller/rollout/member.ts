import { hasNeverRun, type Place } from '../../contract/rollout.ts'
import { isChanging, isUnfinished, type Part, stopReason } from './participation.ts'
import type { HoldReason, NodeView } from '../model/snapshot.ts'

/** A node config as a member of the fleet. Pure. */
export type Member = Place & {
	uid: string
	generation: number
	/** Kubernetes has a node with that name. */
	hasNode: boolean
	/** Queued: it needs a run that changes its node, as far as known before the decision. */
	isQueued: boolean
	changing: boolean
	/** Why it stops the rollout. */
	stops: string | undefined
	/** Skips the queue: it stops the rollout itself, or a person requested a retry. */
	skipsQueue: boolean
	hold: { reason: HoldReason; since: number } | undefined
	/**
	 * When the last known run was created (milliseconds since 1970), by the controller's clock if it created the run; undefined if none is
	 * known.
	 */
	lastRunAt: number | undefined
}

/** Why a node config stops the rollout, as recorded. */
export type Stop = { uid: string; stops: string }

/**
 * @param node the node with that name, if it exists; without one nothing is changed there, and the rollout is not stopped
 * @param before the previous member; if unknown, its recorded stop
 * @returns the current member; the last decision about it holds as long as its generation
 */
export function memberOf(part: Part, node: NodeView | undefined, before: Member | Stop | undefined): Member {
	const { name, uid, generation, requests, status } = part.config
	const known = before && 'name' in before && before.uid === uid ? before : undefined
	const isSame = known?.generation === generation
	const stops = node && (stopReason(part) ?? stopBefore(part, before))
	const controlPlane = node?.controlPlane ?? false
	return {
		...{ name, uid, generation, controlPlane, isNew: hasNeverRun(status), stops, hasNode: node !== undefined },
		isQueued: known && isSame ? known.isQueued : node !== undefined && isUnfinished(part) && !isPaused(part),
		changing: isChanging(part),
		skipsQueue: stops !== undefined || requests.retry !== undefined,
		hold: known && isSame ? known.hold : undefined,
		lastRunAt: lastMade(part, known?.lastRunAt),
	}
}

function stopBefore(part: Part, before: Pick<Member, 'uid' | 'stops'> | undefined): string | undefined {
	return isRetrying(part) && before?.uid === part.config.uid ? before.stops : undefined
}

function lastMade({ config, runs }: Part, before: number | undefined): number | undefined {
	const made = runs.filter(run => run.uid === config.uid).map(run => run.created)
	return made.reduce((latest, at) => Math.max(latest ?? at, at), before)
}

/** Whether nothing changed that matters to other members. */
export function isAlike(a: Member | undefined, b: Member | undefined): boolean {
	const valuesOf = (one: Member | undefined) => [one?.uid, one?.hasNode, one?.isQueued, one?.changing, one?.stops, one?.skipsQueue]
	const others = valuesOf(b)
	return valuesOf(a).every((fact, at) => fact === others[at])
}

/** A node that stops the rollout continues to do so until it succeeds, however often its node config changes meanwhile. */
function isRetrying(part: Part): boolean {
	const { state } = part.config.status
	return state !== 'Failed' && state !== 'Configured' && !isPaused(part)
}

function isPaused({ spec }: Part): boolean {
	return 'value' in spec && spec.value.paused === true
}
