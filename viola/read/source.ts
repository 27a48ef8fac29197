import { Failure } from '../../runtime/errors.ts'
import type { Held } from '../held/held.ts'

/** The node configs of a biz cluster, as far as reading needs to know. */
export type Source = {
	readonly providerId: string
	readonly held: Held
	/** Whether `held` has all node configs: the first list is complete. */
	isSynced(): boolean
	/** When the API server last confirmed that `held` is current, on the clock of `performance.now()`. Undefined before the first list. */
	heardMs(): number | undefined
	/** Aborted when the cluster is no longer a target, or its connection is replaced. */
	readonly signal: AbortSignal
}

/** @throws Failure CLUSTER_NOT_SYNCED if the node configs have not been read yet */
export function mustBeSynced({ providerId, isSynced }: Source): void {
	if (isSynced()) return
	const message = `the node configs in the cluster of provider ${providerId} have not been read yet; try again later`
	throw new Failure('CLUSTER_NOT_SYNCED', message, { retry: true, facts: { retryAfterMs: 2_000 } })
}

/** Returns the value of the header Age: how long ago the API server was last heard from, in whole seconds. */
export function ageOf({ heardMs }: Source, nowMs: number): number {
	return Math.max(0, Math.floor((nowMs - (heardMs() ?? nowMs)) / 1_000))
}
