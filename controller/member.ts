import type { Place } from '../contract/rollout.ts'
import { isChanging, isUnsettled, type Part, stopReason } from './rollout.ts'
import type { HoldRule } from './snapshot.ts'

/** A node config as a member of the fleet. Pure. */
export type Member = Place & {
	uid: string
	generation: number
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

/** @returns the member as it is now; what was decided about it holds while its generation does */
export function memberOf(part: Part, controlPlane: boolean, before: Member | undefined): Member {
	const { name, uid, generation, asked } = part.config
	const isSame = before?.uid === uid && before.generation === generation
	const stops = stopReason(part) ?? (isTryingAgain(part) && before?.uid === uid ? before.stops : undefined)
	return {
		...{ name, uid, generation, controlPlane, stops },
		waits: isSame ? before.waits : isUnsettled(part) && !isPaused(part),
		changing: isChanging(part),
		jumps: stops !== undefined || asked.retry !== undefined,
		held: isSame ? before.held : undefined,
		lookedAt: lastMade(part, before?.uid === uid ? before.lookedAt : undefined),
	}
}

function lastMade({ config, runs }: Part, before: number | undefined): number | undefined {
	const made = runs.filter(run => run.uid === config.uid).map(run => run.created)
	return made.reduce((latest, at) => Math.max(latest ?? at, at), before)
}

/** Whether nothing has changed of what other members look at. */
export function isAlike(a: Member | undefined, b: Member | undefined): boolean {
	return a?.uid === b?.uid && a?.waits === b?.waits && a?.changing === b?.changing && a?.stops === b?.stops && a?.jumps === b?.jumps
}

/** What stopped the others goes on doing so until it came through, however often it is changed meanwhile. */
function isTryingAgain(part: Part): boolean {
	const { state } = part.config.status
	return state !== 'Failed' && state !== 'Configured' && !isPaused(part)
}

function isPaused({ spec }: Part): boolean {
	return 'value' in spec && spec.value.paused === true
}
