/** Runs work, and makes it wait while too much other work is running. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>

/** @param count how much work may run concurrently; other work waits, and begins in the order in which it came */
export function createSlots(count: number): Slots {
	const waiting: (() => void)[] = []
	let free = count
	const leave = () => {
		const next = waiting.shift()
		if (next) next()
		else free++
	}
	return async work => {
		if (free > 0) free--
		else await new Promise<void>(begin => waiting.push(begin))
		try {
			return await work()
		} finally {
			leave()
		}
	}
}
