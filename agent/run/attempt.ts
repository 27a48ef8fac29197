import type { Probe } from '../../contract/agent-run.ts'
import { contradicted, rebootWords, unprovable, unproven } from '../boot/proof.ts'
import type { Proof } from '../model/boot-proof.ts'
import type { Refusal } from '../model/check.ts'
import { type Code, isFailure, wordsOf } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import type { Log } from '../model/run-log.ts'
import { countChanges, type Plan } from '../plan/plan.ts'
import { assertNoIpv6Duplicates, duplicateCheckWords } from '../probe/duplicate-ipv6.ts'
import { answering, logProbes, nodePaths, probePaths, TIMEOUTS } from '../probe/node-paths.ts'
import { probeOwnGateways } from '../probe/own-gateways.ts'
import { interfacesRoutedElsewhere, lookUpRoutes, lookUpRoutesAgain, type PacketRoutes } from '../probe/packet-routes.ts'
import type { Committed, NoChanges, Outcome, Planned, Probes } from '../report/outcome.ts'
import type { Armed } from '../rollback/arm.ts'
import type { AttemptInput, AttemptWork } from './attempt-input.ts'
import { makePlan, observeHost } from './observe-and-plan.ts'
import { expired, hasEnded, rollBack } from './roll-back.ts'
import { assertNothingLost, assertNotRoutedElsewhere, assertPathsAnswer, assertRoutesKept, ignoringNewLinks, verify } from './verify.ts'

/** A commit within this time (milliseconds) before the rollback timer fires could race with the rollback. */
const COMMIT_MARGIN_MS = 3_000

/** Runs observe → plan → arm → apply → verify → probe → commit. On failure, rolls everything back. */
export async function attempt(task: AttemptInput): Promise<Outcome> {
	const before = await observeHost(task)
	const plan = await makePlan(task, before)
	task.planned(plan, before)
	if (task.isDry || plan.steps.length === 0) return unchanged(task, plan, before)
	const paths = nodePaths(task.host, before, task.apiServer)
	const probing = task.timed('probe', () => probePaths(paths))
	const arming = task.timed('arm', () =>
		task.host.arm({ undo: plan.undo, tag: task.tag, commitTimeoutSeconds: task.commitTimeoutSeconds, systemd: before.systemd }),
	)
	const lookingUp = task.timed('lookup', () => lookUpRoutes(task.host, { plan, before }, task.wanted.needed))
	const { answers, armed, routes } = await whenPrepared(task, { probing, arming, lookingUp })
	const probes: Probes = { before: answers, after: [] }
	logProbes(task.log, 'probes before', probes.before, routes.notes)
	logArmed(task.log, armed)
	const work = { plan, before, probes, paths, routes, armed }
	try {
		return await applyAndVerify(task, work)
	} catch (error) {
		if (!isFailure<Code>(error)) throw await rollBackAfterBug(task, plan, error)
		return rollBack(task, { ...work, failed: error })
	}
}

type Preparing = { probing: Promise<Probe[]>; arming: Promise<Armed>; lookingUp: Promise<PacketRoutes> }

/**
 * Waits for all three, so that no child process outlives the run. If one of them fails, nothing has changed yet and no rollback is needed.
 */
async function whenPrepared({ host }: AttemptInput, { probing, arming, lookingUp }: Preparing) {
	const [answers, armed, routes] = await Promise.allSettled([probing, arming, lookingUp])
	if (armed.status === 'rejected') throw armed.reason
	if (answers.status === 'fulfilled' && routes.status === 'fulfilled')
		return { answers: answers.value, armed: armed.value, routes: routes.value }
	await host.disarm(armed.value)
	throw answers.status === 'rejected' ? answers.reason : (routes as PromiseRejectedResult).reason
}

/**
 * After an unexpected error, rolls back without verifying the result. The rollback timer stays armed and restores whatever this undo
 * misses.
 *
 * @returns the unexpected error, which the caller throws
 */
async function rollBackAfterBug({ host, log }: AttemptInput, { undo }: Plan, bug: unknown): Promise<unknown> {
	try {
		const complaints = await host.undo(undo)
		if (complaints.length > 0) log.step('NOT rolled back', `the rollback timer takes over: ${complaints.join('; ')}`)
		else log.step('rolled back', 'the changes of this run, because it cannot continue')
	} catch (error) {
		log.step('NOT rolled back', `the rollback timer takes over: ${wordsOf(error)}`)
	}
	return bug
}

/**
 * Ends an attempt that needs no changes or may not make any. Still reports the state of the interfaces' own gateways, except in mode Plan.
 */
async function unchanged(task: AttemptInput, plan: Plan, state: HostState): Promise<NoChanges | Planned> {
	const kind = task.isDry ? 'planned' : 'noChanges'
	if (!task.probesGateways) return { kind, plan, state, proof: await prove(task, plan, state), warnings: new Map(), notes: [] }
	const [{ warnings, words, notes }, wrong] = await task.timed('probe', () =>
		Promise.all([
			probeOwnGateways(task.host, plan.accepted, state),
			interfacesRoutedElsewhere(task.host, plan.steps.length > 0 ? [] : plan.accepted, state),
		]),
	)
	logProbes(task.log, 'probes', [], [...words, ...notes])
	const judged = withRefused(plan, wrong)
	return { kind, plan: judged, state, proof: await prove(task, judged, state), warnings, notes }
}

/** Rejects every interface that matches the node config but whose packets leave through another link. */
function withRefused(plan: Plan, wrong: ReadonlyMap<number, Refusal>): Plan {
	const refused = plan.accepted.flatMap(({ nic }) => {
		const refusal = wrong.get(nic.id)
		return refusal ? [{ nic, refusal }] : []
	})
	return { ...plan, accepted: plan.accepted.filter(({ nic }) => !wrong.has(nic.id)), refused: [...plan.refused, ...refused] }
}

async function applyAndVerify(task: AttemptInput, { plan, before, probes, paths, routes, armed }: AttemptWork): Promise<Committed> {
	const { host, timed, log } = task
	// Once the rollback timer has fired, no undo is left on the host to revert further changes.
	if (hasEnded(armed)) throw expired(task)
	const notChecked = await applySteps(task, plan)
	const open = await timed('probe', () => assertNoIpv6Duplicates(host, plan.steps))
	const state = await verify(ignoringNewLinks(task, plan), plan, before)
	assertNothingLost(task, { plan, before, state })
	const now = await timed('lookup', () => lookUpRoutesAgain(host, routes, { plan, state }))
	assertRoutesKept(task, plan, now.lost)
	assertNotRoutedElsewhere(now.elsewhere)
	const [after, own] = await timed('probe', () =>
		Promise.all([probePaths(answering(paths, probes.before), TIMEOUTS.after), probeOwnGateways(host, plan.accepted, state)]),
	)
	probes.after = after
	const given = duplicateCheckWords(plan.steps, { notChecked, open, links: state.links })
	const notes = [...given.notes, ...own.notes]
	logProbes(log, 'probes after', after, [...own.words, ...given.words, ...notes])
	assertPathsAnswer(paths, probes)
	const proof = await prove(task, plan, state)
	const isLate = armed.ends !== undefined && performance.now() > armed.ends - COMMIT_MARGIN_MS
	if (isLate || !(await timed('commit', () => host.commit(armed)))) throw expired(task)
	return { kind: 'committed', plan, state, probes, proof, warnings: own.warnings, notes }
}

/** @returns which duplicate address checks could not run, and why */
async function applySteps({ host, timed, log }: AttemptInput, { steps }: Plan): Promise<readonly string[]> {
	const started = performance.now()
	let notChecked: readonly string[] = []
	let probingMs = 0
	await timed('apply', () =>
		host.apply(steps, async work => {
			const probingStarted = performance.now()
			notChecked = await timed('probe', work)
			probingMs = performance.now() - probingStarted
		}),
	)
	log.step('applied', `${countChanges(steps)} changes in ${Math.round(performance.now() - started - probingMs)} ms`)
	return notChecked
}

/** @returns whether a reboot would restore the current state of the host */
async function prove({ host, timed, log, isDry }: AttemptInput, plan: Plan, state: HostState): Promise<Proof> {
	const why = unprovable(plan, isDry)
	const found = why === undefined ? await timed('prove', () => host.prove(plan.accepted, state)) : unproven(why)
	const proof = contradicted(found, plan, state)
	if (!isDry && (why === undefined || plan.steps.length > 0)) log.step('verified', `in sync; same after reboot: ${rebootWords(proof)}`)
	return proof
}

function logArmed(log: Log, { ends }: Armed): void {
	log.step('armed', ends === undefined ? NO_TIMER : `the host rolls back at ${clockTime(ends)} unless this run commits`)
}

const NO_TIMER = 'undo files are written; without systemd only another run can use them'

/** Converts a monotonic time to a wall-clock time, using the current setting of the clock. */
function clockTime(monotonic: number): string {
	return new Date(Date.now() + monotonic - performance.now()).toISOString().slice(11, 19)
}
