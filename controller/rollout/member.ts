import { hasNeverRun, type Place } from '../../contract/rollout.ts'
import { isChanging, isUnfinished, type Part, stopReason } from './participation.ts'
import type { HoldReason, NodeView } from '../model/snapshot.ts'

/** A node config as a member of the fleet. Pure. */
export type Member = Place & {
	uid: string
	generation: number
	/** Whether Kubernetes has a node with this name. */
	hasNode: boolean
	/**
	 * Whether the node config is queued. Until a decision is recorded, this is an estimate: whether it needs a run that changes its node.
	 */
	isQueued: boolean
	changing: boolean
	/** Why the node config stops the rollout; undefined if it does not. */
	stops: string | undefined
	/** Whether the node config skips the queue, because it stops the rollout itself or a person requested a retry. */
	skipsQueue: boolean
	hold: { reason: HoldReason; since: number } | undefined
	/**
	 * When the last known run was created (milliseconds since 1970), by the controller's clock if this process created the run; undefined
	 * if no run is known.
	 */
	lastRunAt: number | undefined
}

/** The recorded reason why a node config stops the rollout. */
export type Stop = { uid: string; stops: string }

/**
 * @param node the node with this name; if it does not exist, nothing is changed and the rollout is not stopped
 * @param before the previous member, or the recorded stop if there is no previous member
 * @returns the current member; the last decision about it remains valid as long as the generation is the same
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

/** Whether the two are the same, as far as other members are concerned. */
export function isAlike(a: Member | undefined, b: Member | undefined): boolean {
	const valuesOf = (one: Member | undefined) => [one?.uid, one?.hasNode, one?.isQueued, one?.changing, one?.stops, one?.skipsQueue]
	const others = valuesOf(b)
	return valuesOf(a).every((fact, at) => fact === others[at])
}

/**
 * Whether the node has no result yet. A node that stops the rollout continues to do so until it succeeds, regardless of changes to its
 * node config in the meantime.
 */
function isRetrying(part: Part): boolean {
	const { state } = part.config.status
	return state !== 'Failed' && state !== 'Configured' && !isPaused(part)
}

function isPaused({ spec }: Part): boolean {
	return 'value' in spec && spec.value.paused === true
}
