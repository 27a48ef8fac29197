/** Strings in ascending order of their UTF-16 code units, without duplicates. */
export type SortedNames = {
	add(name: string): void
	remove(name: string): void
	/** Returns the names after `name`, which may be absent; without it, all names. At most `limit`. */
	after(name: string | undefined, limit?: number): string[]
}

/** Creates an empty list. A change moves the later names, which takes about a microsecond with 10,000 of them. */
export function createSortedNames(): SortedNames {
	const names: string[] = []
	/** Returns the position of the first name that is not before `name`. */
	const placeOf = (name: string): number => {
		let low = 0
		let high = names.length
		while (low < high) {
			const middle = (low + high) >>> 1
			if ((names[middle] ?? '') < name) low = middle + 1
			else high = middle
		}
		return low
	}
	return {
		add(name) {
			const at = placeOf(name)
			if (names[at] !== name) names.splice(at, 0, name)
		},
		remove(name) {
			const at = placeOf(name)
			if (names[at] === name) names.splice(at, 1)
		},
		after(name, limit = names.length) {
			if (name === undefined) return names.slice(0, limit)
			const at = placeOf(name)
			const from = names[at] === name ? at + 1 : at
			return names.slice(from, from + limit)
		},
	}
}
