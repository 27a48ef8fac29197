import { expect, test } from 'vitest'
import { isWrittenFor } from '../../../controller/uninstall/proof.ts'

/** Tests whether the Secret that Helm wrote belongs to this Job. */
const written = (...times: (string | undefined)[]) => ({ name: 'a', managedFields: times.map(time => ({ ...(time && { time }) })) })
const job = { name: 'a', creationTimestamp: '2026-03-01T12:00:00Z' }

test.each([
	['in the same second', written('2026-03-01T12:00:00Z'), job, true],
	['two seconds before the Job, at an upgrade and an install', written('2025-01-01T00:00:00Z', '2026-03-01T11:59:58Z'), job, true],
	['five minutes before: a webhook was slow', written('2026-03-01T11:55:00Z'), job, true],
	['five minutes and a second before', written('2026-03-01T11:54:59Z'), job, false],
	['yesterday', written('2026-02-28T12:00:00Z'), job, false],
	['after the Job was created: another uninstall goes on', written('2026-03-01T12:10:00Z'), job, true],
	['no time is told', written(undefined), job, false],
	['nobody is told', { name: 'a' }, job, false],
	['the Job has no time', written('2026-03-01T12:00:00Z'), { name: 'a' }, false],
	['a time that is none', written('soon'), job, false],
])('%s', (_, secret, of, is) => {
	expect(isWrittenFor(secret, of)).toBe(is)
})
