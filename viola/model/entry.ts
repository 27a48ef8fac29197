import type { Owner } from '../../contract/viola-api.ts'

/**
 * What viola keeps of a node config. The view is kept as text, because a parsed one needs several times as much memory, and a response only
 * copies it.
 */
export type Entry = {
	readonly nodeName: string
	readonly generation: number
	readonly resourceVersion: string
	/** Whether the node config is being deleted. */
	readonly isDeleting: boolean
	/** Digest of everything that a POST sets except the owner: if it is equal to that of a POST, nothing has to be written. */
	readonly digest: string
	/** The annotation `multinic.io/owner`, if it is valid. */
	readonly owner: Owner | undefined
	/** The JSON of its `NodeConfigView`. */
	readonly view: string
}
