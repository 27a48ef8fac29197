export type Slots = {
	/** Waits for a free slot, in the order of the calls. Returns the function that releases it, which may be called more than once. */
	take(): Promise<() => void>
	/** Waits for a slot, and runs work while it holds the slot. */
	run<T>(work: () => Promise<T>): Promise<T>
}

/** Limits the number of tasks that run concurrently. */
export function createSlots(count: number): Slots {
	const waiting: (() => void)[] = []
	let free = count
	const releaseOnce = () => {
		let isHeld = true
		return () => {
			if (!isHeld) return
			isHeld = false
			const next = waiting.shift()
			if (next) next()
			else free++
		}
	}
	const take = async () => {
		if (free > 0) free--
		else await new Promise<void>(resolve => waiting.push(resolve))
		return releaseOnce()
	}
	return {
		take,
		async run(work) {
			const release = await take()
			try {
				return await work()
			} finally {
				release()
			}
		},
	}
}
