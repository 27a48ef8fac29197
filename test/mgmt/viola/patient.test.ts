import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { GrantedClient } from '../../../mgmt/disclosure/client.ts'
import { patient } from '../../../mgmt/viola/patient.ts'
import { Failure } from '../../../runtime/errors.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const asking = (retryAfterMs: number) => new Failure('TOO_MANY_REQUESTS', 'later', { retry: true, facts: { retryAfterMs } })

/** Makes one call to a viola that fails with these failures first. @returns how it ended, the number of attempts, and the time */
async function callTo(failures: (Failure | Error)[], signal = new AbortController().signal) {
	let attempts = 0
	const call = async () => {
		const failure = failures[attempts++]
		if (failure) throw failure
		return { status: 200, headers: {}, body: 'done' }
	}
	const client = patient({ call } as unknown as GrantedClient, signal)
	const began = Date.now()
	const ended = client.call({ path: '/' }).then(
		({ body }) => body,
		(error: Error) => error.message,
	)
	await vi.runAllTimersAsync()
	return { ended: await ended, attempts, ms: Date.now() - began }
}

test.each<[sentence: string, failures: (Failure | Error)[], expected: object]>([
	['a call that succeeds is made once', [], { ended: 'done', attempts: 1, ms: 0 }],
	['a call is repeated after the time that viola asks for', [asking(2_000)], { ended: 'done', attempts: 2, ms: 2_000 }],
	[
		'after five attempts, the failure is reported',
		Array.from({ length: 9 }, () => asking(1_000)),
		{ ended: 'later', attempts: 5, ms: 4_000 },
	],
	['a longer time is left to the next reconcile', [asking(6_000)], { ended: 'later', attempts: 1, ms: 0 }],
	['a failure without such a time is reported at once', [new Failure('SERVER_ERROR', 'down')], { ended: 'down', attempts: 1 }],
	['a bug is reported at once', [new TypeError('a bug')], { ended: 'a bug', attempts: 1 }],
])('%s', async (_, failures, expected) => {
	expect(await callTo(failures)).toMatchObject(expected)
})

test('a canceled reconcile does not wait', async () => {
	expect(await callTo([asking(2_000)], AbortSignal.abort())).toMatchObject({ ended: 'later', attempts: 1, ms: 0 })
})
