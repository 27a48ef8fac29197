import type { WantedInterface } from '../contract/interface.ts'
import type { Failure } from '../runtime/errors.ts'
import { type Attempt, attempt, type Outcome } from './attempt.ts'
import { blamed, type Code, reasonOf } from './failure.ts'
import type { Refusal } from './plan/match.ts'
import { backendOf } from './persist/backend.ts'
import { countChanges } from './plan/plan.ts'
import type { Run } from './run.ts'
import { abandoned, afterLoss, afterSuccess, heldBack, isOver, type Search, searchAmong } from './probe/suspects.ts'
import { isDry, type Tally, timed } from './tally.ts'
import { tellInterfaces } from './report/tell.ts'
import { doneWords } from './report/words.ts'

/** What earlier attempts of this run have taught. */
export type Lessons = {
	failed: Map<number, Refusal>
	renameDown: boolean
	turn: number
	/** An attempt of this run has been committed, so of the run as a whole it cannot be said that it was put back. */
	committed: boolean
	/** For the interface that costs the node a path, and what is said of it. */
	search?: { state: Search; loss: Refusal } | undefined
}

/** After so long no path is risked any more: the Job has 300 s in all (milliseconds since the run began). */
const LAST_RISK = 200_000

/** Tries again without each interface that makes the batch fail or costs the node a path, so that one bad NIC never costs the others. */
export async function converge(interfaces: readonly WantedInterface[], run: Run, lessons: Lessons): Promise<Outcome> {
	for (;;) {
		const outcome = await attempt(taskOf(interfaces, run, lessons))
		lessons.turn++
		if (!outcome.failed) count(outcome, run.tally)
		lessons.committed ||= !outcome.failed
		const hasTime = performance.now() < run.began + LAST_RISK
		if (outcome.unrestored?.length || !goesOn(lessons, outcome, hasTime)) return outcome
		if (lessons.search) run.surrounding.log.tell('held back', heldWords(interfaces, lessons.search.state))
		else run.surrounding.log.tell('again', againWords(interfaces, lessons))
	}
}

function againWords(interfaces: readonly WantedInterface[], { failed, renameDown }: Lessons): string {
	const names = interfaces.filter(({ id }) => failed.has(id)).map(({ name }) => name)
	return [...(names.length > 0 ? [`without ${names.join(', ')}`] : []), ...(renameDown ? ['links go down to be renamed'] : [])].join('; ')
}

/** @returns whether another attempt may come out better; each teaches something new, so there is an end */
function goesOn(lessons: Lessons, outcome: Outcome, hasTime: boolean): boolean {
	const { failed, plan } = outcome
	if (!failed) return lessons.search !== undefined && afterGood(lessons, lessons.search, hasTime)
	if (learn(lessons, failed)) return true
	const loss = { reason: reasonOf(failed.code), message: `${failed.message}; this interface is left as it was` }
	const state = isLoss(failed) && !outcome.stillLost ? suspected(lessons, outcome, hopsOf(failed)) : undefined
	if (!state) return lessons.committed && blameAll(lessons, outcome, loss)
	lessons.search = { state: hasTime ? state : abandoned(state), loss }
	if (!isOver(lessons.search.state)) return true
	conclude(lessons, lessons.search)
	return plan.released.length > 0 || plan.accepted.some(({ nic }) => !lessons.failed.has(nic.id))
}

function suspected({ search }: Lessons, outcome: Outcome, hops: readonly string[]): Search | undefined {
	return search ? afterLoss(search.state) : searchAmong(changedBy(outcome), hops, outcome.plan.released.length > 0)
}

/** What this attempt was to change stays as it is, so that the next one can speak for what earlier ones have done. */
function blameAll(lessons: Lessons, outcome: Outcome, loss: Refusal): boolean {
	const ids = [...(lessons.search ? heldBack(lessons.search.state) : []), ...changedBy(outcome).map(({ nic }) => nic.id)]
	const news = ids.filter(id => !lessons.failed.has(id))
	for (const id of news) lessons.failed.set(id, loss)
	lessons.search = undefined
	return news.length > 0
}

/** Nothing is left to try once all are either configured or to blame. */
function afterGood(lessons: Lessons, { state, loss }: NonNullable<Lessons['search']>, hasTime: boolean): boolean {
	const next = afterSuccess(state)
	lessons.search = { state: hasTime ? next : abandoned(next), loss }
	if (!isOver(lessons.search.state)) return true
	conclude(lessons, lessons.search)
	return false
}

function conclude(lessons: Lessons, { state, loss }: NonNullable<Lessons['search']>): void {
	for (const id of state.culprits) if (!lessons.failed.has(id)) lessons.failed.set(id, loss)
	lessons.search = undefined
}

function isLoss({ code }: Failure<Code>): boolean {
	return code === 'CONNECTIVITY_LOST' || code === 'FOREIGN_CHANGED'
}

function changedBy({ plan: { accepted, steps } }: Outcome): Outcome['plan']['accepted'] {
	return accepted.filter(({ nic }) => countChanges(steps, nic.id) > 0)
}

function hopsOf({ facts: { hops } }: Failure<Code>): readonly string[] {
	return Array.isArray(hops) ? (hops as string[]) : []
}

function heldWords(interfaces: readonly WantedInterface[], state: Search): string {
	const held = new Set(heldBack(state))
	const names = interfaces.filter(({ id }) => held.has(id)).map(({ name }) => name)
	return `${names.join(', ')}; the others are tried once more without`
}

/** @returns whether the failure blames somebody or something that was not known to be bad */
function learn(lessons: Lessons, failed: Failure<Code>): boolean {
	if (isBusy(failed.message) && !lessons.renameDown) {
		lessons.renameDown = true
		return true
	}
	const news = blamed(failed).filter(({ id }) => !lessons.failed.has(id))
	for (const { id, message } of news) lessons.failed.set(id, { reason: reasonOf(failed.code), message })
	return news.length > 0
}

function taskOf(interfaces: readonly WantedInterface[], run: Run, lessons: Lessons): Attempt {
	const { config, host, surrounding, tally } = run
	return {
		wanted: { interfaces, nodeAddresses: config.nodeAddresses, kinds: surrounding.kinds, failed: leftOut(lessons) },
		host,
		log: surrounding.log,
		planned: (plan, state) => {
			const found = backendOf(state)
			run.heading('backend' in found ? found.backend : 'unknown')
			tellInterfaces(plan, state, { log: surrounding.log, mode: config.mode })
		},
		tag: `g${config.generation}-${config.attempt}-${tally.started.getTime().toString(36)}-${lessons.turn}`,
		deadManSeconds: config.deadManSeconds,
		apiServer: surrounding.apiServer,
		dry: isDry(config),
		asksGateways: config.mode !== 'Plan',
		renameDown: lessons.renameDown,
		timed: (phase, work) => timed(tally, phase, work),
	}
}

/** Those that have failed, and those that are held back for now. */
function leftOut({ failed, search }: Lessons): Map<number, Refusal> {
	const held = search ? heldBack(search.state).map(id => [id, search.loss] as const) : []
	return new Map([...held, ...failed])
}

function count({ plan, warnings, notes }: Outcome, tally: Tally): void {
	if (warnings) tally.warnings = new Map(warnings)
	for (const note of notes ?? []) tally.notes.add(note)
	if (isDry(tally.config)) return
	for (const { nic } of plan.accepted) {
		tally.changes.set(nic.id, (tally.changes.get(nic.id) ?? 0) + countChanges(plan.steps, nic.id))
		tally.done.set(nic.id, [...(tally.done.get(nic.id) ?? []), ...doneWords(plan.steps, nic.id)])
	}
	tally.total += countChanges(plan.steps)
}

/** Before Linux 6.2 a link that is up keeps its name. */
function isBusy(message: string): boolean {
	return message.includes('Device or resource busy')
}
