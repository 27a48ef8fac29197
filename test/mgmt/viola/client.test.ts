import { expect, test } from 'vitest'
import { createSecret, grantOf } from '../../../mgmt/disclosure/decide.ts'
import { Failure } from '../../../runtime/errors.ts'
import { chosenEndpoint } from '../../../mgmt/model/origin.ts'
import { createViola } from '../../../mgmt/viola/client.ts'

type Call = Parameters<typeof createViola>[0]['call']

/** Returns a viola client that makes its requests with `call`. */
function askedBy(call: (...request: Parameters<Call>) => Promise<unknown>, mayWrite = true) {
	const endpoint = chosenEndpoint([], ['VIOLA_ENDPOINT', 'http://viola']) ?? expect.unreachable()
	const grant = grantOf(createSecret('viola token', endpoint, 'a-token'), endpoint, [])
	const client = { grant, call: call as Call, stream: () => expect.unreachable() }
	return createViola(client, { providerId: 'biz', timeoutMs: 1_000, mayWrite: () => mayWrite })
}

/** Returns a client whose every response has this body. */
function answering(body: object) {
	return askedBy(async () => ({ status: 200, headers: {}, body }))
}

const nodes = ['a', 'b'].map(nodeName => ({ nodeName, interfaces: [] }))
const result = (nodeName: string) => ({ nodeName, status: 'created', generation: 1 })
const error = (nodeName: string) => ({ nodeName, code: 'Refused', message: 'not so' })
const silent = (nodeName: string) => ({ nodeName, message: 'the response of viola does not include it' })

test.each<[sentence: string, results: object[], errors: object[], sent: object]>([
	['each node has a result', [result('a')], [error('b')], { applied: ['a'], errors: [error('b')] }],
	['a node without a result is an error', [result('a')], [], { applied: ['a'], errors: [silent('b')] }],
	['a response without results is an error for every node', [], [], { applied: [], errors: [silent('a'), silent('b')] }],
	[
		'results of nodes that were not sent are ignored',
		[result('a'), result('c')],
		[error('b'), error('[0]')],
		{ applied: ['a'], errors: [error('b')] },
	],
	['a duplicate result is ignored', [result('a'), result('a')], [error('b')], { applied: ['a'], errors: [error('b')] }],
])('viola response: %s', async (_, results, errors, sent) => {
	expect(await answering({ applied: results.length, results, errors }).send(nodes)).toEqual(sent)
})

test.each([
	[200, true],
	[422, true],
	[503, true],
	[207, false],
	[404, false],
	[500, false],
])('the results for each node in a response with status %i are used: %s', async (status, isHeard) => {
	const heard: unknown[] = []
	const body = { applied: 2, results: nodes.map(({ nodeName }) => result(nodeName)), errors: [] }
	const viola = askedBy(async ({ accept }) => {
		heard.push(accept?.(status))
		return { status, headers: {}, body }
	})
	await viola.send(nodes)
	expect(heard).toEqual([isHeard])
})

const many = Array.from({ length: 450 }, (_, n) => ({ nodeName: `node-${n}`, interfaces: [] }))
type Batch = typeof many
/** Returns a viola that accepts every node of a POST, except that the POST with this number fails. */
function failingAt(position: number, failure: Failure) {
	const sizes: number[] = []
	const viola = askedBy(async ({ body }) => {
		const batch = body?.('') as Batch
		sizes.push(batch.length)
		if (sizes.length === position) throw failure
		return { status: 200, headers: {}, body: { results: batch.map(({ nodeName }) => result(nodeName)), errors: [], applied: batch.length } }
	})
	return { viola, sizes }
}

test('nodes are sent in batches of at most 200', async () => {
	const { viola, sizes } = failingAt(0, new Failure('REFUSED', ''))
	expect(await viola.send(many)).toEqual({ applied: many.map(({ nodeName }) => nodeName), errors: [] })
	expect(sizes).toEqual([200, 200, 50])
})

test.each<[sentence: string, failure: Failure, sizes: number[], applied: number]>([
	['the other batches are sent', new Failure('REFUSED', 'too large'), [200, 200, 50], 250],
	['no other batch is sent if viola cannot be reached', new Failure('UNREACHABLE', 'gone'), [200, 200], 200],
	[
		'no other batch is sent if viola asks to wait',
		new Failure('TOO_MANY_REQUESTS', 'later', { facts: { retryAfterMs: 60_000 } }),
		[200, 200],
		200,
	],
])('if a batch fails as a whole, %s', async (_, failure, sizes, applied) => {
	const sending = failingAt(2, failure)
	const sent = await sending.viola.send(many)
	expect([sending.sizes, sent.applied.length, sent.errors.length]).toEqual([sizes, applied, 450 - applied])
	expect(sent.errors[0]).toEqual({ nodeName: 'node-200', message: `node configs could not be sent to viola: ${failure.message}` })
	expect(sent.retryAfterMs).toBe(failure.facts.retryAfterMs)
})

test('a withdrawal ends when viola asks to wait, and the rest is reported', async () => {
	const asked: string[] = []
	const viola = askedBy(async ({ path }) => {
		asked.push(path)
		if (asked.length === 2) throw new Failure('TOO_MANY_REQUESTS', 'later', { facts: { retryAfterMs: 60_000 } })
		return { status: 200, headers: {}, body: {} }
	})
	const sent = await viola.withdraw(['a', 'b', 'c'])
	expect(sent).toMatchObject({ applied: ['a'], errors: [{ nodeName: 'b' }, { nodeName: 'c' }], retryAfterMs: 60_000 })
	expect(asked).toHaveLength(2)
})

test('a process that is not the leader sends and withdraws nothing', async () => {
	const viola = askedBy(() => expect.unreachable(), false)
	await expect(viola.send(nodes)).rejects.toMatchObject({ code: 'NOT_LEADING', retry: true })
	await expect(viola.withdraw(['a'])).rejects.toMatchObject({ code: 'NOT_LEADING' })
})

test('views of a viola of an earlier version are read', async () => {
	const item = { nodeName: 'a', generation: 1, interfaces: [] }
	const viola = askedBy(async ({ schema }) => ({ status: 200, headers: {}, body: schema?.parse({ items: [item] }) }))
	expect(await viola.inForce()).toEqual(new Map([['a', { ...item, deleting: false, resourceVersion: '' }]]))
})
