/** @returns a function that computes a value for an object once, and caches it as long as the object exists */

export function memoized<K extends object, V>(compute: (key: K) => V): (key: K) => V {
	const made = new WeakMap<K, { value: V }>()
	return key => {
		const found = made.get(key) ?? { value: compute(key) }
		made.set(key, found)
		return found.value
	}
}
