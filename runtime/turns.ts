/** Runs work with the same key in sequence, in the order of the calls, and work with different keys concurrently. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Creates the turns. A key takes memory only while it has work. */
export function createTurns(): Turns {
	const last = new Map<string, Promise<unknown>>()
	return async (key, work) => {
		const before = last.get(key)
		// a failure of the previous work is reported to its caller only
		const mine = before ? before.then(work, work) : work()
		last.set(key, mine)
		try {
			return await mine
		} finally {
			if (last.get(key) === mine) last.delete(key)
		}
	}
}
