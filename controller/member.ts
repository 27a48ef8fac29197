import { hasNeverRun, type Place } from '../contract/rollout.ts'
import { isChanging, isUnsettled, type Part, stopReason } from './rollout.ts'
import type { HoldRule, NodeView } from './snapshot.ts'

/** A node config as a member of the fleet. Pure. */
export type Member = Place & {
	uid: string
	generation: number
	/** Kubernetes has a node of that name. */
	hasNode: boolean
	/** In line: it wants a run that changes its node, as far as is known before it is decided. */
	waits: boolean
	changing: boolean
	/** Why it stops the others. */
	stops: string | undefined
	/** Goes before the line: it stops the others itself, or a person asks for it. */
	jumps: boolean
	held: { rule: HoldRule; since: number } | undefined
	/** When the last run we know of was made (milliseconds since 1970), by our clock if by us; undefined where we know of none. */
	lookedAt: number | undefined
}

/** Why a node config stops the others, as it is on record. */
export type Stop = { uid: string; stops: string }

/**
 * @param node of that name, where there is one: without it nothing is changed there, and nobody is stopped
 * @param before as it was; where nothing is known of it, what is on record of its stop
 * @returns the member as it is now; what was decided about it holds while its generation does
 */
export function memberOf(part: Part, node: NodeView | undefined, before: Member | Stop | undefined): Member {
	const { name, uid, generation, asked, status } = part.config
	const known = before && 'name' in before && before.uid === uid ? before : undefined
	const isSame = known?.generation === generation
	const stops = node && (stopReason(part) ?? stopBefore(part, before))
	const controlPlane = node?.controlPlane ?? false
	return {
		...{ name, uid, generation, controlPlane, isNew: hasNeverRun(status), stops, hasNode: node !== undefined },
		waits: known && isSame ? known.waits : node !== undefined && isUnsettled(part) && !isPaused(part),
		changing: isChanging(part),
		jumps: stops !== undefined || asked.retry !== undefined,
		held: known && isSame ? known.held : undefined,
		lookedAt: lastMade(part, known?.lookedAt),
	}
}

function stopBefore(part: Part, before: Pick<Member, 'uid' | 'stops'> | undefined): string | undefined {
	return isTryingAgain(part) && before?.uid === part.config.uid ? before.stops : undefined
}

function lastMade({ config, runs }: Part, before: number | undefined): number | undefined {
	const made = runs.filter(run => run.uid === config.uid).map(run => run.created)
	return made.reduce((latest, at) => Math.max(latest ?? at, at), before)
}

/** Whether nothing has changed of what other members look at. */
export function isAlike(a: Member | undefined, b: Member | undefined): boolean {
	const facts = (one: Member | undefined) => [one?.uid, one?.hasNode, one?.waits, one?.changing, one?.stops, one?.jumps]
	const others = facts(b)
	return facts(a).every((fact, at) => fact === others[at])
}

/** What stopped the others goes on doing so until it came through, however often it is changed meanwhile. */
function isTryingAgain(part: Part): boolean {
	const { state } = part.config.status
	return state !== 'Failed' && state !== 'Configured' && !isPaused(part)
}

function isPaused({ spec }: Part): boolean {
	return 'value' in spec && spec.value.paused === true
}
