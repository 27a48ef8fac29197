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

/** The result of observing and probing after a rollback. */
type AfterRollback = { state: HostState; answers: readonly Probe[]; lostRoutes: readonly LookupLoss[] }

/** Comparisons with the state before the run; each describes the differences. The rollback is complete if there are none. */
const comparisons: readonly ((work: AttemptWork, now: AfterRollback) => readonly string[])[] = [
	touchedThings,
	foreignThings,
	lostPathWords,
	routesOverOurLinks,
]

/** Rolls everything back, then compares and probes again. The log and the report are based on the result. */
export async function rollBack(task: AttemptInput, work: AttemptWork & { failed: Failure<Code> }): Promise<Failed> {
	const { plan, before, probes, armed, failed } = work
	const { host, log } = task
	log.step('failed', failed.message)
	const { complaints, ...now } = await undoAndCompare(task, work)
	const foreign = lossesByCause(plan, before, now.state).byOthers
	// If state that MultiNIC does not manage has disappeared, the paths lost with it are not reported separately.
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

/** Whether the rollback timer has fired. The host then rolls back automatically, so the run fails and must not start another attempt. */
export function hasEnded({ ends = Number.POSITIVE_INFINITY }: AttemptWork['armed']): boolean {
	return performance.now() > ends
}

type Compared = AfterRollback & { unrestored: string[]; complaints: string[] }

/** If the result of a rollback cannot be determined, the rollback is treated as incomplete and the returned state has no links. */
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

/** @param complaints receives the complaints of the last undo; an observation decides whether that undo succeeded */
async function undoUntilRestored(task: AttemptInput, work: AttemptWork, complaints: string[]): Promise<HostState> {
	const isShared = work.before.networkd || work.before.networkmanager
	const undoAndObserve = async () => {
		complaints.splice(0, Number.POSITIVE_INFINITY, ...(await undo(task, work)))
		return task.timed('observe', () => observeWhenRestored(task, work))
	}
	return repeatUndo(undoAndObserve, state => !isShared || touchedThings(work, { state }).length === 0)
}

/** Maximum number of times that an undo is applied: a network daemon may configure a link during the undo, once it has its old name. */
const MAX_UNDOS = 3

/** @returns what the last undo returned: the first that `isComplete` accepts, or the third */
export async function repeatUndo<T>(undo: () => Promise<T>, isComplete: (result: T) => boolean): Promise<T> {
	for (let turn = 1; ; turn++) {
		const result = await undo()
		if (isComplete(result) || turn === MAX_UNDOS) return result
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

/** If other programs caused all losses, the run is not the cause, so the failure becomes LOST_BY_OTHERS. */
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

/** How long NetworkManager may take to restore the configuration of a device that it manages again (milliseconds). */
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
 * Once everything that the run touched is restored, a packet that still takes another path does so because of other programs, unless it
 * leaves through a link that the run touched.
 */
function routesOverOurLinks({ plan }: AttemptWork, { lostRoutes }: AfterRollback): string[] {
	const touched = touchedBy(plan)
	return lostRoutes.flatMap(({ after, words }) => ('links' in after && after.links.some(link => touched.has(link)) ? [words] : []))
}

function lostPathWords({ probes }: AttemptWork, { answers }: AfterRollback): string[] {
	return lostPaths(probes.before, answers).map(name => `${name} does not answer`)
}
