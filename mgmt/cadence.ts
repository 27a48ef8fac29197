import type { Poll } from './settings.ts'

export type Moment = {
	nowMs: number
	/** When something was last sent, if ever. */
	lastSentMs: number | undefined
	/** What is known of the ports that are DOWN, if any are. */
	down?: DownLooks | undefined
	failed: boolean
	/** 0 ≤ x < 1; keeps many configs from asking at once. */
	chance: number
}

/** Ports that are DOWN, and how many looks in a row have seen just these. */
export type DownLooks = { ports: string; times: number }

/**
 * When OpenStack is asked again, in milliseconds: fast for a while after a change and a few times while a port is DOWN, slow else, up to a tenth
 * later than said.
 */
export function nextPoll(poll: Poll, moment: Moment): number {
	const base = moment.failed ? poll.errorMs : isUrgent(poll, moment) ? poll.fastMs : poll.slowMs
	return Math.round(base * (1 + moment.chance / 10))
}

/** What to remember of the ports this look saw DOWN. When they are others than before, it counts from 1 again. */
export function lookAtDown(portIds: readonly string[], before: DownLooks | undefined): DownLooks | undefined {
	if (portIds.length === 0) return undefined
	const ports = portIds.toSorted().join(' ')
	return { ports, times: before?.ports === ports ? before.times + 1 : 1 }
}

/** Nobody tells when a port goes from DOWN to ACTIVE, so it is looked for; some networks leave ports DOWN for good, so not for ever. */
function isUrgent(poll: Poll, { nowMs, lastSentMs, down }: Moment): boolean {
	const isRecent = lastSentMs !== undefined && nowMs - lastSentMs < poll.windowMs
	return isRecent || (down !== undefined && down.times <= poll.downPortLooks)
}
