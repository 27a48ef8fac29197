import { isKubeFailure, nameOf } from '../../runtime/kube/index.ts'
import type { Again, Reconcile } from '../../runtime/loop.ts'
import { LOW_PRIORITY } from '../../runtime/queue.ts'
import { updateMetadata, deleteRuns, type ActDeps, release, setStatus, startRun } from './actions.ts'
import { decide } from '../rules/decide.ts'
import type { Decision } from '../model/decision.ts'
import { reportFailedWrite } from './failed-writes.ts'
import { confirmLoss, gather, whyNoPod } from './gather.ts'
import { REJECTED_RETRY_MS } from '../model/runs.ts'
import type { RunSettings, Snapshot } from '../model/snapshot.ts'

export type ReconcileOptions = ActDeps & {
	settings: RunSettings
	now: () => number
	/** Called with every decision that was carried out. */
	onDecision?: (decision: Decision, snapshot: Snapshot) => void
}

/** Delay before the next decision after a write failed because the snapshot was outdated (milliseconds). */
const conflictMs = 200

/** Takes a snapshot, decides, and carries out the decision. The resulting change wakes the key again. */
export function reconcileNodeConfig(options: ReconcileOptions): Reconcile {
	return async (key, signal) => {
		const snapshot = await takeSnapshot(options, key, signal)
		if (!snapshot) {
			options.failedWrites.delete(nameOf(key).name)
			return undefined
		}
		const decision = decide(snapshot)
		logDecision(options, snapshot, decision)
		return carryOut(options, snapshot, decision)
	}
}

async function carryOut(options: ReconcileOptions, snapshot: Snapshot, decision: Decision): Promise<Again | undefined> {
	const { fleet } = options.caches
	const { name } = snapshot.config
	fleet.recordDecision(name, snapshot.now, decision)
	// before the first await: concurrent decisions must see that this slot is taken
	const release = decision.act === 'start' ? fleet.reserve(name, decision.run.mode, snapshot.now) : () => {}
	try {
		const again = await act(options, snapshot, decision)
		options.failedWrites.delete(name)
		const isRefused = decision.act === 'start' && again !== undefined
		if (!isRefused) options.onDecision?.(decision, snapshot)
		return again
	} catch (error) {
		fleet.recordDecision(name, snapshot.now, undefined)
		// the snapshot is outdated; the watch will deliver the change
		if (isKubeFailure(error, 'CONFLICT', 'NOT_FOUND')) return { afterMs: conflictMs }
		await reportFailedWrite(options, snapshot, decision, error)
		throw error
	} finally {
		release()
	}
}

function logDecision({ log }: ReconcileOptions, snapshot: Snapshot, decision: Decision): void {
	const { config } = snapshot
	const { act, why } = decision
	const level = act === 'nothing' || act === 'wait' || act === 'queue' ? 'debug' : 'info'
	log[level]({ nodeConfig: config.name, generation: config.generation, act, why }, 'decided')
}

async function takeSnapshot(
	{ client, caches, settings, now }: ReconcileOptions,
	key: string,
	signal: AbortSignal,
): Promise<Snapshot | undefined> {
	const clocks = () => ({ now: now(), uptime: performance.now() })
	const snapshot = gather(caches, settings, key, clocks())
	if (!snapshot) return undefined
	const isSure = !(await confirmLoss(client, caches, snapshot, signal))
	const sure = isSure ? snapshot : gather(caches, settings, key, clocks())
	return sure && { ...sure, noPod: await whyNoPod(client, sure, signal) }
}

async function act(deps: ActDeps, snapshot: Snapshot, decision: Decision): Promise<Again | undefined> {
	switch (decision.act) {
		case 'nothing':
			return undefined
		case 'wait':
			return { afterMs: decision.afterMs, priority: LOW_PRIORITY }
		case 'queue':
			return decision.afterMs > 0 ? { afterMs: decision.afterMs, priority: LOW_PRIORITY } : undefined
		case 'updateMetadata':
			await updateMetadata(deps, snapshot, decision)
			return undefined
		case 'start':
			return (await startRun(deps, snapshot, decision)) ? undefined : { afterMs: REJECTED_RETRY_MS }
		case 'setStatus':
			await setStatus(deps, snapshot, decision)
			return undefined
		case 'deleteRuns':
			await deleteRuns(deps, snapshot, decision.runs)
			return undefined
		case 'release':
			await release(deps, snapshot, decision.why)
			return undefined
	}
}
