import type { Change } from './collection.ts'

/** The latest changes of one kind, for watches that start from an earlier version. */
export type History = {
	add(change: Change): void
	/** The oldest version from which a watch can start. */
	oldest(): number
	after(version: number): readonly Change[]
	/** Discards all changes up to a version. */
	forget(version: number): void
}

/**
 * Creates an empty history.
 *
 * @param version the history is complete from this version on
 * @param size minimum number of changes to keep
 */
export function createHistory(version: number, size: number): History {
	let changes: Change[] = []
	let oldest = version
	return {
		add: change => {
			changes.push(change)
			if (changes.length < 2 * size) return
			oldest = changes[size - 1]?.version ?? oldest
			changes = changes.slice(size)
		},
		oldest: () => oldest,
		after: version => changes.slice(firstAfter(changes, version)),
		forget: version => {
			changes = changes.slice(firstAfter(changes, version))
			oldest = version
		},
	}
}

/** Returns the index of the first change after a version, by binary search. */
function firstAfter(changes: readonly Change[], version: number): number {
	let from = 0
	let to = changes.length
	while (from < to) {
		const middle = (from + to) >> 1
		if ((changes[middle]?.version ?? 0) > version) to = middle
		else from = middle + 1
	}
	return from
}
