import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from '../../contract/agent-run.ts'
import type { Failure } from '../../runtime/errors.ts'
import { type Code, failure, isFailure, wordsOf } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { type Loss, touchedBy } from '../plan/fingerprint.ts'
import type { LookupLoss } from '../plan/lookup-losses.ts'
import { lossesByCause } from '../plan/losses-after-rollback.ts'
import { notRestored } from '../plan/not-restored.ts'
import { answering, logProbes, lostPaths, probePaths, TIMEOUTS } from '../probe/node-paths.ts'
import { lostRoutes } from '../probe/packet-routes.ts'
import type { Failed } from '../report/outcome.ts'
import type { AttemptInput, AttemptWork } from './attempt-input.ts'

/** What is observed after a rollback. */
type AfterRollback = { state: HostState; answers: readonly Probe[]; lostRoutes: readonly LookupLoss[] }

/** What must be as it was before the run; each describes what is not. The rollback is complete if none returns anything. */
const comparisons: readonly ((work: AttemptWork, now: AfterRollback) => readonly string[])[] = [
	touchedThings,
	foreignThings,
	lostPathWords,
	routesOverOurLinks,
]

/** Rolls back everything, then compares and probes again: the log and the report follow from that. */
export async function rollBack(task: AttemptInput, work: AttemptWork & { failed: Failure<Code> }): Promise<Failed> {
	const { plan, before, probes, armed, failed } = work
	const { host, log } = task
	log.step('failed', failed.message)
	const { complaints, ...now } = await undoAndCompare(task, work)
	const foreign = lossesByCause(plan, before, now.state).byOthers
	// If something not managed by MultiNIC is gone, the paths that went with it are not reported separately.
	const lostByOthers = foreign.length > 0 ? foreign : now.lostRoutes
	const undone = { plan, state: now.state, probes, lostByOthers }
	const [first, ...more] = now.unrestored
	if (first !== undefined) {
		log.step('NOT rolled back', `${now.unrestored.join('; ')} (${complaints.join('; ')})`)
		return { kind: 'stuck', ...undone, failed, unrestored: [first, ...more] }
	}
	log.step('rolled back', restoredWords(lostByOthers))
	const isLate = hasEnded(armed)
	await host.disarm(armed)
	return { kind: 'rolledBack', ...undone, failed: isLate ? expired(task) : causeOf(failed, [...foreign, ...now.lostRoutes]) }
}

/** @returns the failure of a run that is too late to commit */
export function expired({ commitTimeoutSeconds }: AttemptInput): Failure<Code> {
	return failure('EXPIRED', `the run took longer than ${commitTimeoutSeconds} s, so the host rolls back`)
}

/** Then the host rolls back by itself, which is why a run fails, or may fail, and why there must not be another attempt meanwhile. */
export function hasEnded({ ends = Number.POSITIVE_INFINITY }: AttemptWork['armed']): boolean {
	return performance.now() > ends
}

type Compared = AfterRollback & { unrestored: string[]; complaints: string[] }

/** A rollback whose result cannot be determined is not complete: its links are unknown. */
async function undoAndCompare(task: AttemptInput, work: AttemptWork): Promise<Compared> {
	const { paths, probes, routes, plan, before } = work
	const { host, timed, log } = task
	const complaints: string[] = []
	try {
		const state = await undoUntilRestored(task, work, complaints)
		const answers = await timed('probe', () => probePaths(answering(paths, probes.before), TIMEOUTS.after))
		logProbes(log, 'probes undone', answers)
		const now = { state, answers, lostRoutes: await timed('lookup', () => lostRoutes(host, routes, { plan, state })) }
		return { ...now, complaints, unrestored: comparisons.flatMap(compare => compare(work, now)) }
	} catch (error) {
		if (!isFailure(error)) throw error
		const unrestored = [`what is restored could not be determined: ${wordsOf(error)}`]
		return { state: { ...before, links: [] }, answers: [], lostRoutes: [], complaints, unrestored }
	}
}

/** How often an undo is applied if a network daemon runs: it may configure a link in the middle of it, once its name is restored. */
const MAX_UNDOS = 3

/** @param complaints gets those of the last undo; whether it succeeded is observed */
async function undoUntilRestored(task: AttemptInput, work: AttemptWork, complaints: string[]): Promise<HostState> {
	const isShared = work.before.networkd || work.before.networkmanager
	for (let turn = 1; ; turn++) {
		complaints.splice(0, Number.POSITIVE_INFINITY, ...(await undo(task, work)))
		const state = await task.timed('observe', () => observeWhenRestored(task, work))
		if (!isShared || turn === MAX_UNDOS || touchedThings(work, { state }).length === 0) return state
		await sleep(1_000)
	}
}

async function undo({ host, timed }: AttemptInput, { plan }: AttemptWork): Promise<string[]> {
	try {
		return await timed('undo', () => host.undo(plan.undo))
	} catch (error) {
		if (!isFailure(error)) throw error
		return [wordsOf(error)]
	}
}

/** If other programs caused all losses, the run is not the cause. */
function causeOf(failed: Failure<Code>, lostByOthers: readonly Loss[]): Failure<Code> {
	const { lost = [] } = failed.facts as { lost?: readonly string[] }
	const taken = new Set(lostByOthers.map(({ key }) => key))
	if (lost.length === 0 || !lost.every(key => taken.has(key))) return failed
	return failure('LOST_BY_OTHERS', `another program is changing the network of this node: ${lossWords(lostByOthers)}`)
}

function restoredWords(lostByOthers: readonly Loss[]): string {
	if (lostByOthers.length === 0) return 'everything is as it was before the run'
	return `the changes of this run are rolled back; changed by another program: ${lossWords(lostByOthers)}`
}

function lossWords(losses: readonly Loss[]): string {
	return losses.map(({ words }) => words).join('; ')
}

/** NetworkManager configures again what it had, in its own time (milliseconds). */
const DAEMON_WAIT_MS = 10_000

async function observeWhenRestored({ host, wanted }: AttemptInput, work: AttemptWork): Promise<HostState> {
	const end = performance.now() + (work.plan.undo.some(({ action }) => action?.kind === 'manage') ? DAEMON_WAIT_MS : 0)
	for (;;) {
		const state = await host.observe(wanted.interfaces.map(({ macAddress }) => macAddress))
		if (performance.now() >= end || touchedThings(work, { state }).length === 0) return state
		await sleep(500)
	}
}

function touchedThings({ plan, before }: AttemptWork, { state }: Pick<AfterRollback, 'state'>): string[] {
	return notRestored(plan, before, state)
}

function foreignThings({ plan, before }: AttemptWork, { state }: AfterRollback): string[] {
	return lossesByCause(plan, before, state).byRun.map(({ words }) => words)
}

/**
 * Once everything that the run touched is restored, packets that still take another path do so because of other programs, unless they leave
 * by a link of the run.
 */
function routesOverOurLinks({ plan }: AttemptWork, { lostRoutes }: AfterRollback): string[] {
	const touched = touchedBy(plan)
	return lostRoutes.flatMap(({ after, words }) => ('links' in after && after.links.some(link => touched.has(link)) ? [words] : []))
}

function lostPathWords({ probes }: AttemptWork, { answers }: AfterRollback): string[] {
	return lostPaths(probes.before, answers).map(name => `${name} does not answer`)
}
