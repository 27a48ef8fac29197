import { isCurrent, isDrifted } from '../../contract/status.ts'
import type { Decision } from '../model/decision.ts'
import { currentRun, isReported, nextAttempt, succeeded, wantedMode } from '../model/runs.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Returns the run to start and its cause, when no check prevents a run. Pure. */
export function newRun(snapshot: Snapshot): Decision {
	const { config } = snapshot
	const current = currentRun(snapshot)
	const isUnmade = current && !current.job && !current.pod && !current.report && !isReported(snapshot, current)
	const why = causeOfRun(snapshot, isUnmade === true)
	const attempt = isUnmade ? current.attempt : nextAttempt(snapshot)
	const failures = config.status.state === 'Failed' && current && !succeeded(current) ? current.failures + 1 : 0
	const requests = config.requests.retry === undefined ? {} : { retry: config.requests.retry }
	const run = { attempt, mode: wantedMode(snapshot), cause: why, requests, failures: isUnmade ? current.failures : failures }
	return { act: 'start', why, run, keepStatus: ['BackOffOver', 'Drifted'].includes(why) }
}

function causeOfRun(snapshot: Snapshot, isUnmade: boolean): string {
	const { config } = snapshot
	if (isUnmade) return 'JobMissing'
	if (config.requests.retry !== undefined) return 'RetryAsked'
	if (!isCurrent(config)) return config.deleting ? 'Deleted' : 'SpecChanged'
	if (config.status.state === 'Failed') return isDrifted(config) ? 'Drifted' : 'BackOffOver'
	if (config.deleting) return 'Deleted'
	return config.status.state === 'Pending' ? 'WaitIsOver' : 'ResultMissing'
}
