import { cut, MESSAGE_MAX } from '../../contract/conditions.ts'
import { type Complaint, mayHeal } from '../../contract/status.ts'
import { backoffMs } from '../model/runs.ts'
import { duration } from '../model/format.ts'

/** Messages that end with what happens next. Pure. */

/** Appends what happens next. A long message is truncated before it, so that this part is always complete. */
export function withNextAttempt(message: string, complaint: Complaint | false, failures: number): string {
	if (!complaint) return message
	return endingWith(mayHeal(complaint) ? nextAttemptMessage(backoffMs(failures, complaint)) : 'Waiting for a change or a retry.', message)
}

export function nextAttemptMessage(ms: number): string {
	return `Next attempt in ${duration(ms)}.`
}

export function endingWith(end: string, message: string): string {
	return `${cut(message.replace(/\.$/, ''), MESSAGE_MAX - end.length - 2)}. ${end}`
}
