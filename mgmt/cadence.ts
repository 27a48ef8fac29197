import type { Poll } from './settings.ts'

export type Moment = {
	nowMs: number
	/** When something was last sent, if ever. */
	lastSentMs: number | undefined
	failed: boolean
	/** Before this nothing may be tried, such as a sign-in that was refused. */
	notBeforeMs?: number
	/** 0 ≤ x < 1; keeps many configs from asking at once. */
	chance: number
}

/** When OpenStack is asked again, in milliseconds: fast for a while after a change, slow else, up to a tenth later than said. */
export function nextPoll(poll: Poll, { nowMs, lastSentMs, failed, notBeforeMs = 0, chance }: Moment): number {
	const recent = lastSentMs !== undefined && nowMs - lastSentMs < poll.windowMs
	const base = failed ? poll.errorMs : recent ? poll.fastMs : poll.slowMs
	return Math.round(Math.max(base * (1 + chance / 10), notBeforeMs - nowMs))
}
