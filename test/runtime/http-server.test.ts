import { once } from 'node:events'
import { request as send } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { Failure } from '../../runtime/errors.ts'
import { rejected } from '../../runtime/http-errors.ts'
import { createHttpServer, type HttpServerOptions, listen } from '../../runtime/http-server.ts'
import { createLog } from '../../runtime/log.ts'

const MIB = 1 << 20
const Things = z.array(z.strictObject({ size: z.int().max(9) }))

function start(options: Partial<HttpServerOptions> = {}) {
	const lines: Record<string, unknown>[] = []
	const log = createLog('test', { to: { write: line => void lines.push(JSON.parse(line)) } })
	const app = createHttpServer({ log, bodyLimitBytes: 4 * MIB, ...options })
	app.post('/things', ({ body }) => {
		const parsed = Things.safeParse(body)
		if (!parsed.success) throw rejected(parsed.error)
		return parsed.data
	})
	app.get('/things/:name', ({ log: own }) => {
		own.info({ name: 'a' }, 'read')
		return {}
	})
	app.delete('/things/:name', () => ({}))
	app.get('/fails/:how', ({ params }) => {
		if ((params as { how: string }).how === 'bug') throw new TypeError('inner words')
		throw new Failure('AWAY', 'away', { retry: true, facts: { retryAfterMs: 1_500 } })
	})
	onTestFinished(() => app.close())
	return { app, lines }
}

const json = { 'content-type': 'application/json' }
const post = (payload: string | Buffer, headers: Record<string, string> = json) => ({
	method: 'POST' as const,
	url: '/things',
	headers,
	payload,
})

test.each<[sentence: string, header: string | undefined, isUsed: boolean]>([
	['a request id of the client is used', 'mgmt-1.2:3_4', true],
	['a request id of 128 characters is used', 'x'.repeat(128), true],
	['a request id of 129 characters is replaced', 'x'.repeat(129), false],
	['a request id with a space is replaced', 'a b', false],
	['a request id that is not ASCII is replaced', 'ä', false],
	['a missing request id is generated', undefined, false],
])('%s', async (_, header, isUsed) => {
	const { app } = start()
	const answer = await app.inject({ url: '/things/a', headers: header === undefined ? {} : { 'x-request-id': header } })
	if (isUsed) expect(answer.headers['x-request-id']).toBe(header)
	else expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})

test('the request id is in each log line of the request', async () => {
	const { app, lines } = start()
	for (const url of ['/things/a', '/fails/bug']) await app.inject({ url, headers: { 'x-request-id': 'r-1' } })
	expect(lines.map(({ msg, requestId }) => [msg, requestId])).toEqual([
		['read', 'r-1'],
		['bug: a request failed', 'r-1'],
	])
})

test.each<[status: number, request: object]>([
	[400, post('{')],
	[400, { url: '/things/%zz' }],
	[404, { url: '/nothing' }],
	[405, { method: 'PUT', url: '/things/a' }],
	[413, post(`"${'x'.repeat(4 * MIB)}"`)],
	[414, { url: `/things/${'x'.repeat(1_025)}` }],
	[415, post('<a/>', { 'content-type': 'text/xml' })],
	[500, { url: '/fails/bug' }],
	[503, { url: '/fails/later' }],
])('a response with status %i has the request id in its header and in its body', async (status, request) => {
	const { headers = {}, ...rest } = request as { headers?: object }
	const answer = await start().app.inject({ ...rest, headers: { ...headers, 'x-request-id': 'r-1' } })
	expect([answer.statusCode, answer.headers['x-request-id'], answer.json()]).toEqual([
		status,
		'r-1',
		{ error: expect.objectContaining({ code: expect.any(String), message: expect.any(String), requestId: 'r-1' }) },
	])
})

test('a failure that may be retried later says when', async () => {
	expect((await start().app.inject('/fails/later')).headers['retry-after']).toBe('2')
})

test.each<[method: string, url: string, status: number, allow: string | undefined]>([
	['PUT', '/things/a', 405, 'DELETE, GET, HEAD, OPTIONS'],
	['TRACE', '/things/a', 405, 'DELETE, GET, HEAD, OPTIONS'],
	['GET', '/things', 405, 'OPTIONS, POST'],
	['OPTIONS', '/things', 204, 'OPTIONS, POST'],
	['OPTIONS', '/nothing', 404, undefined],
	['HEAD', '/things/a', 200, undefined],
	['HEAD', '/things', 405, 'OPTIONS, POST'],
	['PUT', '/things/a/b', 404, undefined],
	['GET', '/things/?x=1', 200, undefined],
])('%s %s is answered with %i', async (...[method, url, status, allow]) => {
	const answer = await start().app.inject({ method: method as 'GET', url })
	expect([answer.statusCode, answer.headers.allow]).toEqual([status, allow])
})

const utf16 = Buffer.from('\ufeff[]', 'utf16le')

test.each<[sentence: string, request: object, status: number, faults: object[] | undefined, words: string]>([
	['an empty body is no body', post(''), 400, [{ path: '', message: expect.any(String) }], 'expected array'],
	['a body with a byte order mark is accepted', post('\ufeff[]'), 200, undefined, ''],
	['a body in UTF-16 is rejected', post(utf16), 400, [{ path: '', message: expect.any(String) }], 'it is not UTF-8'],
	['a body in Latin-1 is rejected', post(Buffer.from('["\xe9"]', 'latin1')), 400, [expect.anything()], 'it is not UTF-8'],
	[
		'a body that is declared as Latin-1 is rejected',
		post('[]', { 'content-type': 'application/json; charset=latin1' }),
		415,
		[{ path: '', message: expect.any(String) }],
		'use utf-8',
	],
	['a body that is declared as UTF-8 is accepted', post('[]', { 'content-type': 'application/json;charset="UTF-8"' }), 200, undefined, ''],
	[
		'a compressed body is rejected',
		post(gzipSync('[]'), { ...json, 'content-encoding': 'gzip' }),
		415,
		[expect.anything()],
		'uncompressed',
	],
	[
		'a body of another type is rejected',
		post('a: 1', { 'content-type': 'text/yaml' }),
		415,
		[expect.anything()],
		'text/yaml is not supported: use application/json',
	],
	['a body without a type is rejected', post('[]', {}), 415, [expect.anything()], 'application/json is required'],
	['4 MiB of "[" are rejected', post('['.repeat(4 * MIB)), 400, [expect.anything()], 'nested 4194304 levels deep'],
	['a body over 4 MiB is rejected', post(' '.repeat(4 * MIB + 1)), 413, [expect.anything()], 'at most 4194304 bytes are allowed'],
	[
		'a number of 400 digits is rejected by its field',
		post(`[{"size":${'9'.repeat(400)}}]`),
		400,
		[{ path: '[0].size', message: expect.any(String) }],
		'[0].size: ',
	],
	[
		'all faults are listed with their paths',
		post('[{"size":"x"},{"size":1,"b":2}]'),
		400,
		[
			{ path: '[0].size', message: expect.any(String) },
			{ path: '[1]', message: 'Unrecognized key: "b"' },
		],
		'[0].size: ',
	],
	['at most 8 faults are listed', post(JSON.stringify(Array(20).fill({}))), 400, Array(8).fill(expect.anything()), 'and 12 more'],
])('%s', async (...[, request, status, faults, words]) => {
	const answer = await start().app.inject(request)
	const { error } = answer.json()
	expect([answer.statusCode, error?.faults]).toEqual([status, faults])
	if (status !== 200) expect(error.message).toContain(words)
})

/** Starts a server on a port, and begins bodies that never end. */
async function withOpenBodies(perAddress: Readonly<Record<string, number>>, options: Partial<HttpServerOptions> = {}) {
	const { app } = start(options)
	let arrived = 0
	app.addHook('onRequest', async () => void arrived++)
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	const begin = (localAddress: string) => {
		const begun = send(`${address}/things`, { method: 'POST', headers: { ...json, 'content-length': '2' }, localAddress })
		begun.write('[')
		return begun.on('error', () => {})
	}
	const open = Object.entries(perAddress).flatMap(([from, count]) => Array.from({ length: count }, () => begin(from)))
	onTestFinished(async () => {
		for (const one of open) one.destroy()
		end.abort()
		await closed
	})
	await expect.poll(() => arrived).toBe(open.length)
	return { address, open, postAll: () => fetch(`${address}/things`, { method: 'POST', headers: json, body: '[]' }) }
}

const fourFull = { '127.0.0.2': 8, '127.0.0.3': 8, '127.0.0.4': 8, '127.0.0.5': 8 }

test('32 bodies are received concurrently, and the others wait', async () => {
	const { address, open, postAll } = await withOpenBodies(fourFull)
	const answers: string[] = []
	const next = postAll().then(() => answers.push('next'))
	expect((await fetch(`${address}/things/a`)).status).toBe(200)
	expect(answers).toEqual([])
	const [first, ...others] = open
	first?.end(']')
	await Promise.all([next, first && once(first, 'response')])
	expect(answers).toEqual(['next'])
	for (const other of others) other.destroy()
	await Promise.all(Array.from({ length: 32 }, postAll))
})

test('a client that begins 40 bodies does not block the bodies of others', async () => {
	const { postAll } = await withOpenBodies({ '127.0.0.2': 40 })
	expect((await postAll()).status).toBe(200)
}, 10_000)

test('a body that waits too long is refused unread, with Retry-After', async () => {
	const { postAll } = await withOpenBodies(fourFull, { bodyWaitMs: 20 })
	const refused = await postAll()
	expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual([503, '5', 'close'])
	expect(await refused.json()).toMatchObject({ error: { code: 'TOO_MANY_BODIES' } })
})
