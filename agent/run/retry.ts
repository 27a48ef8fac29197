import type { Failure } from '../../runtime/errors.ts'
import { type Check, firstOf, type Refusal } from '../model/check.ts'
import { blamed, type Code, reasonOf } from '../model/failure.ts'
import type { Accepted, Released } from '../model/selection.ts'
import { countChanges } from '../plan/plan.ts'
import { isFailed, type Outcome, type RolledBack } from '../report/outcome.ts'
import { type Bisect, type ChangeId, giveUp, isFinished, onFailure, onSuccess, startBisect, withheld } from './bisect.ts'

/** The findings of the attempts of this run so far. */
export type RetryState = {
	/** ID → why that interface is not configured. */
	failed: ReadonlyMap<number, Refusal>
	/** MAC → why that interface is not removed. */
	kept: ReadonlyMap<string, Refusal>
	/** The kernel refused to rename a link that is up. */
	renameDown: boolean
	/** Keys of state that MultiNIC does not manage and that other programs change during the run; no attempt fails because of them. */
	excused: ReadonlySet<string>
	/** At least one attempt succeeded, so the run as a whole was not rolled back. */
	committed: boolean
	/** Number of attempts that changed the host since a link last appeared, and the maximum; undefined: no attempt since then. */
	budget: { used: number; most: number } | undefined
	/** Number of attempts made in this run. */
	attemptCount: number
	/** The bisection for the change that breaks a path, and the refusal that reports the loss. */
	search: { state: Bisect; loss: Refusal } | undefined
}

/** Why another attempt may have a different result. Without a reason, the run makes no further attempt. */
export type RetryReason =
	| { kind: 'renameDown' }
	/** These changes are excluded from further attempts. */
	| { kind: 'excluded'; changes: readonly ChangeId[] }
	/** Fewer changes than before may be the cause: these are held back while the others are tried. */
	| { kind: 'narrowed'; withheld: readonly ChangeId[] }
	| { kind: 'lostByOthers'; keys: readonly string[] }

/** What a run does after an attempt, with its updated state. */
export type Next = { kind: 'again'; state: RetryState; reason: RetryReason } | End
type End = { kind: 'end'; state: RetryState }

export const FIRST_STATE: RetryState = {
	failed: new Map(),
	kept: new Map(),
	renameDown: false,
	excused: new Set(),
	committed: false,
	budget: undefined,
	attemptCount: 0,
	search: undefined,
}

type FailedInput = { state: RetryState; outcome: RolledBack; hasTime: boolean }

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
 * Decides what a run does after an attempt. The run ends after at most 1 + (number of interfaces) attempts that change something. This
 * number includes interfaces to be removed.
 *
 * @param timeLeft how long attempts may still risk losing a path (milliseconds)
 */
export function next(before: RetryState, outcome: Outcome, timeLeft: number): Next {
	const used = (before.budget?.used ?? 0) + (outcome.plan.steps.length > 0 ? 1 : 0)
	const most = before.budget?.most ?? mostAttempts(outcome)
	const committed = before.committed || !isFailed(outcome)
	const state = { ...before, budget: { used, most }, attemptCount: before.attemptCount + 1, committed }
	const left = most - used
	if (outcome.kind === 'stuck' || left < 0) return end(state)
	const hasTime = timeLeft > 0 && left > 0
	if (outcome.kind !== 'rolledBack') return whenSucceeded(state, hasTime)
	const input = { state, outcome, hasTime }
	return (left === 0 ? whenCommittedBefore(input) : firstOf(checks, input)) ?? end(state)
}

function end(state: RetryState): End {
	return { kind: 'end', state }
}

/** @returns how many attempts may change the host: one, plus one for each interface, desired or to be removed */
function mostAttempts({ plan: { accepted, refused, released, kept } }: Outcome): number {
	return 1 + accepted.length + refused.length + released.length + kept.length
}

/** @returns the changes that the next attempt does not make: those that failed and those that are held back for now */
export function excluded({ failed, kept, search }: RetryState): Pick<RetryState, 'failed' | 'kept'> {
	const held = byKind(search ? withheld(search.state).map(change => [change, search.loss] as const) : [])
	return { failed: new Map([...held.failed, ...failed]), kept: new Map([...held.kept, ...kept]) }
}

/** Continues the bisection. Nothing is left to try once every interface is either configured or blamed. */
function whenSucceeded(state: RetryState, hasTime: boolean): Next {
	if (!state.search) return end(state)
	const { state: bisect, loss } = state.search
	const found = onSuccess(bisect)
	return continueBisect({ ...state, search: { state: hasTime ? found : giveUp(found), loss } }, () => false)
}

/** Before Linux 6.2 a link that is up cannot be renamed. */
function whenLinkIsBusy({ state, outcome: { failed } }: FailedInput): Next | undefined {
	if (state.renameDown || !failed.message.includes('Device or resource busy')) return
	return { kind: 'again', state: { ...state, renameDown: true }, reason: { kind: 'renameDown' } }
}

function whenBlamed({ state, outcome: { failed } }: FailedInput): Next | undefined {
	const refusals = blamed(failed).map(({ id, message }) => [id, { reason: reasonOf(failed.code), message }] as const)
	return exclude(state, refusals)
}

/** State that other programs have removed cannot be lost again, or at least not because of the run, so the next attempt ignores it. */
function whenLostByOthers({ state, outcome: { lostByOthers, failed } }: FailedInput): Next | undefined {
	const keys = lostByOthers.flatMap(({ key }) => (state.excused.has(key) ? [] : [key]))
	if (failed.code !== 'LOST_BY_OTHERS' || keys.length === 0) return
	return { kind: 'again', state: { ...state, excused: new Set([...state.excused, ...keys]) }, reason: { kind: 'lostByOthers', keys } }
}

function whenPathLost({ state, outcome, hasTime }: FailedInput): Next | undefined {
	const { failed } = outcome
	if (failed.code !== 'CONNECTIVITY_LOST' && failed.code !== 'FOREIGN_CHANGED') return
	const { accepted, released } = changedBy(outcome)
	const bisect = state.search ? onFailure(state.search.state) : startBisect(accepted, hopsOf(failed), released)
	if (!bisect) return
	const isLeft = ({ failed: ids, kept }: RetryState) =>
		released.some(({ ours }) => !kept.has(ours.mac)) || outcome.plan.accepted.some(({ nic }) => !ids.has(nic.id))
	return continueBisect({ ...state, search: { state: hasTime ? bisect : giveUp(bisect), loss: unchangedRefusal(failed) } }, isLeft)
}

/** The cause is unknown, so the next attempt excludes the removals and tries only the other changes. */
function whenCauseUnknown({ state, outcome }: FailedInput): Next | undefined {
	const { failed } = outcome
	const { accepted, released } = changedBy(outcome)
	if (accepted.length === 0 || failed.facts.ofHost || !(failed.code === 'COMMAND_FAILED' || failed.code === 'NOT_VERIFIED')) return
	return exclude(
		state,
		released.map(({ ours }) => [ours.mac, unchangedRefusal(failed)] as const),
	)
}

/** Excludes the changes of this attempt, so that the next one changes nothing and can report the result of earlier attempts. */
function whenCommittedBefore({ state, outcome }: FailedInput): Next | undefined {
	if (!state.committed) return
	const { accepted, released } = changedBy(outcome)
	const now = [...accepted.map(({ nic }) => nic.id), ...released.map(({ ours }) => ours.mac)]
	const changes = [...(state.search ? withheld(state.search.state) : []), ...now]
	return exclude(
		{ ...state, search: undefined },
		changes.map(change => [change, unchangedRefusal(outcome.failed)] as const),
	)
}

/** @param isLeft whether any change remains to be tried once a finished bisection has excluded those that are the cause */
function continueBisect(state: RetryState, isLeft: (concluded: RetryState) => boolean): Next {
	const { search } = state
	if (!search) return end(state)
	if (!isFinished(search.state)) return { kind: 'again', state, reason: { kind: 'narrowed', withheld: withheld(search.state) } }
	const found = search.state.guilty.map(change => [change, search.loss] as const)
	const concluded = exclude({ ...state, search: undefined }, found) ?? end({ ...state, search: undefined })
	return isLeft(concluded.state) ? concluded : end(concluded.state)
}

/** @returns undefined if all of these changes are already excluded */
function exclude(state: RetryState, refusals: readonly (readonly [ChangeId, Refusal])[]): Next | undefined {
	const news = refusals.filter(([change]) => !(typeof change === 'number' ? state.failed.has(change) : state.kept.has(change)))
	if (news.length === 0) return
	const { failed, kept } = byKind(news)
	return {
		kind: 'again',
		state: { ...state, failed: new Map([...state.failed, ...failed]), kept: new Map([...state.kept, ...kept]) },
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

/** Returns the interfaces that this attempt was to change or remove. */
function changedBy({ plan: { accepted, released, steps } }: Outcome): { accepted: Accepted[]; released: readonly Released[] } {
	return { accepted: accepted.filter(({ nic }) => countChanges(steps, nic.id) > 0), released }
}

function hopsOf({ facts: { hops } }: Failure<Code>): readonly string[] {
	return Array.isArray(hops) ? (hops as string[]) : []
}
