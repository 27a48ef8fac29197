import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from '../../contract/agent-run.ts'
import type { Failure } from '../../runtime/errors.ts'
import { unproven } from '../boot/proof.ts'
import { type Code, failure } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { type Loss, touchedBy } from '../plan/fingerprint.ts'
import type { LookupLoss } from '../plan/lookup-losses.ts'
import { judgeLosses } from '../plan/losses-after-rollback.ts'
import { notRestored } from '../plan/not-restored.ts'
import { answering, lostPaths, PATIENCE, probe, tellProbes } from '../probe/node-paths.ts'
import { lostWays } from '../probe/packet-routes.ts'
import type { Outcome } from '../report/outcome.ts'
import type { Attempt, Work } from './attempt-input.ts'

/** What is observed after a rollback. */
type Seen = { state: HostState; answers: readonly Probe[]; lostWays: readonly LookupLoss[] }

/** What must be as it was before the run; each describes what is not. The rollback is complete if none returns anything. */
const comparisons: readonly ((work: Work, now: Seen) => readonly string[])[] = [touchedThings, foreignThings, paths, waysOverOurs]

/** Rolls back everything, then compares and probes again: the log and the report follow from that. */
export async function putBack(task: Attempt, work: Work & { failed: Failure<Code> }): Promise<Outcome> {
	const { plan, before, probes, targets, ways, armed, failed } = work
	const { host, timed, log } = task
	log.tell('failed', failed.message)
	const { complaints, state } = await undoUntilRestored(task, work)
	const answers = await timed('probe', () => probe(answering(targets, probes.before), PATIENCE.after))
	tellProbes(log, 'probes undone', answers)
	const lost = await timed('lookup', () => lostWays(host, ways, { plan, state }))
	const unrestored = comparisons.flatMap(compare => compare(work, { state, answers, lostWays: lost }))
	const foreign = judgeLosses(plan, before, state).byOthers
	// If something not managed by MultiNIC is gone, the paths that went with it are not reported separately.
	const lostByOthers = foreign.length > 0 ? foreign : lost
	if (unrestored.length === 0) log.tell('rolled back', restoredWords(lostByOthers))
	else log.tell('NOT rolled back', `${unrestored.join('; ')} (${complaints.join('; ')})`)
	if (unrestored.length === 0) await host.disarm(armed)
	const cause = unrestored.length === 0 ? causeOf(failed, [...foreign, ...lost]) : failed
	return { plan, state, probes, failed: cause, unrestored, lostByOthers, proof: unproven('the run was rolled back') }
}

/** How often an undo is applied if a network daemon runs: it may configure a link in the middle of it, once its name is restored. */
const UNDOS = 3

async function undoUntilRestored(task: Attempt, work: Work): Promise<{ complaints: string[]; state: HostState }> {
	const { host, timed } = task
	const isShared = work.before.networkd || work.before.networkmanager
	for (let turn = 1; ; turn++) {
		const complaints = await timed('undo', () => host.undo(work.plan.undo))
		const state = await timed('observe', () => settled(task, work))
		if (!isShared || turn === UNDOS || touchedThings(work, { state }).length === 0) return { complaints, state }
		await sleep(1_000)
	}
}

/** If other programs caused all losses, the run is not the cause. */
function causeOf(failed: Failure<Code>, lostByOthers: readonly Loss[]): Failure<Code> {
	const { lost = [] } = failed.facts as { lost?: readonly string[] }
	const taken = new Set(lostByOthers.map(({ key }) => key))
	if (lost.length === 0 || !lost.every(key => taken.has(key))) return failed
	return failure('LOST_BY_OTHERS', `another program is changing the network of this node: ${wordsOf(lostByOthers)}`)
}

function restoredWords(lostByOthers: readonly Loss[]): string {
	if (lostByOthers.length === 0) return 'everything is as it was before the run'
	return `the changes of this run are rolled back; changed by another program: ${wordsOf(lostByOthers)}`
}

function wordsOf(losses: readonly Loss[]): string {
	return losses.map(({ words }) => words).join('; ')
}

/** NetworkManager configures again what it had, in its own time (milliseconds). */
const PATIENCE_FOR_DAEMON = 10_000

async function settled({ host, wanted }: Attempt, work: Work): Promise<HostState> {
	const end = performance.now() + (work.plan.undo.some(({ kind }) => kind === 'manage') ? PATIENCE_FOR_DAEMON : 0)
	for (;;) {
		const state = await host.observe(wanted.interfaces.map(({ macAddress }) => macAddress))
		if (performance.now() >= end || touchedThings(work, { state }).length === 0) return state
		await sleep(500)
	}
}

function touchedThings({ plan, before }: Work, { state }: Pick<Seen, 'state'>): string[] {
	return notRestored(plan, before, state)
}

function foreignThings({ plan, before }: Work, { state }: Seen): string[] {
	return judgeLosses(plan, before, state).byRun.map(({ words }) => words)
}

/**
 * Once everything that the run touched is restored, packets that still take another path do so because of other programs, unless they leave
 * by a link of the run.
 */
function waysOverOurs({ plan }: Work, { lostWays }: Seen): string[] {
	const touched = touchedBy(plan)
	return lostWays.flatMap(({ after, words }) => ('links' in after && after.links.some(link => touched.has(link)) ? [words] : []))
}

function paths({ probes }: Work, { answers }: Seen): string[] {
	return lostPaths(probes.before, answers).map(name => `${name} does not answer`)
}
