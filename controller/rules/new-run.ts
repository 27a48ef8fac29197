import { isCurrent, isDrifted } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import { currentRun, isTold, nextAttempt, succeeded, wantedMode } from '../model/runs.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Chooses the run to start and its cause, when nothing prevents a run. Pure. */
export function start(snapshot: Snapshot): Decision {
	const { config } = snapshot
	const current = currentRun(snapshot)
	const unmade = current && !current.job && !current.pod && !current.report && !isTold(snapshot, current)
	const why = whyStart(snapshot, unmade === true)
	const attempt = unmade ? current.attempt : nextAttempt(snapshot)
	const failures = config.status.state === 'Failed' && current && !succeeded(current) ? current.failures + 1 : 0
	const asked = config.asked.retry === undefined ? {} : { retry: config.asked.retry }
	const run = { attempt, mode: wantedMode(snapshot), cause: why, asked, failures: unmade ? current.failures : failures }
	return { act: 'start', why, run, quiet: ['BackOffOver', 'Drifted'].includes(why) && config.status.state === 'Failed' }
}

function whyStart(snapshot: Snapshot, unmade: boolean): string {
	const { config } = snapshot
	if (unmade) return 'JobMissing'
	if (config.asked.retry !== undefined) return 'RetryAsked'
	if (!isCurrent(config)) return config.deleting ? 'Deleted' : 'SpecChanged'
	if (config.status.state === 'Failed') return isDrifted(config) ? 'Drifted' : 'BackOffOver'
	if (config.deleting) return 'Deleted'
	return config.status.state === 'Pending' ? 'WaitIsOver' : 'ResultMissing'
}
