/** The last change or deletion of a node config. `version`: every change up to and including it happened at this version or earlier. */
export type Recorded = { readonly nodeName: string; readonly version: bigint }

/** The last change of each node config, so that a client that knows an earlier version can continue from there. */
export type ChangeLog = {
	/** The version up to which every change is recorded. */
	readonly reached: bigint
	/** Notes that a node config has changed or was deleted, at a version that is not reached yet. */
	note(nodeName: string, change: { isDeleted: boolean; version: bigint }): void
	/**
	 * Records the noted changes up to this version.
	 *
	 * @param isList changes in between may be missing: a node config that was created and deleted again was never seen
	 * @returns the changes, in the order of their notes
	 */
	reach(version: bigint, isList: boolean): Recorded[]
	/** Returns the node configs that changed after a version, earliest change first; undefined if later changes may not be recorded. */
	after(version: bigint): Recorded[] | undefined
}

/**
 * Creates an empty log.
 *
 * Of a node config, only the last change is recorded, so the log is as long as the list of node configs, plus the last deletions.
 *
 * @param deletionsMax number of deletions that are kept
 */
export function createChangeLog(deletionsMax = 10_000): ChangeLog {
	const noted = new Map<string, { isDeleted: boolean; version: bigint }>()
	const recorded = new Map<string, bigint>()
	const deleted = new Set<string>()
	let reached = 0n
	/** Only versions from here on can be continued. Undefined: nothing has been read yet. */
	let since: bigint | undefined

	const record = (nodeName: string, isDeleted: boolean) => {
		// a change moves the node config to the end of both
		recorded.delete(nodeName)
		recorded.set(nodeName, reached)
		deleted.delete(nodeName)
		if (isDeleted) deleted.add(nodeName)
	}
	const forgetDeletions = () => {
		for (const nodeName of deleted) {
			if (deleted.size <= deletionsMax) break
			since = max(since ?? 0n, recorded.get(nodeName) ?? 0n)
			recorded.delete(nodeName)
			deleted.delete(nodeName)
		}
	}
	return {
		get reached() {
			return reached
		},
		note(nodeName, change) {
			noted.delete(nodeName)
			noted.set(nodeName, change)
		},
		reach(version, isList) {
			if (isList || since === undefined) since = max(since ?? 0n, version)
			// backwards: the cluster was restored from a backup, so the versions up to the last one may exist twice, with different content
			if (version < reached) since = max(since, reached + 1n)
			reached = version
			const due = [...noted].filter(([, change]) => change.version <= version)
			for (const [nodeName, { isDeleted }] of due) {
				noted.delete(nodeName)
				record(nodeName, isDeleted)
			}
			forgetDeletions()
			return due.map(([nodeName]) => ({ nodeName, version }))
		},
		after(version) {
			if (since === undefined || version < since || version > reached) return undefined
			return [...recorded].filter(([, at]) => at > version).map(([nodeName, at]) => ({ nodeName, version: at }))
		},
	}
}

function max(a: bigint, b: bigint): bigint {
	return a > b ? a : b
}
