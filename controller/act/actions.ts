import { clean } from '../../contract/clean.ts'
import { FINALIZER } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { ConfigMap, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import { Failure } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { withdrawn } from '../model/requests.ts'
import type { Caches } from '../cache/caches.ts'
import { statusChange } from '../status/status-patch.ts'
import type { Decision } from '../model/decision.ts'
import { eventOf, type Note, releasedNote, startedNote, statusNote } from './events.ts'
import type { AgentSettings } from './job.ts'
import { NodeConfig } from '../model/node-config-kind.ts'
import { createRun } from './launch.ts'
import type { Recorder } from './event-recorder.ts'
import type { StopRecord } from '../rollout/stop-record.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { refusedStatus, startedStatus, untoldStatus } from '../status/status.ts'

/** For each node config, the write that fails now, how many times it failed in a row, and since when. */
export type FailedWrites = Map<string, { what: string; since: number; times: number }>

/** Dependencies of the functions below, one function per decision. */
export type Hands = {
	client: KubeClient
	caches: Caches
	agent: AgentSettings
	recorder: Recorder
	stops: StopRecord
	failedWrites: FailedWrites
	log: Log
}

/** Adds the finalizer and removes the annotations of answered requests, in one write. */
export async function adopt(hands: Hands, { config }: Snapshot, { finalizer, withdraw }: Extract<Decision, { act: 'adopt' }>) {
	const stored = await hands.client.patch(NodeConfig, config, {
		metadata: {
			resourceVersion: config.resourceVersion,
			...(finalizer && { finalizers: [...config.finalizers, FINALIZER] }),
			...(withdraw.length > 0 && { annotations: withdrawn(withdraw) }),
		},
	})
	hands.caches.observeWrite.config(stored)
}

/**
 * Creates ConfigMap and Job, and writes the status. If the controller dies in between, the next decision creates the rest.
 *
 * @returns false when the API server rejects the run; the status then says so
 */
export async function start(hands: Hands, snapshot: Snapshot, decision: Extract<Decision, { act: 'start' }>): Promise<boolean> {
	if (decision.run.mode === 'Cleanup') await mustStillBe(hands, snapshot)
	// once the run has started, the status no longer says that this node stops the rollout
	if (snapshot.rollout.jumps) await hands.stops.keep()
	const made = await createRun(hands, snapshot, decision.run).catch(refusalOf)
	if ('refusal' in made) {
		hands.log.error({ err: made.refusal, nodeConfig: snapshot.config.name }, 'the API server rejects the run')
		await writeStatus(hands, snapshot, refusedStatus(snapshot, made.refusal.message))
		return false
	}
	if (decision.quiet) return true
	await writeStatus(hands, snapshot, startedStatus(snapshot, { name: made.name, mode: decision.run.mode }))
	tell(hands, snapshot, startedNote(made.name))
	return true
}

/** @throws the error if it is not a rejection */
function refusalOf(error: unknown): { refusal: Failure } {
	if (!isKubeFailure(error, 'FORBIDDEN', 'INVALID', 'BAD_REQUEST')) throw error
	return { refusal: error }
}

/**
 * The watch may report the deletion of a node config later than that of its runs. The node would then be cleaned again, concurrently with
 * the first run of the successor. A dry-run patch without changes fails if the node config no longer has the resourceVersion of the
 * snapshot.
 */
async function mustStillBe({ client }: Hands, { config }: Snapshot): Promise<void> {
	await client.patch(NodeConfig, config, { metadata: { resourceVersion: config.resourceVersion } }, { dryRun: true })
}

/** Writes the status, and records an Event if it has the result of a run, or if something blocks the run. */
export async function settle(hands: Hands, snapshot: Snapshot, decision: Extract<Decision, { act: 'settle' }>): Promise<void> {
	const { status, result, moment } = decision
	const written = await writeStatus(hands, snapshot, status)
	if (written && (result || moment)) tell(hands, snapshot, statusNote(status, moment))
}

/** Deletes the ConfigMaps of these runs; the garbage collector then deletes Job and pod. */
export async function clear(hands: Hands, { config }: Snapshot, runs: readonly string[]): Promise<void> {
	for (const name of runs) await hands.client.delete(ConfigMap, { name, namespace: config.namespace })
}

/** Removes MultiNIC's finalizer. This is the last write to a node config. */
export async function release(hands: Hands, snapshot: Snapshot, why: string): Promise<void> {
	const { config } = snapshot
	const finalizers = config.finalizers.filter(finalizer => finalizer !== FINALIZER)
	tell(hands, snapshot, releasedNote(config, why))
	await hands.client.patch(NodeConfig, config, { metadata: { resourceVersion: config.resourceVersion, finalizers } })
}

/**
 * Writes the status. If the API server rejects it, the status gives the error message of the API server until a status is accepted.
 *
 * @throws Failure STATUS_REFUSED, so that it is retried with back-off
 */
async function writeStatus(hands: Hands, snapshot: Snapshot, status: NodeConfigStatus): Promise<boolean> {
	try {
		return await putStatus(hands, snapshot, status)
	} catch (error) {
		if (!isKubeFailure(error, 'INVALID')) throw error
		await tellUntold(hands, snapshot, error.message)
		throw new Failure('STATUS_REFUSED', `the API server rejects the status of ${snapshot.config.name}: ${error.message}`, {
			retry: true,
			cause: error,
		})
	}
}

async function tellUntold(hands: Hands, snapshot: Snapshot, words: string): Promise<void> {
	const { config } = snapshot
	const status = untoldStatus(snapshot, clean(words))
	const moment = `${config.name}.${config.uid.slice(0, 8)}.status-refused-g${config.generation}`
	if (await putStatus(hands, snapshot, status)) tell(hands, snapshot, statusNote(status, moment))
}

/** Sends only what differs, and only for the resourceVersion of the snapshot: a status never reaches a successor of the same name. */
export async function putStatus({ client, caches }: Hands, { config }: Snapshot, status: NodeConfigStatus): Promise<boolean> {
	const change = statusChange(config.rawStatus, status)
	if (!change) return false
	const body = { metadata: { resourceVersion: config.resourceVersion }, status: change }
	const stored = await client.patch(NodeConfig, config, body, { subresource: 'status' })
	caches.observeWrite.config(stored)
	return true
}

export function tell({ recorder, caches }: Hands, { config, now }: Snapshot, note: Note): void {
	recorder.record(eventOf(config, note, { now, secret: caches.secret() }))
}
