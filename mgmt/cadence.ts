import type { Poll } from './model/settings.ts'

export type Moment = {
	nowMs: number
	/** When something was last sent, if ever. */
	lastSentMs: number | undefined
	/** The known state of the ports that are DOWN, if there are any. */
	down?: DownLooks | undefined
	failed: boolean
	/** 0 ≤ x < 1; keeps many configs from polling at the same time. */
	chance: number
}

/** Ports that are DOWN, and the number of consecutive polls that saw exactly these. */
export type DownLooks = { ports: string; times: number }

/**
 * Returns when OpenStack is polled next, in milliseconds: fast for a while after a change and a few times while a port is DOWN, otherwise
 * slow, and up to a tenth later than configured.
 */
export function nextPoll(poll: Poll, moment: Moment): number {
	const base = moment.failed ? poll.errorMs : isUrgent(poll, moment) ? poll.fastMs : poll.slowMs
	return Math.round(base * (1 + moment.chance / 10))
}

/** Returns what to remember of the ports that this poll saw DOWN. If they differ from before, the count starts at 1 again. */
export function lookAtDown(portIds: readonly string[], before: DownLooks | undefined): DownLooks | undefined {
	if (portIds.length === 0) return undefined
	const ports = portIds.toSorted().join(' ')
	return { ports, times: before?.ports === ports ? before.times + 1 : 1 }
}

/**
 * OpenStack does not report when a port goes from DOWN to ACTIVE, so it is polled; some networks leave ports DOWN permanently, so not
 * forever.
 */
function isUrgent(poll: Poll, { nowMs, lastSentMs, down }: Moment): boolean {
	const isRecent = lastSentMs !== undefined && nowMs - lastSentMs < poll.windowMs
	return isRecent || (down !== undefined && down.times <= poll.downPortLooks)
}
