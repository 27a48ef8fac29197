import { expect, test } from 'vitest'
import { isWrittenFor } from '../../../controller/uninstall/proof.ts'

/** Tests whether the release Secret of Helm was written for this Job. */
const written = (...times: (string | undefined)[]) => ({ name: 'a', managedFields: times.map(time => ({ ...(time && { time }) })) })
const job = { name: 'a', creationTimestamp: '2026-03-01T12:00:00Z' }

test.each([
	['a Secret of the same second belongs to the Job', written('2026-03-01T12:00:00Z'), job, true],
	[
		'a Secret that was last written two seconds before the Job belongs to it',
		written('2025-01-01T00:00:00Z', '2026-03-01T11:59:58Z'),
		job,
		true,
	],
	['a Secret of five minutes before belongs to the Job, because a webhook may be slow', written('2026-03-01T11:55:00Z'), job, true],
	['a Secret of more than five minutes before does not belong to the Job', written('2026-03-01T11:54:59Z'), job, false],
	['a Secret of the day before does not belong to the Job', written('2026-02-28T12:00:00Z'), job, false],
	['a Secret that was written after the Job by a second uninstall belongs to it', written('2026-03-01T12:10:00Z'), job, true],
	['a Secret whose managedFields have no time does not belong to the Job', written(undefined), job, false],
	['a Secret without managedFields does not belong to the Job', { name: 'a' }, job, false],
	['no Secret belongs to a Job without a creation time', written('2026-03-01T12:00:00Z'), { name: 'a' }, false],
	['a Secret with an invalid time does not belong to the Job', written('soon'), job, false],
])('%s', (_, secret, of, is) => {
	expect(isWrittenFor(secret, of)).toBe(is)
})
