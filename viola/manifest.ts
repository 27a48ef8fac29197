import { canonicalText } from '../contract/canonical.ts'
import { FINALIZER, LABEL_INSTANCE_ID, LABEL_NODE_NAME, LABEL_PROVIDER_ID } from '../contract/names.ts'
import type { NodeConfigSpec, NodeConfigStatus } from '../contract/node-config.ts'
import type { NodeConfigRequest, NodeConfigView } from '../contract/viola-api.ts'
import { ownerIn } from './model/owner.ts'
import { specWriter } from './model/spec-writer.ts'

type Meta = {
	name: string
	namespace?: string
	labels?: Record<string, string>
	annotations?: Record<string, string>
	resourceVersion?: string
	managedFields?: { manager?: string; subresource?: string; time?: string; fieldsV1?: object }[]
	finalizers?: string[]
	generation?: number
	deletionTimestamp?: string
}
/** A MultiNicNodeConfig as viola reads and writes it. */
export type NodeConfigObject = { metadata: Meta; spec: NodeConfigSpec; status?: NodeConfigStatus }

/** The cluster and namespace to which a node config is written, and the digest of its interfaces. */
export type Destination = { namespace: string; providerId: string; specHash: string }

/**
 * Returns the object to create for a node config. It has the finalizer from the start, so that it is never deleted before its NICs are
 * restored.
 */
export function manifest(node: NodeConfigRequest, { namespace, providerId, specHash }: Destination): NodeConfigObject {
	const { nodeName, interfaces } = node
	const instance = node.instanceId ? { instanceId: node.instanceId } : {}
	return {
		metadata: { name: nodeName, namespace, labels: labels(node, providerId), finalizers: [FINALIZER] },
		spec: { nodeName, providerId, ...instance, specHash, interfaces },
	}
}

/**
 * Returns the merge patch that turns an object into the desired one, or undefined if it already matches.
 *
 * The patch contains only what viola writes, so that what users set on the object (`paused`, `mode`, their own labels) is kept.
 */
export function changeOf(existing: NodeConfigObject, wanted: NodeConfigObject): object | undefined {
	const same =
		canonicalText(existing.spec.interfaces) === canonicalText(wanted.spec.interfaces) &&
		existing.spec.specHash === wanted.spec.specHash &&
		existing.spec.providerId === wanted.spec.providerId &&
		existing.spec.instanceId === wanted.spec.instanceId &&
		Object.entries(wanted.metadata.labels ?? {}).every(([key, value]) => existing.metadata.labels?.[key] === value)
	if (same) return undefined
	return { metadata: { labels: wanted.metadata.labels }, spec: { instanceId: null, ...wanted.spec } }
}

/** Returns an object as GET shows it. */
export function view({ metadata, spec, status }: NodeConfigObject): NodeConfigView {
	const { nodeName, instanceId, providerId, interfaces } = spec
	const owner = ownerIn(metadata.annotations)
	const lastManager = specWriter(metadata.managedFields)
	return {
		nodeName,
		...(providerId !== undefined && { providerId }),
		...(instanceId !== undefined && { instanceId }),
		interfaces,
		...(owner && { owner }),
		deleting: metadata.deletionTimestamp !== undefined,
		generation: metadata.generation ?? 0,
		resourceVersion: metadata.resourceVersion ?? '',
		...(lastManager !== undefined && { lastManager }),
		...(status && { status }),
	}
}

/** Returns the labels. A label value has at most 63 characters, so a longer node name is only in the spec. */
function labels({ nodeName, instanceId }: NodeConfigRequest, providerId: string): Record<string, string> {
	const all = { [LABEL_NODE_NAME]: nodeName, [LABEL_INSTANCE_ID]: instanceId ?? '', [LABEL_PROVIDER_ID]: providerId }
	return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '' && value.length <= 63))
}
