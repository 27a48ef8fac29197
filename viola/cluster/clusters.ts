import { loadCredentials, type TransportOptions } from '../../runtime/kube/index.ts'
import { Failure, wordsOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ViolaCode } from '../model/failures.ts'
import type { Target } from '../targets/routing.ts'
import { type Cluster, openCluster } from './cluster.ts'

export type ClustersOptions = {
	env: Readonly<Record<string, string | undefined>>
	log: Log
	onCall: NonNullable<TransportOptions['onCall']>
	onUp: (providerId: string, isUp: boolean) => void
}

/** The open clusters. */
export type Clusters = {
	/** Returns the cluster of a provider, and opens it if it is not open. @throws Failure CLUSTER_UNREACHABLE if its credentials cannot be read */
	cluster(providerId: string, target: Target): Promise<Cluster>
	/** The providers whose node configs are being read for the first time. A cluster that fails is not among them. */
	opening(): string[]
	close(): Promise<void>
}

/** Opens each cluster once, and keeps it. If the credentials cannot be read, the next use tries again. */
export function createClusters({ env, log, onCall, onUp }: ClustersOptions): Clusters {
	const open = new Map<string, Promise<Cluster>>()
	const opened: Cluster[] = []
	const start = async (providerId: string, { kubeconfig, context, namespace }: Target) => {
		const credentials = await loadCredentials({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) }, env).catch(cause => {
			throw new Failure<ViolaCode>('CLUSTER_UNREACHABLE', `the cluster of provider ${providerId}: ${wordsOf(cause)}`, { retry: true })
		})
		const cluster = openCluster({ providerId, namespace, credentials, log, onCall, onUp: isUp => onUp(providerId, isUp) })
		opened.push(cluster)
		return cluster
	}
	return {
		async cluster(providerId, target) {
			const cluster = open.get(providerId) ?? start(providerId, target)
			open.set(providerId, cluster)
			cluster.catch(() => open.delete(providerId))
			return cluster
		},
		opening: () => opened.filter(one => one.isOpening()).map(({ providerId }) => providerId),
		async close() {
			await Promise.allSettled(open.values())
			await Promise.all(opened.map(cluster => cluster.close()))
		},
	}
}
