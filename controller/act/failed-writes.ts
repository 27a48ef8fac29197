import { clean } from '../../contract/clean.ts'
import { isFailure, type Failure } from '../../runtime/errors.ts'
import { isKubeFailure } from '../../runtime/kube/index.ts'
import { type ActDeps, patchStatus, emitEvent } from './actions.ts'
import type { Decision } from '../model/decision.ts'
import { statusNote } from './events.ts'
import { runName } from '../../contract/run-name.ts'
import { currentRun, isReported, isUpToDate } from '../model/runs.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { failedWriteStatus } from '../status/build-status.ts'
import { timestamp } from '../model/format.ts'

/**
 * Reports writes to which the API server repeatedly responds with an error, for example because a webhook is down, or modifies MultiNIC's
 * objects so that a policy rejects them. The status names the write, and since when it has been failing. If the status cannot be
 * written either, must continue to report a run, or reports a configured node, there is only an Event.
 */

/** A single failure may be transient, so reporting starts with the second consecutive failure. */
const REPORTED_FROM = 2

/** Counts the failure, and reports it once it persists. Never throws, so that the caller can throw the original error. */
export async function reportFailedWrite(deps: ActDeps, snapshot: Snapshot, decision: Decision, error: unknown): Promise<void> {
	if (!isServerError(error)) return
	const { config, now } = snapshot
	const what = writeOf(snapshot, decision)
	const before = deps.failedWrites.get(config.name)
	const known = before?.what === what ? before : { what, since: now, times: 0 }
	const entry = { ...known, times: known.times + 1 }
	deps.failedWrites.set(config.name, entry)
	if (entry.times < REPORTED_FROM) return
	const message = `The controller has failed to ${what} since ${timestamp(entry.since)} and retries: ${clean(error.message)}`
	const status = failedWriteStatus(snapshot, message)
	const isReportable = !(isUpToDate(snapshot) && config.status.state === 'Configured') && !isRunUnreported(snapshot)
	const eventKey = `${config.name}.${config.uid.slice(0, 8)}.write-failed-g${config.generation}-${Math.floor(entry.since / 1_000)}`
	try {
		if (isReportable) await patchStatus(deps, snapshot, status)
	} catch (cause) {
		deps.log.warn({ err: cause, nodeConfig: config.name }, 'a failed write cannot be reported in the status')
	}
	emitEvent(deps, snapshot, statusNote(status, eventKey))
}

/**
 * Whether the current run has started and the status does not have its result yet. The status must then continue to report the run;
 * otherwise the result would be treated as reported and would never be read.
 */
function isRunUnreported(snapshot: Snapshot): boolean {
	const run = currentRun(snapshot)
	return run !== undefined && (run.job ?? run.pod ?? run.report) !== undefined && !isReported(snapshot, run)
}

/**
 * Whether the error is a response of the API server, or of a webhook that it called. If the request did not reach the API server, the
 * failure cannot be reported there either. A conflict is not treated as a failure.
 */
function isServerError(error: unknown): error is Failure {
	if (isFailure(error, 'STATUS_REFUSED')) return false // writeStatus has already reported it
	return isKubeFailure(error, 'FORBIDDEN', 'INVALID', 'BAD_REQUEST', 'SERVER_ERROR', 'TIMED_OUT')
}

function writeOf({ config }: Snapshot, decision: Decision): string {
	if (decision.act === 'start') return `create run ${runName(config, decision.run.attempt)}`
	if (decision.act === 'updateMetadata')
		return decision.finalizer ? 'add its finalizer to this node config' : 'remove an answered annotation'
	if (decision.act === 'deleteRuns') return `delete ConfigMap ${decision.runs[0]}`
	return decision.act === 'release' ? 'remove its finalizer from this node config' : 'write the status'
}
