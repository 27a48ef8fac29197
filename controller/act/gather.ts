import { ConfigMap, Event, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import { clean } from '../../contract/clean.ts'
import { condition } from '../../contract/status.ts'
import type { Caches } from '../cache/caches.ts'
import { currentRun, isFinished, isPodless, isReported, NO_POD_MS } from '../model/runs.ts'
import type { RunSettings, Snapshot } from '../model/snapshot.ts'

/**
 * Takes a snapshot from the caches: everything that a decision about one node config uses.
 *
 * @param key `namespace/name`
 * @returns the snapshot, or undefined if there is no such node config
 */
export function gather(caches: Caches, settings: RunSettings, key: string, clocks: Pick<Snapshot, 'now' | 'uptime'>): Snapshot | undefined {
	const config = caches.config(key)
	if (!config) return undefined
	const { runs } = caches
	return {
		...{ ...clocks, settings, config, ...config.read },
		node: caches.node(config.name),
		conflict: caches.conflict(key),
		runs: runs.runsOf(config.name),
		rollout: caches.fleet.view(config.name),
	}
}

/**
 * Reads the ConfigMap from the API server before a run is treated as lost, because the watch on Jobs may be ahead of the watch on
 * ConfigMaps.
 *
 * @returns whether the ConfigMap was found, so that a new snapshot is needed
 */
export async function confirmLoss(client: KubeClient, caches: Caches, snapshot: Snapshot, signal: AbortSignal): Promise<boolean> {
	const run = currentRun(snapshot)
	if (!run?.hasConfigMap || run.report || run.reportFault || !isFinished(run) || isReported(snapshot, run)) return false
	const { namespace } = snapshot.config
	const found = await client.find(ConfigMap, { namespace, name: run.name }, { signal })
	if (found) caches.observeWrite.configMap(found)
	return found !== undefined
}

/** Maximum length of a Kubernetes message that is kept (characters). */
const MESSAGE_MAX = 500

/**
 * Reads from Events why the Job of the current run has created no pod: if a quota, Pod Security or a policy engine rejects the pod, only
 * Events report it. A client that can write Events can forge this message, but whether there is a pod is known from the Job.
 */
export async function whyNoPod(client: KubeClient, snapshot: Snapshot, signal: AbortSignal): Promise<string | undefined> {
	const run = currentRun(snapshot)
	const { uptime, config } = snapshot
	if (!run?.job || run.pod || run.job.hasPods || run.report || isReported(snapshot, run)) return undefined
	if (isPodless(run) && run.firstSeenAt + NO_POD_MS > uptime) return undefined
	const { status } = config
	const isInStatus = status.lastJobName === run.name && condition(status, 'Ready')?.reason === 'PodRefused'
	return isInStatus ? undefined : lastFailure(client, config.namespace, run.job.jobUid, signal)
}

async function lastFailure(client: KubeClient, namespace: string, jobUid: string, signal: AbortSignal): Promise<string | undefined> {
	const fieldSelector = `involvedObject.uid=${jobUid},reason=FailedCreate`
	try {
		const { items } = await client.list(Event, { namespace, fieldSelector, signal })
		const message = items
			.filter(isOfJobController)
			.toSorted((a, b) => timeOf(a) - timeOf(b))
			.at(-1)?.message
		return message && clean(message.slice(0, MESSAGE_MAX))
	} catch (error) {
		if (isKubeFailure(error, 'FORBIDDEN')) return undefined
		throw error
	}
}

function isOfJobController({ source, reportingComponent }: Event): boolean {
	return (reportingComponent || source?.component) === 'job-controller'
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): number {
	return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0
}
