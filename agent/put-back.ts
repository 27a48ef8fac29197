import type { Failure } from '../runtime/errors.ts'
import type { Attempt, Outcome, Work } from './attempt.ts'
import type { Code } from './failure.ts'
import { differences, lostBy, touchable, touchedBy } from './plan/fingerprint.ts'
import type { HostState } from './host/state.ts'
import { answering, lostPaths, PATIENCE, probe, tellProbes } from './probe/probe.ts'
import { unproven } from './probe/proof.ts'

/** Undoes all of it, and looks and probes again: a path that stays silent is not put back either. */
export async function putBack(task: Attempt, work: Work & { failed: Failure<Code> }): Promise<Outcome> {
	const { plan: wish, before, probes, targets, armed, failed } = work
	const { host, timed, log } = task
	log.tell('failed', failed.message)
	const complaints = await timed('undo', () => host.undo(wish.undo))
	const state = await timed('observe', () => settled(task, work))
	const now = await timed('probe', () => probe(answering(targets, probes.before), PATIENCE.after))
	tellProbes(log, 'probes undone', now)
	const unrestored = [...leftOver(state, work), ...lostPaths(probes.before, now).map(name => `${name} does not answer`)]
	if (unrestored.length === 0) log.tell('put back', 'everything is as it was before the run')
	else log.tell('NOT put back', `${unrestored.join('; ')} (${complaints.join('; ')})`)
	if (unrestored.length === 0) await host.disarm(armed)
	return {
		plan: wish,
		state,
		probes,
		failed,
		unrestored,
		stillLost: failed.code === 'FOREIGN_CHANGED' && lostBy(wish, before, state).length > 0,
		proof: unproven('the run was undone'),
	}
}

/** NetworkManager takes up again what it had in its own time (milliseconds). */
const PATIENCE_FOR_DAEMON = 10_000

async function settled({ host, wanted }: Attempt, work: Work): Promise<HostState> {
	const end = performance.now() + (work.plan.undo.some(({ kind }) => kind === 'manage') ? PATIENCE_FOR_DAEMON : 0)
	for (;;) {
		const state = await host.observe(wanted.interfaces.map(({ macAddress }) => macAddress))
		if (performance.now() >= end || leftOver(state, work).length === 0) return state
		await new Promise(resolve => setTimeout(resolve, 500))
	}
}

function leftOver(state: HostState, { plan, before }: Work): string[] {
	const touched = touchedBy(plan)
	return differences(touchable(before, touched), touchable(state, touched))
}
