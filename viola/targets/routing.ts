import * as z from 'zod'
import { faultsIn } from '../../runtime/faults.ts'
import { Failure } from '../../runtime/errors.ts'
import type { ViolaCode } from '../model/failures.ts'

/** One biz cluster: its credentials (if there is no kubeconfig, those of viola's own pod) and the namespace of its node configs. */
export const Target = z.strictObject({
	kubeconfig: z.string().min(1).optional(),
	context: z.string().min(1).optional(),
	namespace: z.string().min(1).max(63).default('multinic-system'),
})
export type Target = z.infer<typeof Target>

/** Provider id (k8sProviderID) → cluster. */
export type Clusters = ReadonlyMap<string, Target>

/** @throws TypeError that lists every fault with its provider */
export function parseClusters(document: unknown): Clusters {
	const parsed = z.record(z.string().min(1), Target).safeParse(document)
	if (!parsed.success) throw new TypeError(faultsIn(parsed.error))
	const clusters = new Map(Object.entries(parsed.data))
	if (clusters.size === 0) throw new TypeError('has no clusters: use provider id: { kubeconfig, namespace }')
	return clusters
}

/**
 * Finds the cluster of a request. There is no fallback, because a node config must never reach the wrong cluster.
 *
 * @throws Failure BAD_REQUEST if there is no provider id, UNKNOWN_PROVIDER if it is not configured
 */
export function route(clusters: Clusters, providerId: string | undefined): { providerId: string; target: Target } {
	if (!providerId) throw new Failure<ViolaCode>('BAD_REQUEST', 'header x-provider-id is required: it names the biz cluster')
	const target = clusters.get(providerId)
	if (target) return { providerId, target }
	throw new Failure<ViolaCode>(
		'UNKNOWN_PROVIDER',
		`no cluster is configured for provider ${providerId}: add it to the file in VIOLA_CLUSTERS`,
	)
}
