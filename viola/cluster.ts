import { createHash } from 'node:crypto'
import { canonicalText } from '../contract/canonical.ts'
import { NODE_CONFIG } from '../contract/names.ts'
import type { NodeConfigRequest, NodeResult } from '../contract/viola-api.ts'
import { Failure } from '../runtime/errors.ts'
import { defineKind, isKubeFailure, KubeClient, type TransportOptions } from '../runtime/kube/index.ts'
import { changeOf, manifest, type NodeConfigObject } from './manifest.ts'
import type { Opened } from './cluster/connection.ts'
import { credentialsOf } from './targets/credentials.ts'
import type { Target } from './targets/target.ts'

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

type Environment = Readonly<Record<string, string | undefined>>

/** Opens the cluster of a target. Nothing is sent before the first call. @throws Failure if the credentials cannot be used */
export async function openCluster(
	target: Target,
	env: Environment,
	onCall: NonNullable<TransportOptions['onCall']>,
): Promise<Cluster & Opened> {
	const credentials = await credentialsOf(target, env)
	const client = new KubeClient(credentials, { fieldManager: 'multinic-viola', timeoutMs: 10_000, retryForMs: 2_000, onCall })
	const cluster = createCluster(client, target.providerId, target.namespace)
	return { ...cluster, server: credentials.server, ready: Promise.resolve(), close: () => client.close() }
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
