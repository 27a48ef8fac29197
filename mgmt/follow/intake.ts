import type { NodeConfigView } from '../../contract/viola-api.ts'
import { waitAfter } from '../../runtime/backoff.ts'
import { type Clock, type Deadline, deadline, sleep } from '../../runtime/clock.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { StreamEvent } from '../../runtime/event-stream.ts'
import type { Log } from '../../runtime/log.ts'
import type { Actor, Change, Inventory } from '../inventory/inventory.ts'
import { type Meaning, meaningOf } from './events.ts'
import { createProgress } from './progress.ts'
import { sweep } from './sweep.ts'

export type IntakeOptions = {
	providerId: string
	inventory: Pick<Inventory, 'state' | 'learn' | 'drained' | 'nodes'>
	/** Returns the actor that removed a node config. */
	removedBy(nodeName: string): Actor
	log: Log
	clock: Clock
}

/** Writes the events of one biz cluster that viola sends to the inventory. */
export type Intake = {
	/** Number of events that were received. */
	readonly received: number
	/** Must be called before each connection. @returns the id of the event after which the stream continues, if it can */
	connect(): string | undefined
	take(event: StreamEvent): void
	/** Takes the complete list of node configs, from a viola without a stream. */
	takeAll(views: Iterable<NodeConfigView>): void
	close(): void
}

/**
 * How long an id may be old, in milliseconds. If the cluster was restored from a backup while viola did not run, an older id may exist a
 * second time, with other content.
 */
const ID_MS = 10 * 60_000

/** Waits between two attempts to read the inventory, in milliseconds. */
const WAITS = { firstMs: 1_000, maxMs: 60_000 }

/** @param signal ends the removal of node configs that no longer exist */
export function createIntake(options: IntakeOptions, signal: AbortSignal): Intake {
	const { inventory, clock, log, providerId } = options
	const progress = createProgress()
	let received = 0
	let receivedAt = clock.now()
	let round = { beganAt: clock.now(), sweeping: deadline(0, signal) }
	const begin = () => {
		progress.restart()
		round.sweeping.abort(new Error('the stream began again'))
		round.sweeping.clear()
		round = { beganAt: clock.now(), sweeping: deadline(0, signal) }
	}
	const take = (meaning: Meaning, id?: string) => {
		received++
		receivedAt = clock.now()
		if (meaning.kind === 'reset') begin()
		if (meaning.kind === 'invalid') log.warn({ providerId, ...meaning }, 'viola sent an invalid event, which is ignored')
		progress.add(meaning, id)
		inventory.learn(changesOf(meaning, options))
		if (meaning.kind !== 'synced') return
		log.info({ providerId, nodes: progress.nodeNames.size }, 'received all node configs')
		void sweepUntilDone(options, progress.nodeNames, round)
	}
	return {
		get received() {
			return received
		},
		connect() {
			if (!progress.isComplete || clock.now() - receivedAt > ID_MS) begin()
			return progress.lastId
		},
		take: event => take(meaningOf(event), event.id),
		takeAll(views) {
			begin()
			for (const view of views) take({ kind: 'config', view })
			take({ kind: 'synced' })
		},
		close: () => round.sweeping.abort(new Error('the stream is closed')),
	}
}

function changesOf(meaning: Meaning, { providerId, removedBy, clock }: IntakeOptions): Change[] {
	const at = clock.now()
	if (meaning.kind === 'config') return [{ kind: 'reported', at, providerId, view: meaning.view }]
	if (meaning.kind !== 'deleted') return []
	const { nodeName } = meaning
	return [{ kind: 'removed', at, providerId, nodeName, actor: removedBy(nodeName) }]
}

type Round = { beganAt: number; sweeping: Deadline }

/** Removes the node configs that were not sent from the inventory, and retries while the inventory is not available. */
async function sweepUntilDone(options: IntakeOptions, nodeNames: ReadonlySet<string>, { beganAt, sweeping }: Round): Promise<void> {
	const { inventory, providerId, removedBy, clock, log } = options
	const wanted = { inventory, providerId, nodeNames, beganAt, removedBy, now: () => clock.now() }
	for (let failures = 1; !sweeping.signal.aborted && inventory.state().state !== 'disabled'; failures++) {
		try {
			if (await sweep(wanted, sweeping.signal)) return
		} catch (error) {
			if (!isFailure(error)) throw error
			log.debug({ providerId, err: error }, 'the inventory cannot be compared with the biz cluster yet')
		}
		await sleep(waitAfter(failures, WAITS), sweeping.signal)
	}
}
