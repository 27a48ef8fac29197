import type { Failure } from '../runtime/errors.ts'
import type { Attempt, Outcome, Work } from './attempt.ts'
import type { Code } from './failure.ts'
import { differences, touchable, touchedBy } from './fingerprint.ts'
import { answering, lostPaths, PATIENCE, probe, tellProbes } from './probe.ts'
import { unproven } from './proof.ts'

/** Undoes all of it, and looks and probes again: a path that stays silent is not put back either. */
export async function putBack(task: Attempt, work: Work & { failed: Failure<Code> }): Promise<Outcome> {
	const { plan: wish, before, probes, targets, armed, failed } = work
	const { host, timed, log } = task
	log.tell('failed', failed.message)
	const complaints = await timed('undo', () => host.undo(wish.undo))
	const state = await timed('observe', () => host.observe(task.wanted.interfaces.map(({ macAddress }) => macAddress)))
	const now = await timed('probe', () => probe(answering(targets, probes.before), PATIENCE.after))
	tellProbes(log, 'probes undone', now)
	const unrestored = [
		...differences(touchable(before, touchedBy(wish)), touchable(state, touchedBy(wish))),
		...lostPaths(probes.before, now).map(name => `${name} does not answer`),
	]
	if (unrestored.length === 0) log.tell('put back', 'everything is as it was before the run')
	else log.tell('NOT put back', `${unrestored.join('; ')} (${complaints.join('; ')})`)
	if (unrestored.length === 0) await host.disarm(armed)
	return {
		plan: wish,
		state,
		probes,
		failed,
		unrestored,
		proof: unproven('the run was undone'),
	}
}
