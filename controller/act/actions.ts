import { clean } from '../../contract/clean.ts'
import { FINALIZER } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { ConfigMap, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import { Failure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { removeAnnotations } from '../model/requests.ts'
import type { Caches } from '../cache/caches.ts'
import { statusPatch } from '../status/status-patch.ts'
import type { Decision } from '../model/decision.ts'
import { eventOf, type Note, releasedNote, startedNote, statusNote } from './events.ts'
import type { AgentSettings } from './job.ts'
import { NodeConfig } from '../model/node-config-kind.ts'
import { createRun } from './launch.ts'
import type { Recorder } from './event-recorder.ts'
import type { StopRecord } from '../rollout/stop-record.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { rejectedRunStatus, startedStatus, rejectedStatus } from '../status/build-status.ts'

/** For each node config with a failing write: which write, since when it has been failing, and the number of consecutive failures. */
export type FailedWrites = Map<string, { what: string; since: number; times: number }>

/** Dependencies of the functions below, one function per decision. */
export type ActDeps = {
	client: KubeClient
	caches: Caches
	agent: AgentSettings
	recorder: Recorder
	stops: StopRecord
	failedWrites: FailedWrites
	log: Log
}

/** Adds the finalizer and removes the annotations of answered requests, in one write. */
export async function updateMetadata(
	deps: ActDeps,
	{ config }: Snapshot,
	{ finalizer, answered }: Extract<Decision, { act: 'updateMetadata' }>,
) {
	const stored = await deps.client.patch(NodeConfig, config, {
		metadata: {
			resourceVersion: config.resourceVersion,
			...(finalizer && { finalizers: [...config.finalizers, FINALIZER] }),
			...(answered.length > 0 && { annotations: removeAnnotations(answered) }),
		},
	})
	deps.caches.observeWrite.config(stored)
}

/**
 * Creates the ConfigMap and the Job, and writes the status. If the controller dies in between, the next decision creates what is missing.
 *
 * @returns false if the API server rejects the run; the status then reports that
 */
export async function startRun(deps: ActDeps, snapshot: Snapshot, decision: Extract<Decision, { act: 'start' }>): Promise<boolean> {
	if (decision.run.mode === 'Cleanup') await assertNotDeleted(deps, snapshot)
	// record the stop before the run starts: afterwards, the status no longer shows that this node stops the rollout
	if (snapshot.rollout.skipsQueue) await deps.stops.flush()
	const made = await createRun(deps, snapshot, decision.run).catch(rejectionOf)
	if ('refusal' in made) {
		deps.log.error({ err: made.refusal, nodeConfig: snapshot.config.name }, 'the API server rejects the run')
		await writeStatus(deps, snapshot, rejectedRunStatus(snapshot, made.refusal.message))
		return false
	}
	if (decision.keepStatus) return true
	await writeStatus(deps, snapshot, startedStatus(snapshot, { name: made.name, mode: decision.run.mode }))
	emitEvent(deps, snapshot, startedNote(made.name))
	return true
}

/** @throws the error if it is not a rejection */
function rejectionOf(error: unknown): { refusal: Failure } {
	if (!isKubeFailure(error, 'FORBIDDEN', 'INVALID', 'BAD_REQUEST')) throw error
	return { refusal: error }
}

/**
 * Fails if the node config has changed or was deleted since the snapshot: the API server then rejects a dry-run patch that contains only
 * the resourceVersion of the snapshot. The watch may report the deletion of a node config later than the deletion of its runs; without this
 * check, the node would be cleaned again, concurrently with the first run of the successor.
 */
async function assertNotDeleted({ client }: ActDeps, { config }: Snapshot): Promise<void> {
	await client.patch(NodeConfig, config, { metadata: { resourceVersion: config.resourceVersion } }, { dryRun: true })
}

/** Writes the status. Also records an Event if the status has the result of a run, or if the decision has an event key. */
export async function setStatus(deps: ActDeps, snapshot: Snapshot, decision: Extract<Decision, { act: 'setStatus' }>): Promise<void> {
	const { status, result, eventKey } = decision
	const written = await writeStatus(deps, snapshot, status)
	if (written && (result || eventKey)) emitEvent(deps, snapshot, statusNote(status, eventKey))
}

/** Deletes the ConfigMaps of these runs; the garbage collector then deletes the Jobs and pods. */
export async function deleteRuns(deps: ActDeps, { config }: Snapshot, runs: readonly string[]): Promise<void> {
	for (const name of runs) await deps.client.delete(ConfigMap, { name, namespace: config.namespace })
}

/** Removes MultiNIC's finalizer. This is the controller's last write to a node config. */
export async function release(deps: ActDeps, snapshot: Snapshot, why: string): Promise<void> {
	const { config } = snapshot
	const finalizers = config.finalizers.filter(finalizer => finalizer !== FINALIZER)
	emitEvent(deps, snapshot, releasedNote(config, why))
	await deps.client.patch(NodeConfig, config, { metadata: { resourceVersion: config.resourceVersion, finalizers } })
}

/**
 * Writes the status. If the API server rejects it, writes a status with the API server's error message instead.
 *
 * @throws Failure STATUS_REFUSED after a rejection, so that the write is retried with back-off
 */
async function writeStatus(deps: ActDeps, snapshot: Snapshot, status: NodeConfigStatus): Promise<boolean> {
	try {
		return await patchStatus(deps, snapshot, status)
	} catch (error) {
		if (!isKubeFailure(error, 'INVALID')) throw error
		await reportRejectedStatus(deps, snapshot, error.message)
		throw new Failure('STATUS_REFUSED', `the API server rejects the status of ${snapshot.config.name}: ${error.message}`, {
			retry: true,
			cause: error,
		})
	}
}

async function reportRejectedStatus(deps: ActDeps, snapshot: Snapshot, message: string): Promise<void> {
	const { config } = snapshot
	const status = rejectedStatus(snapshot, clean(message))
	const eventKey = `${config.name}.${config.uid.slice(0, 8)}.status-refused-g${config.generation}`
	if (await patchStatus(deps, snapshot, status)) emitEvent(deps, snapshot, statusNote(status, eventKey))
}

/**
 * Sends only what differs, and only for the resourceVersion of the snapshot, so that a status never reaches a successor of the same name.
 */
export async function patchStatus({ client, caches }: ActDeps, { config }: Snapshot, status: NodeConfigStatus): Promise<boolean> {
	const change = statusPatch(config.rawStatus, status)
	if (!change) return false
	const body = { metadata: { resourceVersion: config.resourceVersion }, status: change }
	const stored = await client.patch(NodeConfig, config, body, { subresource: 'status' })
	caches.observeWrite.config(stored)
	return true
}

export function emitEvent({ recorder, caches }: ActDeps, { config, now }: Snapshot, note: Note): void {
	recorder.record(eventOf(config, note, { now, secret: caches.secret() }))
}
