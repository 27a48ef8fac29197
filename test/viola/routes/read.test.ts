import { describe, expect, test } from 'vitest'
import { Failure } from '../../../runtime/errors.ts'
import type { ViolaCode } from '../../../viola/model/failures.ts'
import { replicaOf } from '../read/replica.ts'
import { get, namesIn, serve, stalled, workers } from './reading.ts'

describe('a list', () => {
	test('is whole without a limit, in order, and has the age of what is held', async () => {
		const { url } = await serve(replicaOf(['b', 'a', 'c'], 10, { heardMs: () => 1_000 }), { nowMs: () => 3_999 })
		const { status, headers, text } = await get(url)
		expect([status, headers.get('content-type'), headers.get('age'), headers.get('link')]).toEqual([
			200,
			'application/json; charset=utf-8',
			'2',
			null,
		])
		expect(namesIn(text)).toEqual(['a', 'b', 'c'])
	})

	test('has pages that neither repeat nor omit a node when others are added and deleted in between', async () => {
		const replica = replicaOf(workers(10), 10)
		const { url, address } = await serve(replica)
		const seen: string[] = []
		let version = 10
		for (let next: string | undefined = `${url}?limit=3`; next; ) {
			const { headers, text } = await get(next)
			seen.push(...namesIn(text))
			replica.remove(seen.at(-1) ?? '', ++version)
			replica.set('aaa', ++version)
			const [, path] = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '') ?? []
			next = path && address + path
		}
		expect(seen).toEqual(workers(10))
	})

	test('has only the named nodes, also in pages', async () => {
		const { url, address } = await serve(replicaOf(workers(5), 10))
		const first = await get(`${url}?nodeName=worker-00003&nodeName=Worker-00001&nodeName=x&nodeName=worker-00004&limit=2`)
		expect(namesIn(first.text)).toEqual(['worker-00001', 'worker-00003'])
		const second = await get(address + (/<(.*)>/.exec(first.headers.get('link') ?? '')?.[1] ?? ''))
		expect([namesIn(second.text), second.headers.get('link')]).toEqual([['worker-00004'], null])
	})

	test.each(['limit=0', 'limit=x', 'limit=1001', 'cursor=X', 'cursor=', 'page=2', 'nodeName=a/b', 'limit=1&limit=2'])(
		'with ?%s is rejected',
		async query => {
			const { status, text } = await get(`${(await serve(replicaOf([], 10))).url}?${query}`)
			expect([status, JSON.parse(text).error.code]).toEqual([400, 'BAD_REQUEST'])
		},
	)

	test('with 58 MiB is sent while other requests are answered', async () => {
		const replica = replicaOf(workers(10_000), 10, { filler: 6_000 })
		const { url } = await serve(replica)
		const [{ text }, ...others] = await Promise.all([get(url), ...workers(20).map(name => get(`${url}/${name}`))])
		expect(text.length).toBeGreaterThan(58 << 20)
		expect(namesIn(text)).toEqual(workers(10_000))
		expect(others.map(({ status }) => status)).toEqual(Array(20).fill(200))
	})

	test('whose reader takes no data is disconnected', async () => {
		const { url, connections } = await serve(replicaOf(workers(5_000), 10, { filler: 6_000 }), { stallMs: 50 })
		await stalled(url, 'application/json')
		await expect.poll(connections).toBe(1)
		await expect.poll(connections).toBe(0)
	})
})

describe('an ETag', () => {
	test('is confirmed with 304 and no body until a node config changes or is deleted', async () => {
		const replica = replicaOf(['a', 'b'], 10)
		const { url } = await serve(replica)
		const ask = async (etag: string) => await get(url, { 'if-none-match': etag })
		const first = (await get(url)).headers.get('etag') ?? ''
		replica.held.reach('11', false)
		const same = await ask(`"other", W/${first}`)
		expect([same.status, same.text, same.headers.get('etag'), same.headers.get('age')]).toEqual([304, '', first, expect.any(String)])
		replica.set('a', 12)
		const second = await ask(first)
		expect([second.status, namesIn(second.text)]).toEqual([200, ['a', 'b']])
		replica.remove('b', 13)
		expect((await ask(second.headers.get('etag') ?? '')).status).toBe(200)
	})

	test('is equal at replicas with the same content, and differs between queries and providers', async () => {
		const one = replicaOf(['a', 'b', 'c'], 10)
		one.remove('c', 20)
		const other = await serve(replicaOf(['a', 'b'], 30))
		const etagOf = async (url: string) => (await get(url)).headers.get('etag')
		const { url } = await serve(one)
		expect(await etagOf(url)).toBe(await etagOf(other.url))
		const elsewhere = await serve(replicaOf(['a', 'b'], 30, { providerId: 'elsewhere' }))
		const all = await Promise.all([`${url}`, `${url}?limit=1`, `${url}?nodeName=a`, elsewhere.url].map(etagOf))
		expect(new Set(all).size).toBe(4)
	})
})

test('before the first list, every read is answered with 503 and Retry-After', async () => {
	const unavailable = () => new Failure<ViolaCode>('CLUSTER_NOT_SYNCED', 'not yet', { retry: true, facts: { retryAfterMs: 5_000 } })
	const { url } = await serve(replicaOf([], 0, { isSynced: () => false, unavailable }))
	for (const [path, accept] of [
		['', 'application/json'],
		['/a', 'application/json'],
		['', 'text/event-stream'],
	] as const) {
		const { status, headers } = await get(url + path, { accept })
		expect([status, headers.get('retry-after')]).toEqual([503, '5'])
	}
})

test('one node config is its view; an unknown one is 404', async () => {
	const { url } = await serve(replicaOf(['a'], 10))
	expect(JSON.parse((await get(`${url}/A`)).text)).toMatchObject({ nodeName: 'a' })
	expect([(await get(`${url}/b`)).status, (await get(`${url}/a?x=1`)).status, (await get(`${url}/-`)).status]).toEqual([404, 400, 400])
})
