import { type KubeObject, keyOf, type Stored } from './kind.ts'

/** What the answers to our own requests showed, as long as the watch has not come so far. */
export type Ahead<T extends KubeObject> = {
	/** @returns false where the watch has come so far already: it told this state, and perhaps its end */
	add(object: Stored<T>): boolean
	/** Whether a later state of that object is known than any the watch has told. */
	has(key: string): boolean
	/** The watch, or a list, has come to that resource version. */
	reach(resourceVersion: string): void
	values(): Iterable<Stored<T>>
}

/**
 * Nothing known, and nothing told.
 *
 * Resource versions are compared as decimal numbers, which they are for one kind of object.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function createAhead<T extends KubeObject>(): Ahead<T> {
	const objects = new Map<string, Stored<T>>()
	let reached = 0n
	const isAhead = (object: Stored<T> | undefined): object is Stored<T> => object !== undefined && versionOf(object) > reached
	return {
		add(object) {
			if (!isAhead(object)) return false
			const key = keyOf(object.metadata)
			const known = objects.get(key)
			if (known && versionOf(known) >= versionOf(object)) return false
			objects.delete(key)
			objects.set(key, object)
			return true
		},
		has: key => isAhead(objects.get(key)),
		reach(resourceVersion) {
			const now = BigInt(resourceVersion)
			// time went back: the cluster was restored from a backup, and what we knew is no longer so
			if (now < reached) objects.clear()
			reached = now
			for (const [key, object] of objects) {
				if (isAhead(object)) break
				objects.delete(key)
			}
		},
		values: () => [...objects.values()].filter(isAhead),
	}
}

function versionOf({ metadata }: Stored<KubeObject>): bigint {
	return BigInt(metadata.resourceVersion)
}
