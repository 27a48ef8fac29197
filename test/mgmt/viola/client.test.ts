import { expect, test } from 'vitest'
import { createSecret, grantOf } from '../../mgmt/disclosure/decide.ts'
import { chosenEndpoint } from '../../mgmt/model/origin.ts'
import { createViola } from '../../mgmt/send.ts'

type Call = Parameters<typeof createViola>[0]['call']

/** Returns a viola client that makes its requests with `call`. */
function askedBy(call: (...request: Parameters<Call>) => Promise<unknown>) {
	const endpoint = chosenEndpoint([], ['VIOLA_ENDPOINT', 'http://viola']) ?? expect.unreachable()
	const grant = grantOf(createSecret('viola token', endpoint, 'a-token'), endpoint, [])
	return createViola({ grant, call: call as Call, stream: () => expect.unreachable() }, 'biz', 1_000)
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
