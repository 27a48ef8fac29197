import { sleep } from '../runtime/clock.ts'
import type { Clock } from '../runtime/clock.ts'
import { sameJson } from '../contract/canonical.ts'
import { type KubeClient, startReflector } from '../runtime/kube/index.ts'
import type { Log } from '../runtime/log.ts'
import { runLoop } from '../runtime/loop.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { createQueue, LOW_PRIORITY } from '../runtime/queue.ts'
import type { Config } from './config.ts'
import { createGrantedClient } from './disclosure/client.ts'
import { fairly } from './fair.ts'
import { createFollower } from './follow/follower.ts'
import type { HttpClients } from './http-clients.ts'
import type { Inventory } from './inventory/inventory.ts'
import { type OpenstackConfig, OpenstackConfigKind } from './kind.ts'
import { createTokens } from './openstack/tokens.ts'
import { reconcileOpenstackConfig } from './reconcile.ts'

export type LeaderOptions = {
	client: KubeClient
	config: Config
	inventory: Inventory
	http: HttpClients
	log: Log
	signal: AbortSignal
	metrics: Metrics
	clock: Clock
}

/** What only the leader does. A standby keeps its cache and its queue filled, so that it can take over quickly. */
export type Leader = {
	isSynced(): boolean
	/** Reconciles and writes the inventory until `signal` is aborted; begins nothing while `isLeading` returns false. */
	run(signal: AbortSignal, isLeading?: () => boolean): Promise<void>
	/** Resolves when the cache is closed. */
	done: Promise<void>
}

/** Number of OpenstackConfigs that are reconciled concurrently. Almost all of the time is spent waiting for remote systems. */
export const WORKERS = 16

/** How long a leader waits for the inventory before the first reconcile, in milliseconds: its ids are needed, but no port waits for it. */
const OPEN_MS = 10_000
/** How long the last reconciles may take to end, and after that the last writes to the inventory, in milliseconds. */
const GRACE_MS = 20_000
const DRAIN_MS = 3_000

/** Creates the leader, and starts to watch the OpenstackConfigs. */
export function createLeader(options: LeaderOptions): Leader {
	const { client, config, inventory, http, log, signal, metrics, clock } = options
	const queue = createQueue({ metrics: metrics.queue })
	metrics.observe(queue)
	const configs = startReflector({
		client,
		kind: OpenstackConfigKind,
		...(config.MGMT_NAMESPACE && { namespace: config.MGMT_NAMESPACE }),
		onChange: (key, now, before, backlog) => changedByPeople(now, before) && queue.add(key, { priority: backlog ? LOW_PRIORITY : 0 }),
		log,
		signal,
	})
	const all = () => configs.store.values()
	const run = async (term: AbortSignal, isLeading = () => true) => {
		if (!(await Promise.race([configs.synced.then(() => true), ended(term)]))) return
		inventory.lead()
		await Promise.race([inventory.opened, sleep(OPEN_MS, term)])
		const follower = createFollower({
			inventory,
			during: (target, until, work) => http.during(until, clients => work(createGrantedClient(clients.for(target.remote), target.grant))),
			onRefused: key => queue.add(key),
			...{ log, clock, chance: Math.random },
		})
		const shared = { all, env: config, http, tokens: createTokens(clock), log, clock, chance: Math.random, inventory, follower }
		const reconcile = fairly(reconcileOpenstackConfig({ ...shared, client: client.guarded(isLeading), mayWrite: isLeading }), key =>
			queue.add(key),
		)
		// a reconcile that has sent something may end, but not if another process already leads
		const graceMs = () => (isLeading() ? GRACE_MS : 1)
		await runLoop({ queue, reconcile, workers: WORKERS, log, signal: term, mayBegin: isLeading, graceMs, metrics: metrics.loop })
		await follower.close()
		if (isLeading()) await Promise.race([inventory.drained(), sleep(DRAIN_MS)])
	}
	return { isSynced: configs.isSynced, run, done: configs.done }
}

/** Whether a user changed the object. Status writes of mgmt itself must not trigger a reconcile. */
function changedByPeople(now: OpenstackConfig | undefined, before: OpenstackConfig | undefined): boolean {
	if (!now || !before) return true
	const { generation, deletionTimestamp, annotations } = now.metadata
	const was = before.metadata
	return generation !== was.generation || deletionTimestamp !== was.deletionTimestamp || !sameJson(annotations, was.annotations)
}

/** Resolves to false when the signal is aborted. */
function ended(signal: AbortSignal): Promise<false> {
	return new Promise(resolve => {
		if (signal.aborted) resolve(false)
		else signal.addEventListener('abort', () => resolve(false), { once: true })
	})
}
