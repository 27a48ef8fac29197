import { LABEL_CONFIG_UID } from '../../contract/names.ts'
import { hasNeverRun } from '../../contract/rollout.ts'
import {
	type Change,
	ConfigMap,
	Job,
	keyOf,
	type KubeClient,
	nameOf,
	Node,
	Pod,
	type Reflector,
	startReflector,
	type Stored,
} from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { sameJson } from '../../contract/canonical.ts'
import { createClaimIndex } from './address-claim-index.ts'
import { createFleet, type Fleet } from '../rollout/fleet.ts'
import { NodeConfig, type NodeConfigObject } from '../model/node-config-kind.ts'
import { configMapPart, jobPart, nodePart, podPart } from './protobuf-fields.ts'
import { createRunIndex, type RunIndex } from './run-index.ts'
import type { ConfigView, NodeView, Conflict } from '../model/snapshot.ts'
import type { StopRecord } from '../rollout/stop-record.ts'
import { watchSettings } from './watch-settings.ts'
import { configView } from './config-view.ts'
import { configMapView, jobView, nodeView, podView } from './projections.ts'

/** The cluster's objects as the watches report them, including the controller's own latest writes. */
export type Caches = {
	config(key: string): ConfigView | undefined
	node(name: string): NodeView | undefined
	conflict(key: string): Conflict | undefined
	runs: Pick<RunIndex, 'runsOf'>
	fleet: Fleet
	/** A value that no node can read. */
	secret(): string
	/** The stored record of the nodes that stop the rollout, and a setter for its writer, which is notified when those nodes change. */
	stopRecord: {
		stored(): Readonly<Record<string, string>> | undefined
		/** The uid of ConfigMap multinic-rollout; empty if it does not exist. */
		owner(): string
		setWriter(writer: Pick<StopRecord, 'scheduleWrite' | 'checkStored'>): void
	}
	/** The contents of the caches, for metrics. */
	census: { configs(): Iterable<ConfigView>; caches(): CacheCount[] }
	/** Adds objects from API responses to the caches, because the watches may report them later. */
	observeWrite: ObserveWrite
	/** Resolves to true when every initial list is complete, or to false if the signal is aborted first. */
	synced: Promise<boolean>
	isSynced(): boolean
	done: Promise<unknown>
}

export type CacheCount = { kind: string; objects: number; events: number; lists: number; failures: number }

/** Adds an object from a response to its cache. Responses may arrive in any order. */
type ObserveWrite = {
	config(object: Stored<NodeConfigObject>): void
	configMap(object: Stored<ConfigMap>): void
	job(object: Stored<Job>): void
}

export type CacheOptions = {
	client: KubeClient
	namespace: string
	/** Called with the key of every node config that a change may affect. `backlog`: the key is not urgent. */
	wake: (key: string, backlog: boolean) => void
	log: Log
	signal: AbortSignal
	maxConcurrentRuns: number
	/** How long a run may take before Kubernetes ends it (milliseconds). */
	deadlineMs: number
	/**
	 * Service account of the agent's pods. NodeRestriction prevents kubelets from creating pods that use a service account, so a pod forged
	 * by a kubelet is never cached.
	 */
	serviceAccount: string
	/** When this process started (milliseconds since 1970). */
	startedAt: number
}

/** Starts watching every object that decisions use. */
export function startCaches(options: CacheOptions): Caches {
	const { namespace, wake, maxConcurrentRuns, startedAt } = options
	const runs = createRunIndex(() => performance.now(), options.deadlineMs)
	const keyed = (name: string) => keyOf({ name, namespace })
	let isComplete = false
	const indexes: Indexes = {
		runs,
		claims: createClaimIndex(key => configs.store.get(key)),
		fleet: createFleet({
			configOf: name => configs.store.get(keyed(name)),
			nodeOf: name => nodes.store.get(name),
			runsOf: runs.runsOf,
			active: runs.active,
			wake: name => wake(keyed(name), true),
			...{ recordedStop: name => settings.recordedStop(name), stopsChanged: () => settings.stopsChanged() },
			...{ maxConcurrentRuns, startedAt },
		}),
		refresh: name => isComplete && indexes.fleet.refresh(name),
		wakeNode: (name, backlog) => configs.store.has(keyed(name)) && wake(keyed(name), backlog),
	}
	const configs = watchConfigs(options, indexes)
	const nodes = watchNodes(options, indexes)
	const { configMaps, jobs, pods } = watchRuns(options, indexes)
	const settings = watchSettings(options, indexes.fleet)
	const caches = { MultiNicNodeConfig: configs, Node: nodes, ConfigMap: configMaps, Job: jobs, Pod: pods }
	const all = [...Object.values(caches), ...settings.all]
	const refreshAll = () => {
		isComplete = true
		for (const { name } of configs.store.values()) indexes.fleet.refresh(name)
		return true
	}
	return {
		config: configs.store.get,
		node: name => nodes.store.get(name),
		conflict: indexes.claims.conflict,
		runs,
		fleet: indexes.fleet,
		secret: settings.secret,
		stopRecord: settings.stopRecord,
		census: { configs: configs.store.values, caches: () => Object.entries(caches).map(counted) },
		observeWrite: { config: configs.observeWrite, configMap: configMaps.observeWrite, job: jobs.observeWrite },
		synced: Promise.all(all.map(reflector => reflector.synced)).then(refreshAll, () => false),
		isSynced: () => all.every(reflector => reflector.isSynced()),
		done: Promise.all(all.map(reflector => reflector.done)),
	}
}

function counted([kind, { store, counts }]: [string, Pick<Reflector<never, unknown>, 'store' | 'counts'>]): CacheCount {
	return { kind, objects: store.size, events: counts.events, lists: counts.lists, failures: counts.failures }
}

/** Indexes derived from the caches, and callbacks to run after a change. */
type Indexes = {
	runs: RunIndex
	claims: ReturnType<typeof createClaimIndex>
	fleet: Fleet
	/**
	 * Refreshes the node in the fleet. Does nothing before the initial lists are complete; otherwise each node would be refreshed four
	 * times.
	 */
	refresh: (name: string) => void
	/** Wakes the node config of the node, if there is one. */
	wakeNode: (name: string, backlog: boolean) => void
}

/**
 * Node configs per page, if they cannot be read as one response. A whole page is held in memory, and node configs that were created before
 * their metadata was limited may be 1.5 MB: a page of 500 node configs of 250 kB took 500 MB (measured), while a page of 20 takes less than
 * a single response, which is parsed as it arrives.
 */
const PAGE_SIZE = 20

function watchConfigs({ client, namespace, log, signal, wake }: CacheOptions, { claims, refresh }: Indexes) {
	const onChange: Change<ConfigView> = (key, now, _, backlog) => {
		const { holders, others } = claims.take(key, now)
		for (const holder of holders) wake(holder, backlog)
		for (const other of others) wake(other, true)
		refresh(nameOf(key).name)
		// many new node configs must not delay a change to an existing one
		wake(key, backlog || (now !== undefined && hasNeverRun(now.status)))
	}
	const how = { listMode: 'single', pageSize: PAGE_SIZE } as const
	return startReflector({ client, log, signal, namespace, kind: NodeConfig, ...how, project: configView, onChange })
}

function watchNodes({ client, log, signal }: CacheOptions, { refresh, wakeNode }: Indexes) {
	const onChange: Change<NodeView> = (name, now, before, backlog) => {
		if (sameJson(now, before)) return
		if (now?.controlPlane !== before?.controlPlane || !now !== !before) refresh(name)
		wakeNode(name, backlog)
	}
	return startReflector({ client, log, signal, kind: Node, protobuf: nodePart, project: nodeView, onChange })
}

function watchRuns({ client, namespace, log, signal, serviceAccount }: CacheOptions, indexes: Indexes) {
	const { runs, wakeNode } = indexes
	const ours = { client, log, signal, namespace, labelSelector: LABEL_CONFIG_UID }
	const fieldSelector = `spec.serviceAccountName=${serviceAccount}`
	const onRun =
		<V extends { node: string }>(take: (now: V | undefined, before: V | undefined) => void): Change<V> =>
		(_, now, before, backlog) => {
			take(now, before)
			const nodes = new Set([before, now].flatMap(one => (one ? [one.node] : [])))
			for (const node of nodes) indexes.refresh(node)
			if (!sameJson(now, before)) for (const node of nodes) wakeNode(node, backlog)
		}
	return {
		configMaps: startReflector({
			...{ ...ours, kind: ConfigMap, protobuf: configMapPart },
			...{ project: configMapView, onChange: onRun(runs.configMap) },
		}),
		jobs: startReflector({ ...ours, kind: Job, protobuf: jobPart, project: jobView, onChange: onRun(runs.job) }),
		pods: startReflector({ ...ours, fieldSelector, kind: Pod, protobuf: podPart, project: podView, onChange: onRun(runs.pod) }),
	}
}
