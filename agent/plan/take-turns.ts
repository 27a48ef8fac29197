/** Yields the first item of each list, then the second of each, and so on. Reads each item only when it is needed. */
export function* inTurns<T>(lists: Iterable<Iterable<T>>): Generator<T> {
	let open = [...lists].map(list => list[Symbol.iterator]())
	while (open.length > 0) {
		const next: Iterator<T>[] = []
		for (const one of open) {
			const { done, value } = one.next()
			if (done) continue
			yield value
			next.push(one)
		}
		open = next
	}
}

/** @returns the first distinct items, at most `most`, and whether there are no others */
export function firstDistinct<T>(all: Iterable<T>, most: number): { first: T[]; isAll: boolean } {
	const found = new Map<string, T>()
	for (const one of all) {
		const key = JSON.stringify(one)
		if (found.has(key)) continue
		if (found.size === most) return { first: [...found.values()], isAll: false }
		found.set(key, one)
	}
	return { first: [...found.values()], isAll: true }
}
