import type { Entry } from '../model/entry.ts'
import { createChangeLog, type Recorded } from './change-log.ts'
import { createSortedNames } from './sorted-names.ts'
import { createStateDigest } from './state-digest.ts'

/** The node configs of one biz cluster, as its reflector has received them, in the order of their names. */
export type Held = {
	/** Handles a change; to be called by `onChange` of the reflector. */
	observe(now: Entry | undefined, before: Entry | undefined): void
	/** Removes a node config that viola has deleted. It becomes a change when the reflector reports the deletion, with its version. */
	hide(nodeName: string): void
	/** Handles the version up to which all changes were observed; to be called by `onReached` of the reflector. */
	reach(resourceVersion: string, isList: boolean): void
	/** The version up to which all changes were observed. Later ones may have been observed too: those that viola wrote. */
	readonly version: string
	/** Digest of all node configs: equal for equal content, in every replica. */
	readonly digest: string
	find(nodeName: string): Entry | undefined
	/** Returns the node configs whose names are after `nodeName`, which may be absent; without it, all of them. At most `limit`. */
	after(nodeName?: string, limit?: number): Entry[]
	/** Returns which node configs changed after a version; undefined if that is not known for every later change. */
	changesAfter(resourceVersion: string): Recorded[] | undefined
	/** Calls `listener` after each change or deletion that was reached. @returns the function that ends it */
	subscribe(listener: (changes: readonly Recorded[]) => void): () => void
}

/** Creates an empty collection. @param deletionsMax number of deletions that are remembered for `changesAfter` */
export function createHeld(deletionsMax?: number): Held {
	const entries = new Map<string, Entry>()
	const names = createSortedNames()
	const state = createStateDigest()
	const log = createChangeLog(deletionsMax)
	const listeners = new Set<(changes: readonly Recorded[]) => void>()
	const find = (nodeName: string) => entries.get(nodeName)
	const put = (now: Entry) => {
		hide(now.nodeName)
		state.toggle(now.view)
		entries.set(now.nodeName, now)
		names.add(now.nodeName)
	}
	const hide = (nodeName: string) => {
		const known = find(nodeName)
		if (!known) return
		state.toggle(known.view)
		entries.delete(nodeName)
		names.remove(nodeName)
	}
	return {
		get version() {
			return String(log.reached)
		},
		get digest() {
			return state.value()
		},
		find,
		after: (nodeName, limit) => names.after(nodeName, limit).flatMap(name => find(name) ?? []),
		observe(now, before) {
			const { nodeName } = now ?? before ?? {}
			if (nodeName === undefined || (now && now === find(nodeName))) return
			if (now) put(now)
			else hide(nodeName)
			// the version of a deletion is unknown, but it is not later than the next one that is reached
			log.note(nodeName, { isDeleted: !now, version: BigInt(now?.resourceVersion ?? 0) })
		},
		hide,
		reach(resourceVersion, isList) {
			const changes = log.reach(BigInt(resourceVersion), isList)
			if (changes.length > 0) for (const listener of listeners) listener(changes)
		},
		changesAfter: resourceVersion => (/^\d{1,20}$/.test(resourceVersion) ? log.after(BigInt(resourceVersion)) : undefined),
		subscribe(listener) {
			listeners.add(listener)
			return () => void listeners.delete(listener)
		},
	}
}
