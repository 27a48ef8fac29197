import { expect, test } from 'vitest'
import { ListQuery, nextQuery, StreamQuery } from '../../../viola/read/query.ts'

const cursor = 'worker-1'

test.each<[query: object, parsed: object]>([
	[{}, {}],
	[{ limit: '1' }, { limit: 1 }],
	[{ limit: '1000' }, { limit: 1_000 }],
	[{ cursor }, { cursor: 'worker-1' }],
	[{ nodeName: 'Worker-1' }, { nodeName: ['worker-1'] }],
	[{ nodeName: ['b', 'a', 'b'] }, { nodeName: ['b', 'a', 'b'] }],
])('the query %j is read', (query, parsed) => {
	expect(ListQuery.parse(query)).toEqual(parsed)
})

test.each<[query: object, fault: RegExp]>([
	[{ limit: '0' }, /limit/],
	[{ limit: '-1' }, /limit/],
	[{ limit: '1001' }, /limit/],
	[{ limit: '1e2' }, /limit/],
	[{ limit: '01' }, /limit/],
	[{ limit: '' }, /limit/],
	[{ limit: ['1', '2'] }, /limit/],
	[{ cursor: '' }, /cursor/],
	[{ cursor: 'Worker-1' }, /cursor/],
	[{ cursor: `${cursor}=` }, /cursor/],
	[{ cursor: 'a'.repeat(10_000) }, /cursor/],
	[{ cursor: [cursor, cursor] }, /cursor/],
	[{ nodeName: '' }, /nodeName/],
	[{ nodeName: 'a/b' }, /nodeName/],
	[{ nodeName: Array.from({ length: 201 }, (_, n) => `n-${n}`) }, /nodeName/],
	[{ nodename: 'a' }, /nodename/],
	[{ q: '' }, /q/],
])('the query %j is rejected', (query, fault) => {
	const { success, error } = ListQuery.safeParse(query)
	expect([success, JSON.stringify(error?.issues)]).toEqual([false, expect.stringMatching(fault)])
})

test('a stream has neither pages nor unknown parameters', () => {
	for (const query of [{ limit: '1' }, { cursor }, { x: '1' }]) expect(StreamQuery.safeParse(query).success).toBe(false)
	expect(StreamQuery.parse({ nodeName: 'a' })).toEqual({ nodeName: ['a'] })
})

test('the next page has the same query', () => {
	const query = { limit: 5, nodeName: ['a', 'b'] }
	const next = new URLSearchParams(nextQuery(query, cursor))
	expect(ListQuery.parse({ limit: next.get('limit'), cursor: next.get('cursor'), nodeName: next.getAll('nodeName') })).toEqual({
		...query,
		cursor: 'worker-1',
	})
})
