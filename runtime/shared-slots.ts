import { type SetTimer, systemTimer } from './clock.ts'

/** Slots of which one holder can have only a part, so that it cannot block the others. */
export type SharedSlots = {
	/**
	 * Waits for a free slot, in the order of the calls.
	 *
	 * @returns the function that releases it, which may be called more than once; undefined if none becomes free in time
	 */
	take(holder: string): Promise<(() => void) | undefined>
}

export type SharedSlotsOptions = {
	total: number
	/** Maximum number of slots of one holder. */
	perHolder: number
	/** How long a call waits, in milliseconds. */
	waitMs: number
	setTimer?: SetTimer
}

type Waiting = { holder: string; go: () => void }

export function createSharedSlots({ total, perHolder, waitMs, setTimer = systemTimer }: SharedSlotsOptions): SharedSlots {
	const held = new Map<string, number>()
	const waiting = new Set<Waiting>()
	let free = total
	const heldBy = (holder: string) => held.get(holder) ?? 0
	const mayTake = (holder: string) => free > 0 && heldBy(holder) < perHolder
	const take = (holder: string) => {
		free--
		held.set(holder, heldBy(holder) + 1)
	}
	const release = (holder: string) => {
		free++
		if (heldBy(holder) > 1) held.set(holder, heldBy(holder) - 1)
		else held.delete(holder)
		for (const next of waiting) {
			if (free === 0) return
			if (mayTake(next.holder)) next.go()
		}
	}
	const wait = (holder: string) =>
		new Promise<boolean>(resolve => {
			const end = (isTaken: boolean) => {
				cancel()
				waiting.delete(own)
				if (isTaken) take(holder)
				resolve(isTaken)
			}
			const own = { holder, go: () => end(true) }
			const cancel = setTimer(() => end(false), waitMs)
			waiting.add(own)
		})
	return {
		async take(holder) {
			if (mayTake(holder)) take(holder)
			else if (!(await wait(holder))) return undefined
			return once(() => release(holder))
		},
	}
}

function once(act: () => void): () => void {
	let isDone = false
	return () => {
		if (isDone) return
		isDone = true
		act()
	}
}
