import { isKubeFailure, nameOf } from '../../runtime/kube/index.ts'
import type { Again, Reconcile } from '../../runtime/loop.ts'
import { LOW_PRIORITY } from '../../runtime/queue.ts'
import { adopt, clear, type Hands, release, settle, start } from './actions.ts'
import { decide } from '../rules/decide.ts'
import type { Decision } from '../model/decision.ts'
import { tellFailedWrite } from './failed-writes.ts'
import { confirmLoss, gather, whyNoPod } from './gather.ts'
import { REFUSED_MS } from '../model/runs.ts'
import type { RunSettings, Snapshot } from '../model/snapshot.ts'

export type ReconcileOptions = Hands & {
	settings: RunSettings
	now: () => number
	/** Called with every decision that was carried out. */
	onDecision?: (decision: Decision, snapshot: Snapshot) => void
}

/** Delay before a decision on an outdated version is made again (milliseconds). */
const conflictMs = 200

/** Gathers a snapshot, decides, and carries out the decision. The change that results wakes the key again. */
export function reconcileNodeConfig(options: ReconcileOptions): Reconcile {
	return async (key, signal) => {
		const snapshot = await look(options, key, signal)
		if (!snapshot) {
			options.failedWrites.delete(nameOf(key).name)
			return undefined
		}
		const decision = decide(snapshot)
		tellDecision(options, snapshot, decision)
		return carryOut(options, snapshot, decision)
	}
}

async function carryOut(options: ReconcileOptions, snapshot: Snapshot, decision: Decision): Promise<Again | undefined> {
	const { fleet } = options.caches
	const { name } = snapshot.config
	fleet.decided(name, snapshot.now, decision)
	// before the first await: concurrent decisions must see that this slot is taken
	const release = decision.act === 'start' ? fleet.reserve(name, decision.run.mode, snapshot.now) : () => {}
	try {
		const again = await act(options, snapshot, decision)
		options.failedWrites.delete(name)
		const isRefused = decision.act === 'start' && again !== undefined
		if (!isRefused) options.onDecision?.(decision, snapshot)
		return again
	} catch (error) {
		fleet.decided(name, snapshot.now, undefined)
		// the snapshot is outdated; the watch brings the change
		if (isKubeFailure(error, 'CONFLICT', 'NOT_FOUND')) return { afterMs: conflictMs }
		await tellFailedWrite(options, snapshot, decision, error)
		throw error
	} finally {
		release()
	}
}

function tellDecision({ log }: ReconcileOptions, snapshot: Snapshot, decision: Decision): void {
	const { config } = snapshot
	const { act, why } = decision
	const level = act === 'nothing' || act === 'wait' || act === 'hold' ? 'debug' : 'info'
	log[level]({ nodeConfig: config.name, generation: config.generation, act, why }, 'decided')
}

async function look({ client, caches, settings, now }: ReconcileOptions, key: string, signal: AbortSignal): Promise<Snapshot | undefined> {
	const moment = () => ({ now: now(), uptime: performance.now() })
	const snapshot = gather(caches, settings, key, moment())
	if (!snapshot) return undefined
	const isSure = !(await confirmLoss(client, caches, snapshot, signal))
	const sure = isSure ? snapshot : gather(caches, settings, key, moment())
	return sure && { ...sure, noPod: await whyNoPod(client, sure, signal) }
}

async function act(hands: Hands, snapshot: Snapshot, decision: Decision): Promise<Again | undefined> {
	switch (decision.act) {
		case 'nothing':
			return undefined
		case 'wait':
			return { afterMs: decision.afterMs, priority: LOW_PRIORITY }
		case 'hold':
			return decision.afterMs > 0 ? { afterMs: decision.afterMs, priority: LOW_PRIORITY } : undefined
		case 'adopt':
			await adopt(hands, snapshot, decision)
			return undefined
		case 'start':
			return (await start(hands, snapshot, decision)) ? undefined : { afterMs: REFUSED_MS }
		case 'settle':
			await settle(hands, snapshot, decision)
			return undefined
		case 'clear':
			await clear(hands, snapshot, decision.runs)
			return undefined
		case 'release':
			await release(hands, snapshot, decision.why)
			return undefined
	}
}
