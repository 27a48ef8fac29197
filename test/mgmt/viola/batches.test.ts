import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refuse } from '../../../mgmt/model/failures.ts'
import { BATCH_MAX, endsCalls, inBatches, merged, type Part, pauseAfter } from '../../../mgmt/viola/batches.ts'
import { Failure } from '../../../runtime/errors.ts'

const nodes = (count: number, from = 0) => Array.from({ length: count }, (_, n) => ({ nodeName: `n${from + n}`, interfaces: [] }))
const failing = (facts: object, count = 1): Part => ({ nodes: nodes(count), failure: refuse('ViolaPostError', 'it failed', { ...facts }) })
const done: Part = { applied: ['a'], errors: [{ nodeName: 'b', message: 'not so' }] }

test('every node is in one batch, in the same order, and no batch exceeds 200 nodes', () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 1_000 }), count => {
			const batches = inBatches(nodes(count))
			expect(batches.flat()).toEqual(nodes(count))
			expect(batches.every(({ length }) => length > 0 && length <= BATCH_MAX)).toBe(true)
			expect(batches).toHaveLength(Math.ceil(count / BATCH_MAX))
		}),
	)
})

test.each<[sentence: string, parts: Part[], expected: object]>([
	['without batches, nothing was sent', [], { applied: [], errors: [] }],
	['results of all batches are combined', [done, done], { applied: ['a', 'a'], errors: [{}, {}] }],
	[
		'the nodes of a batch that failed as a whole are errors, and the results of the others are kept',
		[done, failing({}, 2)],
		{
			applied: ['a'],
			errors: [
				{ nodeName: 'b', message: 'not so' },
				{ nodeName: 'n0', message: 'it failed' },
				{ nodeName: 'n1', message: 'it failed' },
			],
		},
	],
	[
		'the longest time that viola asked to wait is reported',
		[done, failing({ retryAfterMs: 2_000 }), failing({ retryAfterMs: 7_000 })],
		{ retryAfterMs: 7_000 },
	],
])('%s', (_, parts, expected) => {
	expect(merged(parts)).toMatchObject(expected)
})

test('if every batch failed as a whole, the failure of the first one is thrown', () => {
	expect(() => merged([failing({ retryAfterMs: 1 }), failing({})])).toThrow(
		expect.objectContaining({ code: 'ViolaPostError', facts: { retryAfterMs: 1 } }),
	)
})

test.each<[sentence: string, failure: Failure, ends: boolean]>([
	['viola asks to wait', new Failure('TOO_MANY_REQUESTS', '', { facts: { retryAfterMs: 1_000 } }), true],
	['viola cannot be reached', refuse('ViolaPostError', '', { cause: 'UNREACHABLE' }), true],
	['viola cannot be reached, as the client reports it', new Failure('UNREACHABLE', ''), true],
	['the reconcile was canceled', refuse('ViolaPostError', '', { cause: 'STOPPED' }), true],
	['viola rejects the body', refuse('ViolaPostError', '', { cause: 'REFUSED' }), false],
	['viola does not respond in time', refuse('ViolaPostError', '', { cause: 'TIMED_OUT' }), false],
])('no further call is made: %s', (_, failure, ends) => {
	expect(endsCalls(failure)).toBe(ends)
})

test('the failure of any batch may end the sending, not only that of the last one', () => {
	expect(pauseAfter([done, failing({ cause: 'UNREACHABLE' }), done])).toMatchObject({ facts: { cause: 'UNREACHABLE' } })
	expect(pauseAfter([done, failing({ cause: 'REFUSED' })])).toBeUndefined()
})
