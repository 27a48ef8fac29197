import * as z from 'zod'
import { type KubeAccess, kubeGet } from '../cluster/kube-get.ts'

const NodeObject = z.object({
	status: z.object({
		conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
		nodeInfo: z.object({ bootID: z.string() }),
	}),
})

/** The status of a node. */
export interface NodeStatus {
	ready: boolean
	/** Changes with every boot. */
	bootId: string
}

/** Reads the status of a node from its cluster; undefined if the node is not registered or the cluster does not respond. */
export async function nodeStatus(access: KubeAccess, name: string): Promise<NodeStatus | undefined> {
	const { status, body } = await kubeGet(access, `/api/v1/nodes/${name}`)
	if (status !== 200) return undefined
	const node = NodeObject.parse(JSON.parse(body))
	const ready = node.status.conditions.some(condition => condition.type === 'Ready' && condition.status === 'True')
	return { ready, bootId: node.status.nodeInfo.bootID }
}
