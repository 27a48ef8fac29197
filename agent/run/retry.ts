import type { Failure } from '../../runtime/errors.ts'
import { type Check, firstOf, type Refusal } from '../model/check.ts'
import { blamed, type Code, reasonOf } from '../model/failure.ts'
import type { Accepted, Released } from '../model/selection.ts'
import { countChanges } from '../plan/plan.ts'
import type { Outcome } from '../report/outcome.ts'
import { type Bisect, type ChangeId, giveUp, isFinished, onFailure, onSuccess, startBisect, withheld } from './bisect.ts'

/** What the attempts of a run have shown so far. */
export type RetryState = {
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
	attemptCount: number
	/** The search for the change that costs the node a path, and what is reported about the loss. */
	search?: { state: Bisect; loss: Refusal } | undefined
}

/** Why another attempt may end differently than the last one. Without a reason there is no other attempt. */
export type RetryReason =
	| { kind: 'renameDown' }
	/** These are no longer changed. */
	| { kind: 'excluded'; changes: readonly ChangeId[] }
	/** Fewer than before may be the cause: these are held back while the others are tried. */
	| { kind: 'narrowed'; withheld: readonly ChangeId[] }
	| { kind: 'lostByOthers'; keys: readonly string[] }

export type Next = { retry: RetryState; reason?: RetryReason }

export const FIRST_STATE: RetryState = {
	failed: new Map(),
	kept: new Map(),
	renameDown: false,
	excused: new Set(),
	committed: false,
	attempts: 0,
	attemptCount: 0,
}

type RetryInput = { retry: RetryState; outcome: Outcome; hasTime: boolean }
type FailedInput = RetryInput & { failed: Failure<Code> }

/** Checked in order: the first that returns something decides how the run continues. */
const checks: readonly Check<FailedInput, Next>[] = [
	whenLinkIsBusy,
	whenBlamed,
	whenLostByOthers,
	whenPathLost,
	whenCauseUnknown,
	whenCommittedBefore,
]

/**
 * Decides what a run does after an attempt.
 *
 * @param hasTime whether a path may still be risked
 * @returns what is known now; with a reason the run tries again, without one it ends. It ends after 1 + (number of interfaces) attempts
 *   that change something: desired interfaces, and those to be removed
 */
export function nextAttempt(before: RetryState, outcome: Outcome, hasTime: boolean): Next {
	const { failed, plan, unrestored = [] } = outcome
	const attempts = before.attempts + (plan.steps.length > 0 ? 1 : 0)
	const most = before.most ?? mostAttempts(outcome)
	const retry = { ...before, attempts, most, attemptCount: before.attemptCount + 1, committed: before.committed || !failed }
	const left = most - attempts
	const found = { retry, outcome, hasTime: hasTime && left > 0 }
	if (unrestored.length > 0 || left < 0) return { retry }
	if (!failed) return whenSucceeded(found)
	if (left === 0) return whenCommittedBefore({ ...found, failed }) ?? { retry }
	return firstOf(checks, { ...found, failed }) ?? { retry }
}

/** @returns how many attempts may change the host: one, and one for each interface, desired or to be removed */
function mostAttempts({ plan: { accepted, refused, released, kept } }: Outcome): number {
	return 1 + accepted.length + refused.length + released.length + kept.length
}

/** @returns what the next attempt does not change: what has failed, and what is held back for now */
export function excluded({ failed, kept, search }: RetryState): Pick<RetryState, 'failed' | 'kept'> {
	const held = byKind(search ? withheld(search.state).map(change => [change, search.loss] as const) : [])
	return { failed: new Map([...held.failed, ...failed]), kept: new Map([...held.kept, ...kept]) }
}

/** Nothing is left to try once each is either configured or blamed. */
function whenSucceeded({ retry, hasTime }: RetryInput): Next {
	if (!retry.search) return { retry }
	const { state, loss } = retry.search
	const next = onSuccess(state)
	return continueBisect({ ...retry, search: { state: hasTime ? next : giveUp(next), loss } }, () => false)
}

/** Before Linux 6.2 a link that is up cannot be renamed. */
function whenLinkIsBusy({ retry, failed }: FailedInput): Next | undefined {
	if (retry.renameDown || !failed.message.includes('Device or resource busy')) return
	return { retry: { ...retry, renameDown: true }, reason: { kind: 'renameDown' } }
}

function whenBlamed({ retry, failed }: FailedInput): Next | undefined {
	const refusals = blamed(failed).map(({ id, message }) => [id, { reason: reasonOf(failed.code), message }] as const)
	return exclude(retry, refusals)
}

/** What other programs removed now is not lost again, or not because of the run. */
function whenLostByOthers({ retry, outcome: { lostByOthers = [] }, failed }: FailedInput): Next | undefined {
	const keys = lostByOthers.flatMap(({ key }) => (retry.excused.has(key) ? [] : [key]))
	if (failed.code !== 'LOST_BY_OTHERS' || keys.length === 0) return
	return { retry: { ...retry, excused: new Set([...retry.excused, ...keys]) }, reason: { kind: 'lostByOthers', keys } }
}

function whenPathLost({ retry, outcome, hasTime, failed }: FailedInput): Next | undefined {
	if (failed.code !== 'CONNECTIVITY_LOST' && failed.code !== 'FOREIGN_CHANGED') return
	const { accepted, released } = changedBy(outcome)
	const state = retry.search ? onFailure(retry.search.state) : startBisect(accepted, hopsOf(failed), released)
	if (!state) return
	const isLeft = ({ failed: ids, kept }: RetryState) =>
		released.some(({ ours }) => !kept.has(ours.mac)) || outcome.plan.accepted.some(({ nic }) => !ids.has(nic.id))
	return continueBisect({ ...retry, search: { state: hasTime ? state : giveUp(state), loss: unchangedRefusal(failed) } }, isLeft)
}

/** The cause is not known, so the others are tried without the removals. */
function whenCauseUnknown({ retry, outcome, failed }: FailedInput): Next | undefined {
	const { accepted, released } = changedBy(outcome)
	if (accepted.length === 0 || failed.facts.ofHost || !(failed.code === 'COMMAND_FAILED' || failed.code === 'NOT_VERIFIED')) return
	return exclude(
		retry,
		released.map(({ ours }) => [ours.mac, unchangedRefusal(failed)] as const),
	)
}

/** Excludes what this attempt was to change, so that the next one, which changes nothing, can report what earlier ones did. */
function whenCommittedBefore({ retry, outcome, failed }: FailedInput): Next | undefined {
	if (!retry.committed) return
	const { accepted, released } = changedBy(outcome)
	const now = [...accepted.map(({ nic }) => nic.id), ...released.map(({ ours }) => ours.mac)]
	const changes = [...(retry.search ? withheld(retry.search.state) : []), ...now]
	return exclude(
		{ ...retry, search: undefined },
		changes.map(change => [change, unchangedRefusal(failed)] as const),
	)
}

/** @param isLeft whether there is something to try other than what a finished search has found */
function continueBisect(retry: RetryState, isLeft: (concluded: RetryState) => boolean): Next {
	const { search } = retry
	if (!search) return { retry }
	if (!isFinished(search.state)) return { retry, reason: { kind: 'narrowed', withheld: withheld(search.state) } }
	const found = search.state.guilty.map(change => [change, search.loss] as const)
	const concluded = exclude({ ...retry, search: undefined }, found) ?? { retry: { ...retry, search: undefined } }
	return isLeft(concluded.retry) ? concluded : { retry: concluded.retry }
}

/** @returns undefined if all of them were already known */
function exclude(retry: RetryState, refusals: readonly (readonly [ChangeId, Refusal])[]): Next | undefined {
	const news = refusals.filter(([change]) => !(typeof change === 'number' ? retry.failed.has(change) : retry.kept.has(change)))
	if (news.length === 0) return
	const { failed, kept } = byKind(news)
	return {
		retry: { ...retry, failed: new Map([...retry.failed, ...failed]), kept: new Map([...retry.kept, ...kept]) },
		reason: { kind: 'excluded', changes: news.map(([change]) => change) },
	}
}

function byKind(refusals: readonly (readonly [ChangeId, Refusal])[]): { failed: [number, Refusal][]; kept: [string, Refusal][] } {
	return {
		failed: refusals.flatMap(([change, refusal]): [number, Refusal][] => (typeof change === 'number' ? [[change, refusal]] : [])),
		kept: refusals.flatMap(([change, refusal]): [string, Refusal][] => (typeof change === 'string' ? [[change, refusal]] : [])),
	}
}

function unchangedRefusal({ code, message }: Failure<Code>): Refusal {
	return { reason: reasonOf(code), message: `${message}; this interface is unchanged` }
}

/** Returns what this attempt was to change. */
function changedBy({ plan: { accepted, released, steps } }: Outcome): { accepted: Accepted[]; released: readonly Released[] } {
	return { accepted: accepted.filter(({ nic }) => countChanges(steps, nic.id) > 0), released }
}

function hopsOf({ facts: { hops } }: Failure<Code>): readonly string[] {
	return Array.isArray(hops) ? (hops as string[]) : []
}
