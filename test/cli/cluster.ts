import { onTestFinished } from 'vitest'
import { customResourceDefinition } from '../../contract/crd.ts'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { NodeConfig } from '../../cli/model/kinds.ts'
import type { Cluster } from '../../cli/model/io.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import type { Credentials } from '../../runtime/kube/kubeconfig/credentials.ts'
import { ConfigMap, CustomResourceDefinition, Job, Lease, Namespace, Pod } from '../../runtime/kube/kinds.ts'
import { createTransport } from '../../runtime/kube/transport.ts'
import { type FakeApiServer, type FakeApiServerOptions, startFakeApiServer } from '../runtime/fake-api-server/server.ts'
import { ago, now, object } from './fixtures.ts'

export const namespace = 'multinic-system'

export type Stage = { server: FakeApiServer; cluster: Cluster; put: Put }
export type Put = (name: string, said?: Parameters<typeof object>[1], more?: Parameters<typeof object>[2]) => void

/** The Lease of a controller that runs. */
export const held = { holderIdentity: 'one', renewTime: ago(1) }

type StageOptions = FakeApiServerOptions & { lease?: object | undefined }

/** Starts an API server with the kind, the namespace and the Lease of MultiNIC, for one test. */
export async function startStage(options: StageOptions = {}): Promise<Stage> {
	const stage = await openStage(options)
	onTestFinished(() => stage.server.stop())
	return stage
}

/** Starts the same API server outside a test; the caller stops it. */
export async function openStage({ lease = held, ...options }: StageOptions = {}): Promise<Stage> {
	const server = await startFakeApiServer({ now: () => now, ...options })
	server.objects.create(CustomResourceDefinition, customResourceDefinition(nodeConfigCrd) as never)
	server.objects.create(Namespace, { metadata: { name: namespace } })
	server.objects.create(Lease, { metadata: { name: 'multinic-controller', namespace }, spec: lease } as never)
	const put: Put = (name, said, more = {}) => {
		const { spec, status } = object(name, said, more)
		const interfaces = [{ id: 0, macAddress: 'fa:16:3e:37:c3:f1' }]
		const { generation } = server.objects.create(NodeConfig, {
			metadata: { name, namespace },
			spec: { ...spec, interfaces, nodeName: name } as never,
		}).metadata
		if (said) server.objects.patchStatus(NodeConfig, { name, namespace }, { ...status, observedGeneration: generation })
	}
	return { server, cluster: clusterOf(server.credentials), put }
}

/** Returns the cluster as a client with these credentials sees it. */
export function clusterOf(credentials: Credentials): Cluster {
	const transport = createTransport(credentials, { retryForMs: 0 })
	const client = new KubeClient(transport, { fieldManager: 'kubectl-multinic' })
	return { client, transport, namespace, server: credentials.server, close: transport.close }
}

type RunPod = { node: string; name: string; labels?: Record<string, string>; created?: string; status: object; env?: object[] }

/** Creates the pod of a run (`run-1-a` of Job `run-1`) and its Job, as the Job controller and the API server leave them. */
export function putRunPod({ server: { objects } }: Stage, { node, name, labels = {}, created, status, env = [] }: RunPod): void {
	const job = name.slice(0, -2)
	const marks = { 'multinic.io/node-name': node, ...labels }
	const { uid } = objects.create(Job, { metadata: { name: job, namespace, labels: marks } }).metadata
	objects.create(Pod, {
		metadata: {
			...{ name, namespace, labels: { ...marks, 'batch.kubernetes.io/job-name': job } },
			ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: job, uid, controller: true }],
			...(created && { creationTimestamp: created }),
		},
		spec: { nodeName: node, serviceAccountName: 'multinic-run', containers: [{ name: 'agent', env }] },
	} as never)
	objects.patchStatus(Pod, { name, namespace }, status as never)
}

/** The run that a verification of worker-1 starts. */
export const runOfLook = 'multinic-agent-worker-1-g1-2'

/** Simulates the controller and the run: answers a request for worker-1 with this report as soon as the client polls for it. */
export function answering({ server }: Stage, text: string | undefined): void {
	server.onRequest(({ verb, plural }) => {
		const { annotations } = server.objects.get(NodeConfig, { namespace, name: 'worker-1' })?.metadata ?? {}
		if (verb !== 'list' || plural !== 'configmaps' || !annotations) return undefined
		const data = text === undefined ? {} : { data: { 'report.json': text } }
		const labels = { 'multinic.io/node-name': 'worker-1', 'multinic.io/config-uid': 'u' }
		if (!server.objects.get(ConfigMap, { namespace, name: runOfLook }))
			server.objects.create(ConfigMap, { metadata: { name: runOfLook, namespace, annotations, labels }, ...data })
		return undefined
	})
}
