import { LABEL_CONFIG_UID } from '../contract/names.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { keyOf } from '../runtime/kube/kind.ts'
import { ConfigMap, Job, Node, Pod } from '../runtime/kube/kinds.ts'
import { type Reflector, startReflector } from '../runtime/kube/reflector.ts'
import type { Log } from '../runtime/log.ts'
import { same } from './change.ts'
import { NodeConfig } from './kinds.ts'
import { createRunIndex, type RunIndex } from './run-index.ts'
import type { ConfigView, NodeView } from './snapshot.ts'
import { type ConfigMapView, configMapView, configView, jobView, nodeView, podView, type RunJobView } from './view.ts'

/** What the cluster holds, as far as we have heard, and what we have just written ourselves. */
export type Caches = {
	config(key: string): ConfigView | undefined
	node(name: string): NodeView | undefined
	runs: Pick<RunIndex, 'runsOf' | 'active'>
	/** What an answer of the API server showed, which the watch may tell only later. */
	wrote: Wrote
	/** True when every first list is in, false when the signal came first. */
	synced: Promise<boolean>
	isSynced(): boolean
	done: Promise<unknown>
}

export type Wrote = {
	config(key: string, view: ConfigView): void
	configMap(view: ConfigMapView): void
	/** Read by itself, because the watch may be behind. */
	readConfigMap(view: ConfigMapView): void
	job(view: RunJobView): void
}

export type CacheOptions = {
	client: KubeClient
	namespace: string
	/** Told the key of every node config that something may have changed for; `backlog` where nothing has just happened. */
	wake: (key: string, backlog: boolean) => void
	log: Log
	signal: AbortSignal
}

/** Starts watching everything a decision looks at. */
export function startCaches(options: CacheOptions): Caches {
	const { client, namespace, log, signal, wake } = options
	const runs = createRunIndex()
	const common = { client, log, signal }
	const ours = { ...common, namespace, labelSelector: LABEL_CONFIG_UID }
	const wakeNode = (name: string | undefined, backlog: boolean) => name && wake(keyOf({ name, namespace }), backlog)
	const onRun =
		<V extends { node: string }>(take: (now: V | undefined, before: V | undefined) => void) =>
		(_: string, now: V | undefined, before: V | undefined, backlog: boolean) => {
			take(now, before)
			if (!same(now, before)) wakeNode((now ?? before)?.node, backlog)
		}
	const onChange = (key: string, _now: unknown, _before: unknown, backlog: boolean) => wake(key, backlog)
	const configs = startReflector({ ...common, namespace, kind: NodeConfig, project: configView, onChange })
	const nodes = startReflector({
		...common,
		kind: Node,
		project: nodeView,
		onChange: (name, now, before, backlog) => {
			if (!same(now, before) && configs.store.has(keyOf({ name, namespace }))) wakeNode(name, backlog)
		},
	})
	const configMaps = startReflector({ ...ours, kind: ConfigMap, project: configMapView, onChange: onRun(runs.configMap) })
	const jobs = startReflector({ ...ours, kind: Job, project: jobView, onChange: onRun(runs.job) })
	const pods = startReflector({ ...ours, kind: Pod, project: podView, onChange: onRun(runs.pod) })
	const all = [configs, nodes, configMaps, jobs, pods]
	const own = ownWrites(configs)
	return {
		config: own.config,
		node: name => nodes.store.get(name),
		runs,
		wrote: {
			config: own.wrote,
			configMap: view => absent(configMaps, view, namespace) && runs.configMap(view, undefined),
			readConfigMap: view => runs.configMap(view, undefined),
			job: view => absent(jobs, view, namespace) && runs.job(view, undefined),
		},
		synced: Promise.all(all.map(reflector => reflector.synced)).then(
			() => true,
			() => false,
		),
		isSynced: () => all.every(reflector => reflector.isSynced()),
		done: Promise.all(all.map(reflector => reflector.done)),
	}
}

/** What the watch already told is newer than the answer to our own create. */
function absent(reflector: Reflector<unknown>, { name }: { name: string }, namespace: string): boolean {
	return !reflector.store.has(keyOf({ name, namespace }))
}

/** Deciding on a status older than our own last write would write the same once more. */
function ownWrites(configs: Reflector<ConfigView>) {
	const written = new Map<string, ConfigView>()
	const config = (key: string): ConfigView | undefined => {
		const heard = configs.store.get(key)
		const own = written.get(key)
		if (!own || !heard || !isNewer(own, heard)) {
			written.delete(key)
			return heard
		}
		return own
	}
	return { config, wrote: (key: string, view: ConfigView) => void written.set(key, view) }
}

/** Versions of one object are decimal numbers that only grow. */
function isNewer(a: ConfigView, b: ConfigView): boolean {
	return a.uid === b.uid && BigInt(a.resourceVersion) > BigInt(b.resourceVersion)
}
