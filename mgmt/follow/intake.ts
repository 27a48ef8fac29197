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
	/** Who removed a node config, if mgmt knows it. */
	removedBy(nodeName: string): Actor
	log: Log
	clock: Clock
}

/** Writes to the inventory what viola sends about the node configs of one biz cluster. */
export type Intake = {
	/** Number of events that were received. */
	readonly received: number
	/** Must be called before each connection. @returns the id of the event after which the stream continues, if it can */
	connect(): string | undefined
	take(event: StreamEvent): void
	/** Takes a list of all node configs, from a viola without a stream. */
	takeAll(views: Iterable<NodeConfigView>): void
	close(): void
}

/** Waits between two attempts to read the inventory, in milliseconds. */
const WAITS = { firstMs: 1_000, maxMs: 60_000 }

/** @param signal ends everything that still runs */
export function createIntake(options: IntakeOptions, signal: AbortSignal): Intake {
	const { inventory, clock, log, providerId } = options
	const progress = createProgress()
	let received = 0
	let round = { beganAt: clock.now(), sweeping: deadline(0, signal) }
	const begin = () => {
		progress.restart()
		round.sweeping.abort(new Error('the stream began again'))
		round.sweeping.clear()
		round = { beganAt: clock.now(), sweeping: deadline(0, signal) }
	}
	const take = (meaning: Meaning, id?: string) => {
		received++
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
			if (!progress.isComplete) begin()
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

/** Removes from the inventory what was not sent. While the inventory is not available, this is tried again. */
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
