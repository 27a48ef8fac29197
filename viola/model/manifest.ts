import { ANNOTATION_OWNER, FINALIZER, LABEL_INSTANCE_ID, LABEL_NODE_NAME, LABEL_PROVIDER_ID } from '../../contract/names.ts'
import type { NodeConfigRequest } from '../../contract/viola-api.ts'
import type { NodeConfigObject } from './node-config-kind.ts'
import { ownerText } from './owner.ts'

/** The cluster and namespace to which a node config is written, and the digest of its interfaces. */
export type Destination = { namespace: string; providerId: string; specHash: string }

/**
 * Returns the object to create for a node config. It has the finalizer from the start, so that it is never deleted before its NICs are
 * restored.
 */
export function manifest(node: NodeConfigRequest, { namespace, providerId, specHash }: Destination): NodeConfigObject {
	const { nodeName, interfaces, owner } = node
	const instance = node.instanceId ? { instanceId: node.instanceId } : {}
	const annotations = owner && { [ANNOTATION_OWNER]: ownerText(owner) }
	return {
		metadata: { name: nodeName, namespace, labels: labels(node, providerId), finalizers: [FINALIZER], ...(annotations && { annotations }) },
		spec: { nodeName, providerId, ...instance, specHash, interfaces },
	}
}

/** The labels that viola writes. */
export const ownLabels = [LABEL_NODE_NAME, LABEL_INSTANCE_ID, LABEL_PROVIDER_ID] as const

/** Returns the labels. A label value has at most 63 characters, so a longer node name is only in the spec. */
function labels({ nodeName, instanceId }: NodeConfigRequest, providerId: string): Record<string, string> {
	const all = { [LABEL_NODE_NAME]: nodeName, [LABEL_INSTANCE_ID]: instanceId ?? '', [LABEL_PROVIDER_ID]: providerId }
	return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '' && value.length <= 63))
}
