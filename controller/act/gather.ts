import { ConfigMap, Event, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import { clean } from '../../contract/clean.ts'
import { condition } from '../../contract/status.ts'
import type { Caches } from '../cache/caches.ts'
import { currentRun, hasEnded, isPodless, isTold, NO_POD_MS } from '../model/runs.ts'
import type { RunSettings, Snapshot } from '../model/snapshot.ts'

/**
 * Reads everything that a decision about one node config uses, from the caches.
 *
 * @param key `namespace/name`
 * @returns undefined when there is no such node config
 */
export function gather(caches: Caches, settings: RunSettings, key: string, moment: Pick<Snapshot, 'now' | 'uptime'>): Snapshot | undefined {
	const config = caches.config(key)
	if (!config) return undefined
	const { runs } = caches
	return {
		...{ ...moment, settings, config, ...config.read },
		node: caches.node(config.name),
		rival: caches.rival(key),
		runs: runs.runsOf(config.name),
		rollout: caches.fleet.standing(config.name),
	}
}

/**
 * Reads the ConfigMap from the API server before a run counts as lost: the watch of Jobs may be ahead of that of ConfigMaps.
 *
 * @returns whether the ConfigMap was found, so that the snapshot must be taken again
 */
export async function confirmLoss(client: KubeClient, caches: Caches, snapshot: Snapshot, signal: AbortSignal): Promise<boolean> {
	const run = currentRun(snapshot)
	if (!run?.hasConfigMap || run.report || run.reportFault || !hasEnded(run) || isTold(snapshot, run)) return false
	const { namespace } = snapshot.config
	const found = await client.find(ConfigMap, { namespace, name: run.name }, { signal })
	if (found) caches.observeWrite.configMap(found)
	return found !== undefined
}

/** How much of a message of Kubernetes is kept (characters). */
const WORDS_MAX = 500

/**
 * Reads from Events why the Job of the current run has created no pod: a quota, Pod Security or a policy engine rejects the pod, and only
 * Events say so. A client that may write Events can forge this text, but not a decision: that there is no pod comes from the Job.
 */
export async function whyNoPod(client: KubeClient, snapshot: Snapshot, signal: AbortSignal): Promise<string | undefined> {
	const run = currentRun(snapshot)
	const { uptime, config } = snapshot
	if (!run?.job || run.pod || run.job.hasPods || run.report || isTold(snapshot, run)) return undefined
	if (isPodless(run) && run.heard + NO_POD_MS > uptime) return undefined
	const { status } = config
	const isSaid = status.lastJobName === run.name && condition(status, 'Ready')?.reason === 'PodRefused'
	return isSaid ? undefined : lastFailure(client, config.namespace, run.job.jobUid, signal)
}

async function lastFailure(client: KubeClient, namespace: string, jobUid: string, signal: AbortSignal): Promise<string | undefined> {
	const fieldSelector = `involvedObject.uid=${jobUid},reason=FailedCreate`
	try {
		const { items } = await client.list(Event, { namespace, fieldSelector, signal })
		const words = items
			.filter(isOfJobController)
			.toSorted((a, b) => timeOf(a) - timeOf(b))
			.at(-1)?.message
		return words && clean(words.slice(0, WORDS_MAX))
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
