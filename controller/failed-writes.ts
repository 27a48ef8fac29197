import { clean } from '../contract/clean.ts'
import { isFailure, type Failure } from '../runtime/errors.ts'
import { isKubeFailure } from '../runtime/kube/failures.ts'
import { type Hands, putStatus, tell } from './act.ts'
import type { Decision } from './decision.ts'
import { statusNote } from './events.ts'
import { runName } from './job.ts'
import { currentRun, isTold, isUpToDate } from './runs.ts'
import type { Snapshot } from './snapshot.ts'
import { failedWriteStatus } from './status.ts'
import { timestamp } from './text.ts'

/**
 * Writes that the API server answers with an error, again and again: a webhook is down, or changes our objects so that a policy refuses them.
 * The status says which write and since when. Where it cannot be written either, tells of a run, or of a node that is as it should be, an Event does.
 */

/** One failure may be over the next second: it is told from the second in a row on. */
const TOLD_FROM = 2

/** Counts the failure, and tells of it once it stays. Never throws: the failure itself is what counts. */
export async function tellFailedWrite(hands: Hands, snapshot: Snapshot, decision: Decision, error: unknown): Promise<void> {
	if (!isAnswered(error)) return
	const { config, now } = snapshot
	const what = writeOf(snapshot, decision)
	const before = hands.failedWrites.get(config.name)
	const known = before?.what === what ? before : { what, since: now, times: 0 }
	const entry = { ...known, times: known.times + 1 }
	hands.failedWrites.set(config.name, entry)
	if (entry.times < TOLD_FROM) return
	const words = `The controller has failed to ${what} since ${timestamp(entry.since)} and retries: ${clean(error.message)}`
	const status = failedWriteStatus(snapshot, words)
	const isTellable = !(isUpToDate(snapshot) && config.status.state === 'Configured') && !isRunUntold(snapshot)
	const moment = `${config.name}.${config.uid.slice(0, 8)}.write-failed-g${config.generation}-${Math.floor(entry.since / 1_000)}`
	try {
		if (isTellable) await putStatus(hands, snapshot, status)
	} catch (cause) {
		hands.log.warn({ err: cause, nodeConfig: config.name }, 'a failed write cannot be reported in the status')
	}
	tell(hands, snapshot, statusNote(status, moment))
}

/** Then the status goes on telling of the run: its result would count as told, and never be read. */
function isRunUntold(snapshot: Snapshot): boolean {
	const run = currentRun(snapshot)
	return run !== undefined && (run.job ?? run.pod ?? run.report) !== undefined && !isTold(snapshot, run)
}

/** The API server, or a webhook for it, said no. What could not reach it cannot be told there either; a conflict is no failure. */
function isAnswered(error: unknown): error is Failure {
	if (isFailure(error, 'STATUS_REFUSED')) return false // is told by itself
	return isKubeFailure(error, 'FORBIDDEN', 'INVALID', 'BAD_REQUEST', 'SERVER_ERROR', 'TIMED_OUT')
}

function writeOf({ config }: Snapshot, decision: Decision): string {
	if (decision.act === 'start') return `create run ${runName(config, decision.run.attempt)}`
	if (decision.act === 'adopt') return decision.finalizer ? 'add its finalizer to this node config' : 'remove an answered annotation'
	if (decision.act === 'clear') return `delete ConfigMap ${decision.runs[0]}`
	return decision.act === 'release' ? 'remove its finalizer from this node config' : 'write the status'
}
