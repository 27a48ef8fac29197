import { type ActiveRuns, createActiveRuns } from './active-runs.ts'
import { readReport } from './read-report.ts'
import type { Report } from '../model/report.ts'
import { isActive, isFinished } from '../model/runs.ts'
import type { Run } from '../model/snapshot.ts'
import type { ConfigMapView, RunIdentity, RunJobView, RunPodView } from './projections.ts'

/** What is known about one run, from three caches that are updated independently. */
type Parts = { firstSeenAt: number; configMap?: ConfigMapView; job?: RunJobView; pods?: readonly RunPodView[] }
type Reading = { report: Report } | { fault: string }

/**
 * Indexes all runs by node, so that a decision does not search all runs. Within a node, the key is name and uid: while the garbage
 * collector is still deleting the runs of a deleted node config, runs of its successor may have the same names.
 */
export type RunIndex = {
	configMap: Take<ConfigMapView>
	job: Take<RunJobView>
	pod: Take<RunPodView>
	runsOf(node: string): Run[]
	/** Returns how many runs of these modes are in progress in the whole cluster. */
	active: ActiveRuns['count']
}

/** Applies a change in a cache. `now` is undefined if the object was deleted, `before` if it is new. */
type Take<V> = (now: V | undefined, before: V | undefined) => void

/**
 * Creates an empty index.
 *
 * @param uptime a monotonic clock (milliseconds)
 * @param deadlineMs how long a run may take before Kubernetes ends it (milliseconds)
 */
export function createRunIndex(uptime: () => number = () => performance.now(), deadlineMs = Number.POSITIVE_INFINITY): RunIndex {
	const nodes = new Map<string, Map<string, Parts>>()
	const active = createActiveRuns(uptime, deadlineMs)
	const change = (identity: RunIdentity | undefined, edit: (parts: Parts) => void) => {
		if (!identity?.node || !identity.name) return
		const key = `${identity.name} ${identity.uid}`
		const runs = nodes.get(identity.node) ?? new Map<string, Parts>()
		const parts = runs.get(key) ?? { firstSeenAt: uptime() }
		edit(parts)
		keep(nodes, runs, { node: identity.node, key }, parts)
		const run = runFrom(parts)
		active.set(key, run && isActive(run) ? run : undefined)
	}
	return {
		configMap: apart((now, before) => change(now ?? before, parts => assign(parts, 'configMap', now))),
		job: apart((now, before) => change(now ?? before, parts => assign(parts, 'job', now))),
		pod: apart((now, before) => change(now ?? before, parts => takePod(parts, now, before))),
		runsOf: node => [...(nodes.get(node)?.values() ?? [])].flatMap(parts => runFrom(parts) ?? []),
		active: active.count,
	}
}

/**
 * Splits a replacement into a deletion and an addition: after a relist, a cache may report an object of the same name that belongs to
 * another run.
 */
function apart<V extends RunIdentity>(take: Take<V>): Take<V> {
	return (now, before) => {
		const isOther = now && before && (now.node !== before.node || now.name !== before.name || now.uid !== before.uid)
		if (!isOther) return take(now, before)
		take(undefined, before)
		take(now, undefined)
	}
}

function keep(
	nodes: Map<string, Map<string, Parts>>,
	runs: Map<string, Parts>,
	{ node, key }: { node: string; key: string },
	parts: Parts,
): void {
	if (parts.configMap || parts.job || parts.pods) runs.set(key, parts)
	else runs.delete(key)
	if (runs.size > 0) nodes.set(node, runs)
	else nodes.delete(node)
}

/**
 * Updates the pods of a run, which are in the order in which they were last reported. A pod that is bound to a node other than the one in
 * its labels belongs to no run, regardless of its creator.
 */
function takePod(parts: Parts, now: RunPodView | undefined, before: RunPodView | undefined): void {
	const name = now?.pod ?? before?.pod
	const others = (parts.pods ?? []).filter(({ pod }) => pod !== name)
	const pods = now && now.boundTo === now.node ? [...others, now] : others
	assign(parts, 'pods', pods.length > 0 ? pods : undefined)
}

/**
 * A Job without retries has one pod; if it has more, the last one is used. If the Job no longer exists or is not known yet, a pod of any
 * Job is used, because it may still be running on the node.
 */
function ownPod({ job, pods = [] }: Parts): RunPodView | undefined {
	return pods.findLast(({ createdBy }) => createdBy !== undefined && (job === undefined || createdBy === job.jobUid))
}

function assign<K extends keyof Parts>(parts: Parts, key: K, value: Parts[K] | undefined): void {
	if (value === undefined) delete parts[key]
	else parts[key] = value
}

function runFrom(parts: Parts): Run | undefined {
	const { configMap, job } = parts
	const pod = ownPod(parts)
	const identity = configMap ?? job ?? pod
	if (!identity) return undefined
	const { name, uid, generation, attempt, mode } = identity
	const run: Run = {
		...{ name, uid, generation, attempt, mode, job, pod },
		cause: configMap?.cause ?? '',
		requests: configMap?.requests ?? {},
		bootID: configMap?.bootID,
		podNetworks: configMap?.podNetworks,
		failures: configMap?.failures ?? 0,
		created: configMap?.created ?? job?.created ?? 0,
		firstSeenAt: parts.firstSeenAt,
		hasConfigMap: configMap !== undefined,
		// parsed on first use: parsing ten thousand reports takes long and must not delay startup
		get report() {
			return configMap && reportIn(readingOf(configMap) ?? lastReadingOf(configMap, run))
		},
		get reportFault() {
			return configMap && faultIn(readingOf(configMap))
		},
	}
	return run
}

function reportIn(reading: Reading | undefined): Report | undefined {
	return reading && 'report' in reading ? reading.report : undefined
}

function faultIn(reading: Reading | undefined): string | undefined {
	return reading && 'fault' in reading ? reading.fault : undefined
}

const known = new WeakMap<ConfigMapView, Reading>()

/** Parses the report in the ConfigMap of a run, once per version of the ConfigMap. */
function readingOf(configMap: ConfigMapView): Reading | undefined {
	if (configMap.report === undefined) return undefined
	const reading = known.get(configMap) ?? readReport(configMap.report, configMap)
	known.set(configMap, reading)
	return reading
}

const knownLast = new WeakMap<ConfigMapView, { text: string; reading: Reading }>()

/**
 * Parses the termination message, once per message: an agent that could not reach the API server left the short form of its report there.
 */
function lastReadingOf(configMap: ConfigMapView, run: Run): Reading | undefined {
	const text = run.pod?.terminationMessage
	if (!isFinished(run) || !text) return undefined
	const last = knownLast.get(configMap)
	if (last?.text === text) return last.reading
	const reading = readReport(text, configMap)
	knownLast.set(configMap, { text, reading })
	return reading
}
