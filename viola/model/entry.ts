import type { Owner } from '../../contract/viola-api.ts'

/**
 * The data that viola keeps of a node config. The view is kept as text, because a parsed one needs several times as much memory, and a
 * response only copies it.
 */
export type Entry = {
	readonly nodeName: string
	readonly generation: number
	readonly resourceVersion: string
	/** Whether the node config is being deleted. */
	readonly isDeleting: boolean
	/** Digest of everything that a POST sets except the owner. If it equals the digest of a POST, only the owner may have to be written. */
	readonly digest: string
	/** The annotation `multinic.io/owner`, if it is valid. */
	readonly owner: Owner | undefined
	/** The JSON of its `NodeConfigView`. */
	readonly view: string
}
