/** Runs work with the same key one after the other, in the order in which it came, and other work concurrently. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Creates turns without work. A key is held only while it has work. */
export function createTurns(): Turns {
	const last = new Map<string, Promise<unknown>>()
	return async (key, work) => {
		const before = last.get(key)
		// a failure of the work before is reported to its own caller
		const mine = before ? before.then(work, work) : work()
		last.set(key, mine)
		try {
			return await mine
		} finally {
			if (last.get(key) === mine) last.delete(key)
		}
	}
}
