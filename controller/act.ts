import { clean } from '../contract/clean.ts'
import { FINALIZER } from '../contract/names.ts'
import type { NodeConfigStatus } from '../contract/node-config.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { Failure } from '../runtime/errors.ts'
import { isKubeFailure } from '../runtime/kube/failures.ts'
import { ConfigMap } from '../runtime/kube/kinds.ts'
import type { Log } from '../runtime/log.ts'
import { withdrawn } from './asked.ts'
import type { Caches } from './caches.ts'
import { statusChange } from './change.ts'
import type { Decision } from './decision.ts'
import { eventOf, type Note, releasedNote, startedNote, statusNote } from './events.ts'
import type { AgentSettings } from './job.ts'
import { NodeConfig } from './kinds.ts'
import { createRun } from './launch.ts'
import type { Recorder } from './recorder.ts'
import type { StopRecord } from './stop-record.ts'
import type { Snapshot } from './snapshot.ts'
import { refusedStatus, startedStatus, untoldStatus } from './status.ts'

/** Of each node config the write that fails now, how often it did in a row, and since when. */
export type FailedWrites = Map<string, { what: string; since: number; times: number }>

/** What acting needs; one function a decision. */
export type Hands = {
	client: KubeClient
	caches: Caches
	agent: AgentSettings
	recorder: Recorder
	stops: StopRecord
	failedWrites: FailedWrites
	log: Log
}

/** The finalizer, and the annotations of what was asked and is answered, in one write. */
export async function adopt(hands: Hands, { config }: Snapshot, { finalizer, withdraw }: Extract<Decision, { act: 'adopt' }>) {
	const stored = await hands.client.patch(NodeConfig, config, {
		metadata: {
			resourceVersion: config.resourceVersion,
			...(finalizer && { finalizers: [...config.finalizers, FINALIZER] }),
			...(withdraw.length > 0 && { annotations: withdrawn(withdraw) }),
		},
	})
	hands.caches.learn.config(stored)
}

/**
 * ConfigMap, Job, and one word in the status. A controller that dies between any two of them finds the rest missing and makes it.
 *
 * @returns false when the API server does not allow the run; the status then says so
 */
export async function start(hands: Hands, snapshot: Snapshot, decision: Extract<Decision, { act: 'start' }>): Promise<boolean> {
	if (decision.run.mode === 'Cleanup') await mustStillBe(hands, snapshot)
	// from the start of its run on, the status no longer says that this node stops the others
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

/** @throws what is no refusal */
function refusalOf(error: unknown): { refusal: Failure } {
	if (!isKubeFailure(error, 'FORBIDDEN', 'INVALID', 'BAD_REQUEST')) throw error
	return { refusal: error }
}

/**
 * The end of a node config may be told later than that of its runs: its node would be cleaned once more, beside the first run of its
 * successor. A write of nothing onto the version that was judged fails where it is no longer so.
 */
async function mustStillBe({ client }: Hands, { config }: Snapshot): Promise<void> {
	await client.patch(NodeConfig, config, { metadata: { resourceVersion: config.resourceVersion } }, { dryRun: true })
}

/** The status, and an Event where a run came to something, or something stands in its way. */
export async function settle(hands: Hands, snapshot: Snapshot, decision: Extract<Decision, { act: 'settle' }>): Promise<void> {
	const { status, result, moment } = decision
	const written = await writeStatus(hands, snapshot, status)
	if (written && (result || moment)) tell(hands, snapshot, statusNote(status, moment))
}

/** The garbage collector takes Job and pod after the ConfigMap. */
export async function clear(hands: Hands, { config }: Snapshot, runs: readonly string[]): Promise<void> {
	for (const name of runs) await hands.client.delete(ConfigMap, { name, namespace: config.namespace })
}

/** Takes our finalizer away: the last that is done for a node config. */
export async function release(hands: Hands, snapshot: Snapshot, why: string): Promise<void> {
	const { config } = snapshot
	const finalizers = config.finalizers.filter(finalizer => finalizer !== FINALIZER)
	tell(hands, snapshot, releasedNote(config, why))
	await hands.client.patch(NodeConfig, config, { metadata: { resourceVersion: config.resourceVersion, finalizers } })
}

/**
 * A status that is refused is not given up in silence: what the API server says of it is the status then, until one is taken.
 *
 * @throws Failure STATUS_REFUSED, so that it is tried again, ever later
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

/** Only what differs is sent, and only onto the version that was judged: a status never lands on a successor of the same name. */
export async function putStatus({ client, caches }: Hands, { config }: Snapshot, status: NodeConfigStatus): Promise<boolean> {
	const change = statusChange(config.rawStatus, status)
	if (!change) return false
	const body = { metadata: { resourceVersion: config.resourceVersion }, status: change }
	const stored = await client.patch(NodeConfig, config, body, { subresource: 'status' })
	caches.learn.config(stored)
	return true
}

export function tell({ recorder, caches }: Hands, { config, now }: Snapshot, note: Note): void {
	recorder.record(eventOf(config, note, { now, secret: caches.secret() }))
}
