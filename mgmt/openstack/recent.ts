/** A map with a limited number of entries: the least recently used entry is removed first. */
export type Recent<T> = { get(key: string): T | undefined; set(key: string, value: T): void; delete(key: string): void }

/** Creates a map of at most `most` entries. The limit is needed because authors determine the number of different keys. */
export function createRecent<T>(most: number): Recent<T> {
	const entries = new Map<string, T>()
	const set = (key: string, value: T) => {
		entries.delete(key)
		entries.set(key, value)
		const [oldest] = entries.keys()
		if (entries.size > most && oldest !== undefined) entries.delete(oldest)
	}
	return {
		get(key) {
			const value = entries.get(key)
			if (value !== undefined) set(key, value)
			return value
		},
		set,
		delete: key => void entries.delete(key),
	}
}
