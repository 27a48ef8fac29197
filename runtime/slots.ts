export type Slots = {
	/** Waits for a slot, in the order of the calls, and runs work while it holds the slot. */
	run<T>(work: () => Promise<T>): Promise<T>
}

/** Limits the number of tasks that run concurrently. */
export function createSlots(count: number): Slots {
	const waiting: (() => void)[] = []
	let free = count
	const release = () => {
		const next = waiting.shift()
		if (next) next()
		else free++
	}
	return {
		async run(work) {
			if (free > 0) free--
			else await new Promise<void>(resolve => waiting.push(resolve))
			try {
				return await work()
			} finally {
				release()
			}
		},
	}
}
