import { Failure } from '../../runtime/errors.ts'
import type { ViolaCode } from '../model/failures.ts'
import type { Target } from './target.ts'

type Known = {
	get(providerId: string): Target | undefined
	/** Whether all sources have been read. */
	isComplete(): boolean
}

/**
 * Finds the cluster of a request. There is no fallback, because a node config must never reach the wrong cluster.
 *
 * @throws Failure BAD_REQUEST if there is no provider id, UNKNOWN_PROVIDER if no source defines it, or CLUSTER_UNREACHABLE if a source that
 *   may define it has not been read yet
 */
export function route(targets: Known, providerId: string | undefined): Target {
	if (!providerId) throw new Failure<ViolaCode>('BAD_REQUEST', 'header x-provider-id is required: it names the biz cluster')
	const target = targets.get(providerId)
	if (target) return target
	if (!targets.isComplete())
		throw new Failure<ViolaCode>(
			'CLUSTER_UNREACHABLE',
			`the cluster of provider ${providerId} is not known yet: viola has not read the Secrets of its namespace`,
			{ retry: true },
		)
	throw new Failure<ViolaCode>(
		'UNKNOWN_PROVIDER',
		`no cluster is configured for provider ${providerId}: add it to the file in VIOLA_CLUSTERS, or create a Secret for it`,
	)
}
