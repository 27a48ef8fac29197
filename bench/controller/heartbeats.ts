import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '../../runtime/kube/client.ts'
import type { KubeObject } from '../../runtime/kube/kind.ts'
import { Node } from '../../runtime/kube/kinds.ts'

/** Nodes as large as those of real kubelets, and their heartbeats. */

/**
 * Creates a Node with the data that a kubelet reports every five minutes, which is 2.6 KB plus what the API server adds. It includes ten
 * images with two names each, and the capacity.
 */
export async function createLifelikeNode(client: KubeClient, name: string): Promise<void> {
	const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'topology.kubernetes.io/zone': 'nova' }
	await client.create<KubeObject>(Node, { metadata: { name, labels } })
	await client.patchStatus(Node, { name }, statusOf(name))
}

function statusOf(name: string) {
	const amounts = { cpu: '8', memory: '32780596Ki', pods: '110', 'ephemeral-storage': '81106868Ki' }
	const image = (index: number) => ({
		names: [`registry.example/images/part-${index}@sha256:${String(index).repeat(64)}`, `registry.example/images/part-${index}:v1.2.3`],
		sizeBytes: 50_000_000 + index,
	})
	return {
		...{ addresses: [{ type: 'Hostname', address: name }], capacity: amounts, allocatable: amounts },
		conditions: conditionsAt(new Date()),
		images: Array.from({ length: 10 }, (_, index) => image(index)),
		nodeInfo: { bootID: `boot-of-${name}`, kubeletVersion: 'v1.36.0', operatingSystem: 'linux', architecture: 'amd64' },
	}
}

function conditionsAt(time: Date) {
	const lastHeartbeatTime = `${time.toISOString().slice(0, 19)}Z`
	const calm = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map(type => ({ type, status: 'False' }))
	return [...calm, { type: 'Ready', status: 'True' }].map(condition => ({ ...condition, lastHeartbeatTime }))
}

/** Sends `aSecond` heartbeats per second, one node after the other. @returns a function that stops them */
export function startHeartbeats(client: KubeClient, names: readonly string[], aSecond: number): () => Promise<void> {
	const stop = new AbortController()
	const beat = async () => {
		for (let turn = 0; !stop.signal.aborted; turn++) {
			await client.patchStatus(Node, { name: names[turn % names.length] ?? '' }, { conditions: conditionsAt(new Date()) })
			await sleep(1_000 / aSecond, undefined, { signal: stop.signal }).catch(() => undefined)
		}
	}
	const ended = beat()
	return async () => {
		stop.abort()
		await ended
	}
}
