import * as z from 'zod'
import { expect, test } from 'vitest'
import { readPages } from '../../mgmt/openstack/pages.ts'
import type { Session } from '../../mgmt/openstack/session.ts'

const Thing = z.object({ id: z.string() })

/** A service that answers each query with one page, and links to the next page if there is one. */
function serving(pageOf: (query: string) => { ids: unknown[]; next?: string }) {
	const asked: string[] = []
	const session = {
		async get(_: string, path: string, schema: z.ZodType) {
			const query = path.slice('/things'.length)
			asked.push(query)
			const { ids, next } = pageOf(query)
			const links =
				next === undefined
					? {}
					: {
							things_links: [
								{ rel: 'previous', href: 'x' },
								{ rel: 'next', href: next },
							],
						}
			return schema.parse({ things: ids.map(id => ({ id })), ...links })
		},
	} as Session
	const read = () => readPages(session, { service: 'network', path: '/things', many: 'things', item: Thing, query: '?a=1' })
	return { read, asked }
}

test('every page is read, and the host in the links is ignored', async () => {
	const pages: Record<string, { ids: string[]; next?: string }> = {
		'?a=1': { ids: ['1', '2'], next: 'http://elsewhere:9696/v2.0/things?a=1&marker=2' },
		'?a=1&marker=2': { ids: ['3'], next: '/things?a=1&marker=3' },
		'?a=1&marker=3': { ids: [] },
	}
	const { read, asked } = serving(query => pages[query] ?? { ids: ['unasked'] })
	expect(await read()).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }])
	expect(asked).toEqual(Object.keys(pages))
})

test.each<[title: string, pageOf: (query: string) => { ids: unknown[]; next?: string }, words: RegExp, asked: number]>([
	['that link to themselves', () => ({ ids: ['1'], next: '/things?a=1' }), /list of things does not end: page 2 was already read/, 1],
	[
		'that link to each other in a cycle of three',
		query => ({ ids: ['1'], next: `/things?a=${(Number(query.slice(3)) % 3) + 1}` }),
		/does not end: page 4 was already read/,
		3,
	],
	[
		'that never end',
		query => ({ ids: [], next: `/things?a=${Number(query.slice(3)) + 1}` }),
		/does not end: there are more than 1000 pages/,
		1_000,
	],
])('pages %s are an error', async (_, pageOf, words, requests) => {
	const { read, asked } = serving(pageOf)
	await expect(read()).rejects.toMatchObject({ code: 'BAD_ANSWER', retry: true, message: expect.stringMatching(words) })
	expect(asked).toHaveLength(requests)
})

test('the first invalid item is reported, and no further item is parsed', async () => {
	const { read } = serving(() => ({ ids: ['1', ...Array(19_999).fill(7)] }))
	await expect(read()).rejects.toMatchObject({
		message: expect.stringMatching(/^one of the things has an unexpected format: id: [^;]*$/),
	})
})

test('a link to a next page that is not a URL is an error, not a bug', async () => {
	const { read } = serving(() => ({ ids: ['1'], next: 'http://[' }))
	await expect(read()).rejects.toMatchObject({
		code: 'BAD_ANSWER',
		retry: true,
		message: 'the link to the next page of things is not a URL',
	})
})

test('the total size of all pages is limited', async () => {
	const { read, asked } = serving(query => ({ ids: Array(10).fill('x'.repeat(1 << 17)), next: `/things?a=${Number(query.slice(3)) + 1}` }))
	await expect(read()).rejects.toMatchObject({
		code: 'BAD_ANSWER',
		message: expect.stringMatching(/does not end: it has more than \d+ char/),
	})
	expect(asked).toHaveLength(13)
})

test('a page with too many items is an error', async () => {
	const { read } = serving(() => ({ ids: Array(20_001).fill('1') }))
	await expect(read()).rejects.toThrow(/20000/)
})
