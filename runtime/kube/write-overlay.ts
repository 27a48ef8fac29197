/** Objects from responses to this process, as they are in the store, until the watch reaches their version. */
export type WriteOverlay<P> = {
	/** @returns false if the watch has already reached this version: it has delivered this state, and perhaps the deletion */
	add(object: Known<P>): boolean
	/** Whether a version of the object is known that is later than any the watch has delivered. */
	has(key: string): boolean
	/** Called when the watch, or a list, has reached that resource version. */
	advance(resourceVersion: string): void
	values(): Iterable<Known<P>>
}

/** What is kept of an object, and the version it is from. */
export type Known<P> = { readonly key: string; readonly version: string; readonly value: P }

/**
 * Creates an overlay without objects.
 *
 * Resource versions are compared as decimal numbers, which is valid within one kind of object.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function createWriteOverlay<P>(): WriteOverlay<P> {
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
		advance(resourceVersion) {
			const now = BigInt(resourceVersion)
			// the resource version went backwards: the cluster was restored from a backup, and the known objects are no longer valid
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
