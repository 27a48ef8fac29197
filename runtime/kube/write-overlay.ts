/** Objects from responses to other requests of this process, as they are in the store, until the watch reaches their version. */
export type WriteOverlay<P> = {
	/** Whether `add` would take this version of the object. */
	isNew(key: string, version: string): boolean
	/** @returns false if the overlay already has this or a later version, or the watch has already reached it (and perhaps a deletion) */
	add(object: Known<P>): boolean
	/** Whether the overlay has a version of the object that the watch has not reached yet. */
	has(key: string): boolean
	/** Must be called when the watch or a list has reached this resource version. */
	advance(resourceVersion: string): void
	values(): Iterable<Known<P>>
}

/** The data that is kept of an object, and the version of the object. */
export type Known<P> = { readonly key: string; readonly version: string; readonly value: P }

/**
 * Creates an empty overlay.
 *
 * Resource versions are compared as decimal numbers, which is valid within one kind of object.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function createWriteOverlay<P>(): WriteOverlay<P> {
	const objects = new Map<string, Known<P>>()
	let reached = 0n
	const isAhead = (object: Known<P> | undefined): object is Known<P> => object !== undefined && BigInt(object.version) > reached
	const isNew = (key: string, version: string) => {
		const known = objects.get(key)
		return BigInt(version) > reached && !(known && BigInt(known.version) >= BigInt(version))
	}
	return {
		isNew,
		add(object) {
			if (!isNew(object.key, object.version)) return false
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
