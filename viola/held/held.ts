import type { Entry } from '../model/entry.ts'
import { createChangeLog, type Recorded } from './change-log.ts'
import { type Content, createContent } from './content.ts'

/** The node configs of one biz cluster, as its reflector has received them, and their changes. */
export type Held = {
	readonly content: Content
	/** Handles a change; to be called by `onChange` of the reflector. */
	observe(now: Entry | undefined, before: Entry | undefined): void
	/** Removes a node config that viola has deleted. It becomes a change when the reflector reports the deletion, with its version. */
	hide(nodeName: string): void
	/** Handles the version up to which all changes were observed; to be called by `onReached` of the reflector. */
	reach(resourceVersion: string, isList: boolean): void
	/** The version up to which all changes were observed. Later ones may have been observed too: those that viola wrote. */
	readonly version: string
	/** Returns which node configs changed after a version; undefined if that is not known for every later change. */
	changesAfter(resourceVersion: string): Recorded[] | undefined
	/**
	 * Calls `listener` after each change or deletion that was reached, and after each list.
	 *
	 * @returns the function that ends it
	 */
	subscribe(listener: Listener): () => void
}

/** @param isList changes in between may be missing: a node config that was created and deleted again was never seen */
type Listener = (changes: readonly Recorded[], isList: boolean) => void

/** Creates an empty collection. @param deletionsMax number of deletions that are remembered for `changesAfter` */
export function createHeld(deletionsMax?: number): Held {
	const content = createContent()
	const log = createChangeLog(deletionsMax)
	const listeners = new Set<Listener>()
	return {
		content,
		get version() {
			return String(log.reached)
		},
		observe(now, before) {
			const { nodeName } = now ?? before ?? {}
			if (nodeName === undefined || (now && now === content.find(nodeName))) return
			if (now) content.put(now)
			else content.remove(nodeName)
			// the version of a deletion is unknown, but it is not later than the next one that is reached
			log.note(nodeName, { isDeleted: !now, version: BigInt(now?.resourceVersion ?? 0) })
		},
		hide: content.remove,
		reach(resourceVersion, isList) {
			const changes = log.reach(BigInt(resourceVersion), isList)
			if (changes.length > 0 || isList) for (const listener of listeners) listener(changes, isList)
		},
		changesAfter: resourceVersion => (/^\d{1,20}$/.test(resourceVersion) ? log.after(BigInt(resourceVersion)) : undefined),
		subscribe(listener) {
			listeners.add(listener)
			return () => void listeners.delete(listener)
		},
	}
}
