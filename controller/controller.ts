import type { KubeClient } from '../runtime/kube/index.ts'
import type { Log } from '../runtime/log.ts'
import { runLoop } from '../runtime/loop.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { createQueue, LOW_PRIORITY } from '../runtime/queue.ts'
import { type Caches, startCaches } from './cache/caches.ts'
import type { Config } from './config.ts'
import type { Decision } from './model/decision.ts'
import type { Snapshot } from './model/snapshot.ts'
import { observeFleet } from './metrics.ts'
import { createRecorder } from './act/event-recorder.ts'
import { reconcileNodeConfig } from './act/reconcile.ts'
import { createStopRecord } from './rollout/stop-record.ts'

export type ControllerOptions = {
	client: KubeClient
	config: Pick<Config, 'namespace' | 'agent' | 'runs' | 'workers'>
	log: Log
	signal: AbortSignal
	now?: () => number
	metrics?: Metrics
	onDecision?: (decision: Decision, snapshot: Snapshot) => void
}

/**
 * A controller whose caches and queue are filled, but which does not act until `run` is called. A standby stays in this state, so that it
 * can take over quickly.
 */
export type Controller = {
	isSynced: Caches['isSynced']
	/** Acts until `signal` is aborted; starts nothing while `isLeading` returns false. */
	run(signal: AbortSignal, isLeading?: () => boolean): Promise<void>
	/** Resolves when the caches are closed. */
	done: Promise<unknown>
}

/** How long Events may still be written after the last reconcile has ended (milliseconds). */
const drainMs = 2_000

/** Creates the controller from its parts, and starts its watches. */
export function createController(options: ControllerOptions): Controller {
	const { client, config, log, signal, metrics, now = Date.now, onDecision } = options
	const { namespace, agent, runs: settings, workers } = config
	const queue = createQueue(metrics && { metrics: metrics.queue })
	const wake = (key: string, backlog: boolean) => queue.add(key, { priority: backlog ? LOW_PRIORITY : 0 })
	let mayAct = () => true
	const writer = client.guarded(() => mayAct())
	const { maxConcurrentRuns } = settings
	const caches = startCaches({
		client,
		namespace,
		wake,
		log,
		signal,
		maxConcurrentRuns,
		deadlineMs: settings.deadlineMs,
		serviceAccount: agent.serviceAccount,
		startedAt: now(),
	})
	const stops = stopRecordOf(options, caches, writer)
	const recorder = createRecorder({ client: writer, log, isBusy: () => queue.depth > 0 })
	const reconcile = reconcileNodeConfig({
		client: writer,
		caches,
		recorder,
		stops,
		failedWrites: new Map(),
		agent,
		settings,
		log,
		now,
		...(onDecision && { onDecision }),
	})
	metrics?.observe(queue)
	if (metrics) observeFleet(metrics.registry, caches)
	const run = async (term: AbortSignal, isLeading = () => true) => {
		mayAct = isLeading
		if (!(await Promise.race([caches.synced, ended(term)]))) return
		caches.stopRecord.setWriter(stops)
		stops.scheduleWrite()
		await runLoop({ queue, reconcile, log, workers, signal: term, mayBegin: isLeading, ...(metrics && { metrics: metrics.loop }) })
		await recorder.drain(drainMs)
	}
	return { isSynced: caches.isSynced, run, done: caches.done }
}

function stopRecordOf({ config: { namespace }, log, signal }: ControllerOptions, caches: Caches, client: KubeClient) {
	const { fleet, stopRecord } = caches
	return createStopRecord({
		...{ client, namespace, log, signal },
		stops: () => fleet.stops(),
		...{ stored: stopRecord.stored, owner: stopRecord.owner },
	})
}

/** Resolves to false when the signal is aborted, so that a controller that loses its lease does not wait for the initial lists. */
function ended(signal: AbortSignal): Promise<false> {
	return new Promise(resolve => {
		if (signal.aborted) resolve(false)
		else signal.addEventListener('abort', () => resolve(false), { once: true })
	})
}
