import type { SetTimer } from '../../runtime/clock.ts'

/** A clock that advances only on request. */
export type ManualTime = {
	now: () => number
	setTimer: SetTimer
	/** Advances the clock by `ms`, and fires the timers that become due, in order. */
	pass(ms: number): void
	/** Number of pending timers. */
	waiting(): number
}

/** Creates a clock that starts at 0. */
export function manualTime(): ManualTime {
	let now = 0
	const timers = new Set<{ at: number; fire: () => void }>()
	const next = (until: number) => [...timers].filter(timer => timer.at <= until).sort((a, b) => a.at - b.at)[0]
	return {
		now: () => now,
		setTimer: (fire, ms) => {
			const timer = { at: now + ms, fire }
			timers.add(timer)
			return () => void timers.delete(timer)
		},
		pass: ms => {
			const until = now + ms
			for (let timer = next(until); timer; timer = next(until)) {
				timers.delete(timer)
				now = timer.at
				timer.fire()
			}
			now = until
		},
		waiting: () => timers.size,
	}
}
