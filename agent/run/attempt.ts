import type { Probe } from '../../contract/agent-run.ts'
import { contradicted, rebootWords, unprovable, unproven } from '../boot/proof.ts'
import type { Refusal } from '../model/check.ts'
import { type Code, failure, isFailure, wordsOf } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import type { Log } from '../model/run-log.ts'
import { countChanges, type Plan } from '../plan/plan.ts'
import { refuseDuplicates, tellAddresses } from '../probe/duplicate-ipv6.ts'
import { answering, PATIENCE, probe, targetsOf, tellProbes } from '../probe/node-paths.ts'
import { askOwnGateways } from '../probe/own-gateways.ts'
import { askWays, askWaysAgain, elsewhere, type Ways } from '../probe/packet-routes.ts'
import type { Outcome, Probes } from '../report/outcome.ts'
import type { Armed } from '../rollback/timer.ts'
import type { Attempt, Work } from './attempt-input.ts'
import { look, makePlan } from './observe-and-plan.ts'
import { putBack } from './roll-back.ts'
import { refuseElsewhere, refuseLosses, refuseLostPaths, refuseLostWays, verify, withoutNewcomers } from './verify.ts'

/** A commit this close to the end of the rollback timer could run concurrently with the rollback (milliseconds). */
const MARGIN = 3_000

/** Runs observe → plan → arm → apply → verify → probe → commit; on failure rolls all of it back. */
export async function attempt(task: Attempt): Promise<Outcome> {
	const before = await look(task)
	const wish = await makePlan(task, before)
	task.planned(wish, before)
	if (task.dry || wish.steps.length === 0) return untouched(task, wish, before)
	const targets = targetsOf(task.host, before, task.apiServer)
	const asking = task.timed('probe', () => probe(targets))
	const arming = task.timed('arm', () =>
		task.host.arm({ undo: wish.undo, tag: task.tag, commitTimeoutSeconds: task.commitTimeoutSeconds, systemd: before.systemd }),
	)
	const looking = task.timed('lookup', () => askWays(task.host, { plan: wish, before }, task.wanted.needed ?? []))
	const { answers, armed, ways } = await prepared(task, { asking, arming, looking })
	const probes: Probes = { before: answers, after: [] }
	tellProbes(task.log, 'probes before', probes.before, ways.notes)
	tellArmed(task.log, armed)
	const work = { plan: wish, before, probes, targets, ways, armed }
	try {
		return await carryOut(task, work)
	} catch (error) {
		if (!isFailure<Code>(error)) throw await undone(task, wish, error)
		return putBack(task, { ...work, failed: error })
	}
}

type Preparing = { asking: Promise<Probe[]>; arming: Promise<Armed>; looking: Promise<Ways> }

/** Waits for all three, so that no process outlives the run. If one fails, nothing has been changed and there is nothing to roll back. */
async function prepared({ host }: Attempt, { asking, arming, looking }: Preparing) {
	const [answers, armed, ways] = await Promise.allSettled([asking, arming, looking])
	if (armed.status === 'rejected') throw armed.reason
	if (answers.status === 'fulfilled' && ways.status === 'fulfilled') return { answers: answers.value, armed: armed.value, ways: ways.value }
	await host.disarm(armed.value)
	throw answers.status === 'rejected' ? answers.reason : (ways as PromiseRejectedResult).reason
}

/**
 * After a bug, rolls back without verifying the result. The host stays armed: it restores what this undo may have missed.
 *
 * @returns the bug
 */
async function undone({ host, log }: Attempt, { undo }: Plan, bug: unknown): Promise<unknown> {
	try {
		await host.undo(undo)
		log.tell('rolled back', 'the changes of this run, because it cannot continue')
	} catch (error) {
		log.tell('NOT rolled back', `the rollback timer takes over: ${wordsOf(error)}`)
	}
	return bug
}

/** Nothing has to be changed, or nothing may be changed. The state of the interfaces' own gateways is reported anyway. */
async function untouched(task: Attempt, plan: Plan, state: HostState): Promise<Outcome> {
	const none = { before: [], after: [] }
	if (!task.asksGateways) return done(task, { plan, state, probes: none })
	const [{ warnings, words, notes }, wrong] = await task.timed('probe', () =>
		Promise.all([askOwnGateways(task.host, plan.accepted, state), elsewhere(task.host, plan.steps.length > 0 ? [] : plan.accepted, state)]),
	)
	tellProbes(task.log, 'probes', [], [...words, ...notes])
	return done(task, { plan: withRefused(plan, wrong), state, probes: none, warnings, notes })
}

/** An interface that matches the node config but does not send over its own link is not configured. */
function withRefused(plan: Plan, wrong: ReadonlyMap<number, Refusal>): Plan {
	const refused = plan.accepted.flatMap(({ nic }) => {
		const refusal = wrong.get(nic.id)
		return refusal ? [{ nic, refusal }] : []
	})
	return { ...plan, accepted: plan.accepted.filter(({ nic }) => !wrong.has(nic.id)), refused: [...plan.refused, ...refused] }
}

async function carryOut(task: Attempt, { plan: wish, before, probes, targets, ways, armed }: Work): Promise<Outcome> {
	const { host, timed, log } = task
	const unasked = await applySteps(task, wish)
	const open = await timed('probe', () => refuseDuplicates(host, wish.steps))
	const state = await verify(withoutNewcomers(task, wish), wish, before)
	refuseLosses(task, { plan: wish, before, state })
	const now = await timed('lookup', () => askWaysAgain(host, ways, { plan: wish, state }))
	refuseLostWays(task, wish, now.lost)
	refuseElsewhere(now.elsewhere)
	const [after, own] = await timed('probe', () =>
		Promise.all([probe(answering(targets, probes.before), PATIENCE.after), askOwnGateways(host, wish.accepted, state)]),
	)
	probes.after = after
	const given = tellAddresses(wish.steps, { unasked, open, links: state.links })
	const notes = [...given.notes, ...own.notes]
	tellProbes(log, 'probes after', after, [...own.words, ...given.words, ...notes])
	refuseLostPaths(targets, probes)
	const outcome = await done(task, { plan: wish, state, probes, warnings: own.warnings, notes })
	const isLate = armed.ends !== undefined && performance.now() > armed.ends - MARGIN
	if (isLate || !(await timed('commit', () => host.commit(armed))))
		throw failure('EXPIRED', `the run took longer than ${task.commitTimeoutSeconds} s, so the host rolls back`)
	return outcome
}

/** @returns which duplicate address checks could not run, and why */
async function applySteps({ host, timed, log }: Attempt, { steps }: Plan): Promise<readonly string[]> {
	const started = performance.now()
	let unasked: readonly string[] = []
	let asking = 0
	await timed('apply', () =>
		host.apply(steps, async work => {
			const asked = performance.now()
			unasked = await timed('probe', work)
			asking = performance.now() - asked
		}),
	)
	log.tell('applied', `${countChanges(steps)} changes in ${Math.round(performance.now() - started - asking)} ms`)
	return unasked
}

async function done({ host, timed, log, dry }: Attempt, outcome: Omit<Outcome, 'proof'>): Promise<Outcome> {
	const { plan, state } = outcome
	const why = unprovable(plan, dry)
	const asked = why === undefined ? await timed('prove', () => host.prove(plan.accepted, state)) : unproven(why)
	const proof = contradicted(asked, plan, state)
	if (!dry && (why === undefined || plan.steps.length > 0)) log.tell('verified', `in sync; same after reboot: ${rebootWords(proof)}`)
	return { ...outcome, proof }
}

function tellArmed(log: Log, { ends }: Armed): void {
	log.tell('armed', ends === undefined ? unwatched : `the host rolls back at ${hour(ends)} unless this run commits`)
}

const unwatched = 'undo files are written; without systemd only another run can use them'

/** Uses the wall clock as it is set now. */
function hour(monotonic: number): string {
	return new Date(Date.now() + monotonic - performance.now()).toISOString().slice(11, 19)
}
