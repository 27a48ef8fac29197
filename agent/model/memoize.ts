/** @returns a function that computes a value for an object once, and keeps it as long as the object exists */

export function once<K extends object, V>(make: (key: K) => V): (key: K) => V {
	const made = new WeakMap<K, { value: V }>()
	return key => {
		const found = made.get(key) ?? { value: make(key) }
		made.set(key, found)
		return found.value
	}
}
