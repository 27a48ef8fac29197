import type { Interface } from '../../contract/interface.ts'
import type { Owner } from '../../contract/viola-api.ts'
import type { NodeRow } from './schema.ts'

/** Returns the interfaces of a stored node config. */
export function interfacesOf(node: NodeRow | undefined): Interface[] {
	return node ? (JSON.parse(node.config) as Interface[]) : []
}

/** Returns the owner of a stored node. */
export function ownerOf(node: NodeRow | undefined): Owner | undefined {
	const { owner_namespace: namespace = null, owner_name: name = null, owner_uid: uid = null } = node ?? {}
	return namespace === null || name === null || uid === null ? undefined : { namespace, name, uid }
}
