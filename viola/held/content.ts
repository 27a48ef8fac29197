import type { Entry } from '../model/entry.ts'
import { createSortedNames } from './sorted-names.ts'
import { createStateDigest } from './state-digest.ts'

/** The node configs of one biz cluster, in the order of their names. */
export type Content = {
	readonly size: number
	/** Digest of all node configs: equal for equal content, in every replica. */
	readonly digest: string
	find(nodeName: string): Entry | undefined
	/** Returns the node configs whose names are after `nodeName`, which may be absent; without it, all of them. At most `limit`. */
	after(nodeName?: string, limit?: number): Entry[]
}

export type MutableContent = Content & { put(entry: Entry): void; remove(nodeName: string): void }

/** Creates an empty collection. */
export function createContent(): MutableContent {
	const entries = new Map<string, Entry>()
	const names = createSortedNames()
	const state = createStateDigest()
	const find = (nodeName: string) => entries.get(nodeName)
	const remove = (nodeName: string) => {
		const known = find(nodeName)
		if (!known) return
		state.toggle(known.view)
		entries.delete(nodeName)
		names.remove(nodeName)
	}
	return {
		get size() {
			return entries.size
		},
		get digest() {
			return state.value()
		},
		find,
		after: (nodeName, limit) => names.after(nodeName, limit).flatMap(name => find(name) ?? []),
		put(entry) {
			remove(entry.nodeName)
			state.toggle(entry.view)
			entries.set(entry.nodeName, entry)
			names.add(entry.nodeName)
		},
		remove,
	}
}
