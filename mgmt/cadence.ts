import type { Poll } from './model/settings.ts'

export type Moment = {
	nowMs: number
	/** When changes were last sent, if ever. */
	lastSentMs: number | undefined
	/** The ports that are DOWN, if there are any. */
	down?: DownLooks | undefined
	failed: boolean
	/** 0 ≤ x < 1; prevents many OpenstackConfigs from polling at the same time. */
	chance: number
}

/** Ports that are DOWN, and the number of consecutive polls that found exactly these ports DOWN. */
export type DownLooks = { ports: string; times: number }

/**
 * Returns the delay until the next poll of OpenStack in milliseconds: the fast interval for a while after a change and a few times while a
 * port is DOWN, otherwise the slow one; the error interval after a failure. Up to a tenth is added at random.
 */
export function nextPoll(poll: Poll, moment: Moment): number {
	const base = moment.failed ? poll.errorMs : isUrgent(poll, moment) ? poll.fastMs : poll.slowMs
	return Math.round(base * (1 + moment.chance / 10))
}

/** Maximum Retry-After that is honored. A server that requests more, such as one whose clock was set, must not stop the sync. */
const LONGEST_RETRY_MS = 300_000

/** Returns the delay until the next sync in milliseconds: that of the poll, or the Retry-After of a server if it is longer. */
export function nextSync(pollMs: number, retryAfterMs = 0): number {
	return Math.max(pollMs, Math.min(retryAfterMs, LONGEST_RETRY_MS))
}

/** Returns the state of the ports that this poll found DOWN. If they are not the same ports as before, the count restarts at 1. */
export function lookAtDown(portIds: readonly string[], before: DownLooks | undefined): DownLooks | undefined {
	if (portIds.length === 0) return undefined
	const ports = portIds.toSorted().join(' ')
	return { ports, times: before?.ports === ports ? before.times + 1 : 1 }
}

/**
 * Whether to poll fast. OpenStack does not report when a port changes from DOWN to ACTIVE, so it is polled. Some networks leave ports DOWN
 * permanently, so fast polling stops after a limit.
 */
function isUrgent(poll: Poll, { nowMs, lastSentMs, down }: Moment): boolean {
	const isRecent = lastSentMs !== undefined && nowMs - lastSentMs < poll.windowMs
	return isRecent || (down !== undefined && down.times <= poll.downPortLooks)
}
