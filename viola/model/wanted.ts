import { canonicalText } from '../../contract/canonical.ts'
import type { NodeConfigRequest, Owner } from '../../contract/viola-api.ts'
import { contentText } from './content.ts'
import { digestOf } from './digest.ts'
import { manifest } from './manifest.ts'
import type { NodeConfigObject } from './node-config-kind.ts'

/** The state that a POST requests for one node. */
export type Wanted = {
	readonly nodeName: string
	/** The object to create. */
	readonly object: NodeConfigObject
	/** Comparable with the digest of an `Entry`. */
	readonly digest: string
	/** If undefined, the stored owner is kept. */
	readonly owner: Owner | undefined
}

/** Returns the desired object of a node, and its digest. */
export function wantedOf(node: NodeConfigRequest, place: Readonly<{ namespace: string; providerId: string }>): Wanted {
	const object = manifest(node, { ...place, specHash: digestOf(canonicalText(node.interfaces)) })
	return { nodeName: node.nodeName, object, digest: digestOf(contentText(object)), owner: node.owner }
}
