export type Slots = {
	/** Waits for a free slot, in the order of the calls. Returns the function that releases it, which may be called more than once. */
	take(): Promise<() => void>
}

/** Limits how many pieces of work run concurrently. */
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
	return {
		async take() {
			if (free > 0) free--
			else await new Promise<void>(resolve => waiting.push(resolve))
			return releaseOnce()
		},
	}
}
