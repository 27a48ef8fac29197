import { createHash } from 'node:crypto'
import { canonicalText } from '../contract/canonical.ts'
import { NODE_CONFIG } from '../contract/names.ts'
import type { NodeConfigRequest, NodeResult } from '../contract/viola-api.ts'
import { Failure } from '../runtime/errors.ts'
import { defineKind, isKubeFailure, KubeClient, loadCredentials, type TransportOptions } from '../runtime/kube/index.ts'
import { changeOf, manifest, type NodeConfigObject } from './manifest.ts'
import type { Target } from './routing.ts'

export const NodeConfigKind = defineKind<NodeConfigObject>(NODE_CONFIG)

/**
 * The part of a biz cluster that viola accesses: the node configs of one namespace. Every call throws a Failure with the API server's
 * message.
 */
export type Cluster = {
	providerId: string
	upsert(node: NodeConfigRequest): Promise<NodeResult>
	list(): Promise<NodeConfigObject[]>
	find(nodeName: string): Promise<NodeConfigObject | undefined>
	/** @returns false if there was no such node config */
	remove(nodeName: string): Promise<boolean>
}

/** @param providerId is written to every node config @param namespace is the only one that is accessed; it must exist */
export function createCluster(client: KubeClient, providerId: string, namespace: string): Cluster {
	const at = (name: string) => ({ namespace, name })
	return {
		providerId,
		upsert: node => upsert(client, node, { providerId, namespace }),
		list: async () => (await client.list(NodeConfigKind, { namespace })).items,
		find: name => client.find(NodeConfigKind, at(name)),
		remove: name => client.delete(NodeConfigKind, at(name)),
	}
}

/** Connects to each cluster on first use and keeps the connection. If the credentials cannot be read, the next use tries again. */
export function createClusters(env: Readonly<Record<string, string | undefined>>, onCall: NonNullable<TransportOptions['onCall']>) {
	const open = new Map<string, Promise<KubeClient>>()
	const connect = async ({ kubeconfig, context }: Target) => {
		const credentials = await loadCredentials({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) }, env)
		return new KubeClient(credentials, { fieldManager: 'multinic-viola', timeoutMs: 10_000, retryForMs: 2_000, onCall })
	}
	return {
		async cluster(providerId: string, target: Target): Promise<Cluster> {
			const client = open.get(providerId) ?? connect(target)
			open.set(providerId, client)
			client.catch(() => open.delete(providerId))
			return createCluster(await client, providerId, target.namespace)
		},
		async close(): Promise<void> {
			for (const client of await Promise.allSettled(open.values())) if (client.status === 'fulfilled') await client.value.close()
		},
	}
}

type Place = { providerId: string; namespace: string }

async function upsert(client: KubeClient, node: NodeConfigRequest, place: Place, again = true): Promise<NodeResult> {
	const wanted = manifest(node, { ...place, specHash: createHash('sha256').update(canonicalText(node.interfaces)).digest('hex') })
	const { nodeName } = node
	const at = { namespace: place.namespace, name: nodeName }
	const existing = await client.find(NodeConfigKind, at)
	if (!existing) {
		try {
			const { metadata } = await client.create(NodeConfigKind, wanted)
			return { nodeName, status: 'created', generation: metadata.generation ?? 1 }
		} catch (error) {
			if (again && isKubeFailure(error, 'ALREADY_EXISTS')) return upsert(client, node, place, false)
			throw error
		}
	}
	if (existing.metadata.deletionTimestamp)
		throw new Failure(
			'Terminating',
			`the node config of ${nodeName} is being deleted and its NICs are being removed; send it again after the deletion`,
		)
	const change = changeOf(existing, wanted)
	if (!change) return { nodeName, status: 'unchanged', generation: existing.metadata.generation ?? 1 }
	const { metadata } = await client.patch(NodeConfigKind, at, change)
	return { nodeName, status: 'updated', generation: metadata.generation ?? 1 }
}
