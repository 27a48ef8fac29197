/** What the answers to our own requests showed, as kept in the store, as long as the watch has not come so far. */
export type Ahead<P> = {
	/** @returns false where the watch has come so far already: it told this state, and perhaps its end */
	add(object: Known<P>): boolean
	/** Whether a later state of that object is known than any the watch has told. */
	has(key: string): boolean
	/** The watch, or a list, has come to that resource version. */
	reach(resourceVersion: string): void
	values(): Iterable<Known<P>>
}

/** What is kept of an object, and of which version of it. */
export type Known<P> = { readonly key: string; readonly version: string; readonly value: P }

/**
 * Nothing known, and nothing told.
 *
 * Resource versions are compared as decimal numbers, which they are for one kind of object.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function createAhead<P>(): Ahead<P> {
	const objects = new Map<string, Known<P>>()
	let reached = 0n
	const isAhead = (object: Known<P> | undefined): object is Known<P> => object !== undefined && BigInt(object.version) > reached
	return {
		add(object) {
			if (!isAhead(object)) return false
			const known = objects.get(object.key)
			if (known && BigInt(known.version) >= BigInt(object.version)) return false
			objects.delete(object.key)
			objects.set(object.key, object)
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
