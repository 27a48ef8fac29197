import type { KubeClient } from '../runtime/kube/client.ts'
import { ConfigMap } from '../runtime/kube/kinds.ts'
import type { Caches } from './caches.ts'
import { currentRun, hasEnded, isTold } from './runs.ts'
import type { RunSettings, Snapshot } from './snapshot.ts'

/**
 * Reads everything a decision about one node config looks at, from the caches.
 *
 * @param key `namespace/name`
 * @returns undefined when there is no such node config
 */
export function gather(caches: Caches, settings: RunSettings, key: string, now: number): Snapshot | undefined {
	const config = caches.config(key)
	if (!config) return undefined
	const { runs } = caches
	return {
		...{ now, settings, config, ...config.read },
		node: caches.node(config.name),
		rival: caches.rival(key),
		runs: runs.runsOf(config.name),
		rollout: caches.fleet.standing(config.name),
	}
}

/**
 * Looks at the ConfigMap itself before a run counts as lost: the watch of Jobs may be ahead of that of ConfigMaps.
 *
 * @returns whether there was something to look up, so that the snapshot must be taken again
 */
export async function confirmLoss(client: KubeClient, caches: Caches, snapshot: Snapshot, signal: AbortSignal): Promise<boolean> {
	const run = currentRun(snapshot)
	if (!run?.hasConfigMap || run.report || run.reportFault || !hasEnded(run) || isTold(snapshot, run)) return false
	const { namespace } = snapshot.config
	const found = await client.find(ConfigMap, { namespace, name: run.name }, { signal })
	if (found) caches.learn.configMap(found)
	return found !== undefined
}
