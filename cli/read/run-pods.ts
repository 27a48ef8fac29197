import { AGENT_CONTAINER, LABEL_NODE_NAME } from '../../contract/names.ts'
import { Job, Pod, type Stored } from '../../runtime/kube/index.ts'
import type { Cluster } from '../model/io.ts'

/**
 * Selects pods with a ServiceAccount. A kubelet may create a pod of any size with MultiNIC's labels, but not with a ServiceAccount
 * (NodeRestriction).
 */
export const OF_ACCOUNTS = 'spec.serviceAccountName!='

/** Pods of runs, and pods of Deployments. */
export type OurPods = { ofRuns: Stored<Pod>[]; others: Stored<Pod>[] }

/**
 * Lists MultiNIC's pods. Any client that may write pods can set MultiNIC's labels, even a kubelet. A pod therefore belongs to a run only if
 * the run's Job controls it and it is on the run's node.
 *
 * @param labelSelector of Jobs and pods
 */
export async function listOurPods({ client, namespace }: Cluster, labelSelector: string, signal: AbortSignal): Promise<OurPods> {
	const where = { namespace, labelSelector, signal }
	const [jobs, pods] = await Promise.all([client.list(Job, where), client.list(Pod, { ...where, fieldSelector: OF_ACCOUNTS })])
	const nodes = new Map(jobs.items.map(({ metadata }) => [metadata.uid, metadata.labels?.[LABEL_NODE_NAME]]))
	const isOfRun = (pod: Stored<Pod>) => {
		const node = nodes.get(makerOf(pod, 'Job') ?? '')
		return node !== undefined && pod.spec?.nodeName === node
	}
	return { ofRuns: pods.items.filter(isOfRun), others: pods.items.filter(pod => makerOf(pod, 'ReplicaSet') !== undefined) }
}

export function agentState({ status }: Stored<Pod>) {
	return status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER)?.state
}

/** @returns the uid of the pod's controller, if it is of that kind */
function makerOf({ metadata }: Stored<Pod>, wanted: string): string | undefined {
	return metadata.ownerReferences?.find(({ kind, controller }) => kind === wanted && controller === true)?.uid
}
