import type { Failure } from '../../runtime/errors.ts'
import type { Refusal } from '../model/check.ts'
import { blamed, type Code, reasonOf } from '../model/failure.ts'
import type { Accepted, Released } from '../model/selection.ts'
import { countChanges } from '../plan/plan.ts'
import type { Outcome } from '../report/outcome.ts'
import { abandoned, afterLoss, afterSuccess, heldBack, isOver, type Search, searchAmong, type Suspect } from './bisect.ts'

/** What the attempts of a run have shown so far. */
export type Retry = {
	/** Interfaces that are not changed, and why. */
	failed: ReadonlyMap<number, Refusal>
	/** MAC → why that interface is not removed. */
	kept: ReadonlyMap<string, Refusal>
	/** The kernel refused to rename a link that is up. */
	renameDown: boolean
	/** Keys of state that is not managed by MultiNIC and that other programs change meanwhile: no attempt fails because of it. */
	excused: ReadonlySet<string>
	/** An attempt was committed, so the run as a whole was not rolled back. */
	committed: boolean
	/** How many attempts have changed the host since a link last appeared, and how many may. */
	attempts: number
	most?: number | undefined
	/** How many attempts were made. */
	turn: number
	/** The search for the change that costs the node a path, and what is reported about the loss. */
	search?: { state: Search; loss: Refusal } | undefined
}

/** Why another attempt may end differently than the last one. Without a lesson there is no other attempt. */
export type Lesson =
	| { kind: 'renameDown' }
	/** These are no longer changed. */
	| { kind: 'excluded'; suspects: readonly Suspect[] }
	/** Fewer than before may be the cause: these are held back while the others are tried. */
	| { kind: 'narrowed'; heldBack: readonly Suspect[] }
	| { kind: 'lostByOthers'; keys: readonly string[] }

export type Next = { retry: Retry; lesson?: Lesson }

export const FIRST: Retry = {
	failed: new Map(),
	kept: new Map(),
	renameDown: false,
	excused: new Set(),
	committed: false,
	attempts: 0,
	turn: 0,
}

type Case = { retry: Retry; outcome: Outcome; hasTime: boolean }
type FailedCase = Case & { failed: Failure<Code> }

/** Checked in order: the first that returns something decides how the run continues. */
const teachers: readonly ((found: FailedCase) => Next | undefined)[] = [goesDownToRename, blames, excuses, searches, keepsRemovals, settles]

/**
 * Decides what a run does after an attempt.
 *
 * @param hasTime whether a path may still be risked
 * @returns what is known now; with a lesson the run tries again, without one it ends. It ends after 1 + (number of interfaces) attempts
 *   that change something: desired interfaces, and those to be removed
 */
export function nextAttempt(before: Retry, outcome: Outcome, hasTime: boolean): Next {
	const { failed, plan, unrestored = [] } = outcome
	const attempts = before.attempts + (plan.steps.length > 0 ? 1 : 0)
	const most = before.most ?? mostAttempts(outcome)
	const retry = { ...before, attempts, most, turn: before.turn + 1, committed: before.committed || !failed }
	const left = most - attempts
	const found = { retry, outcome, hasTime: hasTime && left > 0 }
	if (unrestored.length > 0 || left < 0) return { retry }
	if (!failed) return afterGood(found)
	if (left === 0) return settles({ ...found, failed }) ?? { retry }
	for (const teacher of teachers) {
		const next = teacher({ ...found, failed })
		if (next) return next
	}
	return { retry }
}

/** @returns how many attempts may change the host: one, and one for each interface, desired or to be removed */
function mostAttempts({ plan: { accepted, refused, released, kept } }: Outcome): number {
	return 1 + accepted.length + refused.length + released.length + kept.length
}

/** @returns what the next attempt does not change: what has failed, and what is held back for now */
export function leftOut({ failed, kept, search }: Retry): Pick<Retry, 'failed' | 'kept'> {
	const held = byKind(search ? heldBack(search.state).map(suspect => [suspect, search.loss] as const) : [])
	return { failed: new Map([...held.failed, ...failed]), kept: new Map([...held.kept, ...kept]) }
}

/** Nothing is left to try once each is either configured or blamed. */
function afterGood({ retry, hasTime }: Case): Next {
	if (!retry.search) return { retry }
	const { state, loss } = retry.search
	const next = afterSuccess(state)
	return goOn({ ...retry, search: { state: hasTime ? next : abandoned(next), loss } }, () => false)
}

/** Before Linux 6.2 a link that is up cannot be renamed. */
function goesDownToRename({ retry, failed }: FailedCase): Next | undefined {
	if (retry.renameDown || !failed.message.includes('Device or resource busy')) return
	return { retry: { ...retry, renameDown: true }, lesson: { kind: 'renameDown' } }
}

function blames({ retry, failed }: FailedCase): Next | undefined {
	const refusals = blamed(failed).map(({ id, message }) => [id, { reason: reasonOf(failed.code), message }] as const)
	return excluding(retry, refusals)
}

/** What other programs removed now is not lost again, or not because of the run. */
function excuses({ retry, outcome: { lostByOthers = [] }, failed }: FailedCase): Next | undefined {
	const keys = lostByOthers.flatMap(({ key }) => (retry.excused.has(key) ? [] : [key]))
	if (failed.code !== 'LOST_BY_OTHERS' || keys.length === 0) return
	return { retry: { ...retry, excused: new Set([...retry.excused, ...keys]) }, lesson: { kind: 'lostByOthers', keys } }
}

function searches({ retry, outcome, hasTime, failed }: FailedCase): Next | undefined {
	if (failed.code !== 'CONNECTIVITY_LOST' && failed.code !== 'FOREIGN_CHANGED') return
	const { accepted, released } = changedBy(outcome)
	const state = retry.search ? afterLoss(retry.search.state) : searchAmong(accepted, hopsOf(failed), released)
	if (!state) return
	const isLeft = ({ failed: ids, kept }: Retry) =>
		released.some(({ ours }) => !kept.has(ours.mac)) || outcome.plan.accepted.some(({ nic }) => !ids.has(nic.id))
	return goOn({ ...retry, search: { state: hasTime ? state : abandoned(state), loss: lossOf(failed) } }, isLeft)
}

/** The cause is not known, so the others are tried without the removals. */
function keepsRemovals({ retry, outcome, failed }: FailedCase): Next | undefined {
	const { accepted, released } = changedBy(outcome)
	if (accepted.length === 0 || failed.facts.ofHost || !(failed.code === 'COMMAND_FAILED' || failed.code === 'NOT_VERIFIED')) return
	return excluding(
		retry,
		released.map(({ ours }) => [ours.mac, lossOf(failed)] as const),
	)
}

/** Excludes what this attempt was to change, so that the next one, which changes nothing, can report what earlier ones did. */
function settles({ retry, outcome, failed }: FailedCase): Next | undefined {
	if (!retry.committed) return
	const { accepted, released } = changedBy(outcome)
	const now = [...accepted.map(({ nic }) => nic.id), ...released.map(({ ours }) => ours.mac)]
	const suspects = [...(retry.search ? heldBack(retry.search.state) : []), ...now]
	return excluding(
		{ ...retry, search: undefined },
		suspects.map(suspect => [suspect, lossOf(failed)] as const),
	)
}

/** @param isLeft whether there is something to try other than what a finished search has found */
function goOn(retry: Retry, isLeft: (concluded: Retry) => boolean): Next {
	const { search } = retry
	if (!search) return { retry }
	if (!isOver(search.state)) return { retry, lesson: { kind: 'narrowed', heldBack: heldBack(search.state) } }
	const found = search.state.culprits.map(suspect => [suspect, search.loss] as const)
	const concluded = excluding({ ...retry, search: undefined }, found) ?? { retry: { ...retry, search: undefined } }
	return isLeft(concluded.retry) ? concluded : { retry: concluded.retry }
}

/** @returns undefined if all of them were already known */
function excluding(retry: Retry, refusals: readonly (readonly [Suspect, Refusal])[]): Next | undefined {
	const news = refusals.filter(([suspect]) => !(typeof suspect === 'number' ? retry.failed.has(suspect) : retry.kept.has(suspect)))
	if (news.length === 0) return
	const { failed, kept } = byKind(news)
	return {
		retry: { ...retry, failed: new Map([...retry.failed, ...failed]), kept: new Map([...retry.kept, ...kept]) },
		lesson: { kind: 'excluded', suspects: news.map(([suspect]) => suspect) },
	}
}

function byKind(refusals: readonly (readonly [Suspect, Refusal])[]): { failed: [number, Refusal][]; kept: [string, Refusal][] } {
	return {
		failed: refusals.flatMap(([suspect, refusal]): [number, Refusal][] => (typeof suspect === 'number' ? [[suspect, refusal]] : [])),
		kept: refusals.flatMap(([suspect, refusal]): [string, Refusal][] => (typeof suspect === 'string' ? [[suspect, refusal]] : [])),
	}
}

function lossOf({ code, message }: Failure<Code>): Refusal {
	return { reason: reasonOf(code), message: `${message}; this interface is unchanged` }
}

/** Returns what this attempt was to change. */
function changedBy({ plan: { accepted, released, steps } }: Outcome): { accepted: Accepted[]; released: readonly Released[] } {
	return { accepted: accepted.filter(({ nic }) => countChanges(steps, nic.id) > 0), released }
}

function hopsOf({ facts: { hops } }: Failure<Code>): readonly string[] {
	return Array.isArray(hops) ? (hops as string[]) : []
}
