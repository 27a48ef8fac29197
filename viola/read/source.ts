import type { Cluster } from '../cluster/cluster.ts'

/** The part of a biz cluster that reading needs. */
export type Source = Pick<Cluster, 'providerId' | 'held' | 'isSynced' | 'heardMs' | 'unavailable'>

/** @throws Failure CLUSTER_NOT_SYNCED or CLUSTER_UNREACHABLE if the node configs have never been read */
export function mustBeSynced({ isSynced, unavailable }: Source): void {
	const failure = isSynced() ? undefined : unavailable()
	if (failure) throw failure
}

/** Returns the value of the header Age: how long ago the API server last confirmed the node configs, in whole seconds. */
export function ageOf({ heardMs }: Source, nowMs: number): number {
	return Math.max(0, Math.floor((nowMs - (heardMs() ?? 0)) / 1_000))
}
