import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { ListenAddress, readEnv } from '../../runtime/env.ts'
import { Failure } from '../../runtime/errors.ts'
import { createHttpClient, type HttpCall } from '../../runtime/http-client.ts'
import { addHealth, createHttpServer, listen } from '../../runtime/http-server.ts'
import { createLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createRedactor, responseMessage } from '../../runtime/response-message.ts'

async function serve(listener: RequestListener): Promise<string> {
	const server = createServer(listener)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Calls a server that sends the given response. */
async function call<T>(status: number, body: string, more: Partial<HttpCall<T>> = {}, headers: Record<string, string> = {}) {
	const origin = await serve((_, response) => response.writeHead(status, headers).end(body))
	const client = createHttpClient({ timeoutMs: 2_000 })
	onTestFinished(() => client.close())
	return client.call({ url: `${origin}/v2.0/ports?limit=1`, ...more })
}

describe('an HTTP call', () => {
	const Ports = z.object({ ports: z.array(z.object({ id: z.string() })) })

	test('returns the body as its schema defines it', async () => {
		const { status, body } = await call(200, '{"ports":[{"id":"a","extra":1}]}', { schema: Ports })
		expect([status, body]).toEqual([200, { ports: [{ id: 'a' }] }])
	})

	test.each<[title: string, answer: [status: number, body: string], failure: object]>([
		[
			'the message of Keystone',
			[401, '{"error":{"code":401,"message":"The request you have made requires authentication."}}'],
			{
				code: 'UNAUTHORIZED',
				retry: false,
				message: expect.stringMatching(/^GET http:.*\/v2\.0\/ports answered 401: The request you have made requires authentication\.$/),
			},
		],
		[
			'the message of Neutron',
			[503, '{"NeutronError":{"type":"X","message":"database is locked","detail":""}}'],
			{ code: 'SERVER_ERROR', retry: true, facts: { status: 503, remote: 'database is locked' } },
		],
		[
			'the text of an HTML page',
			[502, '<html><head><style>b{}</style></head><body><h1>Bad\n Gateway</h1></body></html>'],
			{ code: 'SERVER_ERROR', facts: { remote: 'Bad Gateway' } },
		],
		[
			'only the status if the body is empty',
			[404, ''],
			{ code: 'NOT_FOUND', retry: false, message: expect.stringMatching(/answered 404$/) },
		],
		['a redirect, which is not followed', [302, ''], { code: 'REFUSED', retry: false }],
		[
			'a response that does not match the schema',
			[200, '{"ports":[{"id":7}]}'],
			{ code: 'BAD_ANSWER', retry: true, message: expect.stringContaining('ports[0].id: ') },
		],
		[
			'a response that is not JSON',
			[200, '<html>'],
			{ code: 'BAD_ANSWER', message: expect.stringMatching(/returned an invalid response: it is not JSON$/) },
		],
	])('that fails reports %s', async (_, [status, body], failure) => {
		await expect(call(status, body, { schema: Ports })).rejects.toMatchObject(failure)
	})

	test('redacts every secret that a response repeats', async () => {
		const secrets = ['s3cret-word']
		const headers = { authorization: 'Bearer abcdef123', 'x-auth-token': 'tok-9876' }
		const failure = await call(401, '{"message":"abcdef123, tok-9876 and s3cret-word are wrong"}', { headers, secrets }).catch(
			error => error,
		)
		expect(failure.message).toContain('[hidden], [hidden] and [hidden] are wrong')
		expect(JSON.stringify([failure, failure.message])).not.toMatch(/abcdef123|tok-9876|s3cret-word/)
	})

	test('does not report the user, password or query of the URL', async () => {
		const client = createHttpClient()
		onTestFinished(() => client.close())
		const failure = await client.call({ url: 'http://admin:hunter2@127.0.0.1:1/x?key=hunter3' }).catch(error => error)
		expect(failure).toMatchObject({ code: 'UNREACHABLE', retry: true, facts: { url: 'http://127.0.0.1:1/x' } })
		expect(JSON.stringify([failure, failure.message])).not.toMatch(/hunter/)
	})

	test('reports when the server allows a retry', async () => {
		await expect(call(429, '', {}, { 'retry-after': '3' })).rejects.toMatchObject({
			code: 'TOO_MANY_REQUESTS',
			retry: true,
			facts: { retryAfterMs: 3_000 },
		})
	})

	test('limits the reported retry delay to 5 minutes', async () => {
		const facts = { retryAfterMs: 300_000 }
		for (const said of ['99999999', '1e999']) await expect(call(503, '', {}, { 'retry-after': said })).rejects.toMatchObject({ facts })
	})

	test('returns an error status if the caller accepts it', async () => {
		expect(await call(404, '{"a":1}', { accept: status => status === 404 })).toMatchObject({ status: 404, body: { a: 1 } })
	})

	test('ends after its timeout, or when the caller cancels it', async () => {
		const origin = await serve(() => {})
		const client = createHttpClient({ timeoutMs: 20 })
		onTestFinished(() => client.close())
		await expect(client.call({ url: origin })).rejects.toMatchObject({ code: 'TIMED_OUT', retry: true })
		await expect(client.call({ url: origin, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'STOPPED' })
	})

	test('rejects a response that is too large', async () => {
		const origin = await serve((_, response) => response.end('x'.repeat(100_000)))
		const client = createHttpClient({ maxAnswerBytes: 1_000 })
		onTestFinished(() => client.close())
		await expect(client.call({ url: origin })).rejects.toMatchObject({ code: 'UNREACHABLE' })
	})
})

test.each([
	['{"badRequest":{"code":400,"message":"Invalid  input"}}', 'Invalid input'],
	['{"error":"invalid_grant","error_description":"bad client"}', 'bad client'],
	['{"error":"Unauthorized"}', 'Unauthorized'],
	['{"errors":[{"message":"first"},{"message":"second"}]}', 'first'],
	['{"code":7}', '{"code":7}'],
	['x'.repeat(400), `${'x'.repeat(300)}…`],
	['<p>No<style>b{}</STYLE> <b>way</b>', 'No way'],
	['<p>No <b>way', 'No way'],
	['<p>No way<style>b{}', 'No way'],
])('the response %s is reported as: %s', (body, words) => {
	expect(responseMessage(body)).toBe(words)
})

test.each([
	['unclosed style elements', '<style'],
	['brackets', '<'],
	['elements', '<b>'],
	['nested lists', '['],
	['empty objects', '{},'],
	['spaces', ' '],
])('16 MiB of %s are reported in at most one line', (_, part) => {
	const body = `<${part.repeat((16 << 20) / part.length)}`
	expect(responseMessage(body).length).toBeLessThanOrEqual(301)
	expect(responseMessage(body.slice(1)).length).toBeLessThanOrEqual(301)
})

test('an error response that is too large or too deep is reported by its beginning', () => {
	expect(responseMessage(`{"message":"${'x'.repeat(1 << 20)}"}`)).toBe(`{"message":"${'x'.repeat(288)}…`)
	expect(responseMessage('['.repeat(400))).toBe(`${'['.repeat(300)}…`)
})

test('a secret is redacted in a body without a message, and where it contains another one', () => {
	const hide = createRedactor({ authorization: 'Bearer abcdefgh' }, ['abcd', 'p"w/1', 'half \ud800'])
	expect(responseMessage('{"echo":["p\\"w/1","abcdefgh","?p=p%22w%2F1"]}', hide)).toBe('{"echo":["[hidden]","[hidden]","?p=[hidden]"]}')
})

test('a secret is redacted where it is escaped, and where it would be truncated', () => {
	const hide = createRedactor({}, ['p"  ä-word'])
	expect(responseMessage('{"message":"p\\"  \\u00e4-word is wrong"}', hide)).toBe('[hidden] is wrong')
	expect(responseMessage(`{"message":"${'x'.repeat(295)}p\\"  \\u00e4-word"}`, hide)).toBe(`${'x'.repeat(295)}[hidd…`)
})

describe('an HTTP server', () => {
	const start = () => {
		const logged: string[] = []
		const app = createHttpServer({ log: createLog('test', { to: { write: text => void logged.push(text) } }), bodyLimitBytes: 100 })
		app.post('/things', request => ({ got: request.body }))
		app.get('/fails/:how', request => {
			const { how } = request.params as { how: string }
			if (how === 'bug') throw new TypeError('inner words')
			throw new Failure('DATABASE_AWAY', 'the database is away', { retry: how === 'later' })
		})
		return { app, logged }
	}
	const json = { 'content-type': 'application/json' }

	test.each<[title: string, request: object, status: number, body: object]>([
		['accepts and returns JSON', { method: 'POST', url: '/things', headers: json, payload: '{"a":1}' }, 200, { got: { a: 1 } }],
		[
			'rejects a body that is not JSON',
			{ method: 'POST', url: '/things', headers: json, payload: '{' },
			400,
			{ error: { code: 'BAD_REQUEST' } },
		],
		[
			'rejects a body that is nested too deeply',
			{ method: 'POST', url: '/things', headers: json, payload: `${'['.repeat(17)}${']'.repeat(17)}` },
			400,
			{ error: { code: 'BAD_REQUEST', message: 'the body cannot be read: it is nested 17 levels deep, and at most 16 are allowed' } },
		],
		[
			'rejects a body that is too large',
			{ method: 'POST', url: '/things', headers: json, payload: `"${'x'.repeat(200)}"` },
			413,
			{ error: { code: 'BAD_REQUEST' } },
		],
		[
			'rejects another content type',
			{ method: 'POST', url: '/things', headers: { 'content-type': 'text/xml' }, payload: '<a/>' },
			415,
			{ error: { code: 'BAD_REQUEST' } },
		],
		[
			'answers 503 for a failure that can be retried',
			{ url: '/fails/later' },
			503,
			{ error: { code: 'DATABASE_AWAY', message: 'the database is away' } },
		],
		['answers 400 for a failure that must not be retried', { url: '/fails/never' }, 400, { error: { code: 'DATABASE_AWAY' } }],
		['treats an empty body as no body', { method: 'POST', url: '/things', headers: json, payload: '' }, 200, {}],
		['accepts a path parameter of 1,024 characters', { url: `/fails/${'x'.repeat(1_024)}` }, 400, { error: { code: 'DATABASE_AWAY' } }],
		['rejects a path parameter of 1,025 characters', { url: `/fails/${'x'.repeat(1_025)}` }, 414, { error: { code: 'BAD_REQUEST' } }],
		['rejects a path with invalid percent encoding', { url: '/fails/%zz' }, 400, { error: { code: 'BAD_REQUEST' } }],
		[
			'answers 404 for an unknown path without reading the body',
			{ method: 'POST', url: '/nothing', headers: json, payload: '{' },
			404,
			{ error: { code: 'NOT_FOUND' } },
		],
		[
			'answers 404 for an unknown path, without its query',
			{ url: '/nothing?token=x' },
			404,
			{ error: { code: 'NOT_FOUND', message: 'there is no GET /nothing' } },
		],
	])('%s', async (_, request, status, body) => {
		const response = await start().app.inject(request)
		expect([response.statusCode, response.json()]).toMatchObject([status, body])
	})

	test('logs a bug with its message, and responds without the message', async () => {
		const { app, logged } = start()
		const response = await app.inject({ url: '/fails/bug' })
		expect([response.statusCode, response.json().error.code]).toEqual([500, 'INTERNAL'])
		expect([response.body.includes('inner words'), logged.join('').includes('inner words')]).toEqual([false, true])
	})

	test('reports in /readyz why it is not ready, and exports its counters in /metrics', async () => {
		const { app } = start()
		let ready: true | string = 'the first list is not read yet'
		const metrics = createMetrics('node-config', 8)
		addHealth(app, { ready: () => ready, metrics: metrics.registry })
		expect((await app.inject('/healthz')).statusCode).toBe(200)
		expect(await app.inject('/readyz')).toMatchObject({ statusCode: 503, body: 'the first list is not read yet' })
		ready = true
		expect((await app.inject('/readyz')).statusCode).toBe(200)
		metrics.loop.started()
		metrics.loop.ended('terminal_error', 0.2)
		metrics.loop.panicked()
		metrics.loop.timedOut()
		metrics.queue.depth(-100, 3)
		metrics.kubeCall({ verb: 'get', method: 'GET', host: 'h', code: '200', seconds: 0.1, waited: 0.3, isRetry: true })
		const { body } = await app.inject('/metrics')
		for (const line of [
			'controller_runtime_reconcile_total{controller="node-config",result="error"} 1',
			'controller_runtime_terminal_reconcile_errors_total{controller="node-config"} 1',
			'controller_runtime_reconcile_panics_total{controller="node-config"} 1',
			'controller_runtime_reconcile_timeouts_total{controller="node-config"} 1',
			'controller_runtime_max_concurrent_reconciles{controller="node-config"} 8',
			'controller_runtime_active_workers{controller="node-config"} 0',
			'workqueue_depth{name="node-config",controller="node-config",priority="-100"} 3',
			'rest_client_requests_total{code="200",method="GET",host="h"} 1',
			'rest_client_request_retries_total{code="200",verb="GET",host="h"} 1',
			'rest_client_rate_limiter_duration_seconds_sum{verb="GET",host="h"} 0.3',
			'process_resident_memory_bytes',
		]) {
			expect(body).toContain(line)
		}
	})

	test.each(['127.0.0.1', '[::1]'])('that listens on all addresses responds on %s', async at => {
		const end = new AbortController()
		const { app } = start()
		addHealth(app, { ready: () => true })
		const { A } = readEnv(z.object({ A: ListenAddress }), { A: ':0' })
		const { address, closed } = await listen(app, A, end.signal)
		const { status } = await fetch(`http://${at}:${new URL(address).port}/healthz`)
		end.abort()
		await closed
		expect(status).toBe(200)
	})

	test('listens until it is stopped, and returns its address', async () => {
		const end = new AbortController()
		const { address, closed } = await listen(start().app, Object.freeze({ host: '127.0.0.1', port: 0 }), end.signal)
		const port = Number(new URL(address).port)
		await expect(listen(start().app, { host: '127.0.0.1', port }, end.signal)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
		end.abort()
		await closed
	})
})

test('an error response has the faults of a Failure, and when to try again', async () => {
	const app = createHttpServer({ log: createLog('test', { level: 'silent' }), bodyLimitBytes: 100 })
	const faults = [{ path: 'dryRun', message: 'must be true or false' }]
	app.get('/fails', async () => {
		throw new Failure('BAD', 'wrong', { facts: { faults, retryAfterMs: 4_100 } })
	})
	app.post('/large', async () => ({}))
	const failed = await app.inject('/fails')
	expect([failed.statusCode, failed.headers['retry-after'], failed.json()]).toEqual([
		400,
		'5',
		{ error: { code: 'BAD', message: 'wrong', requestId: expect.any(String), faults } },
	])
	const large = await app.inject({
		method: 'POST',
		url: '/large',
		headers: { 'content-type': 'application/json' },
		payload: `"${'x'.repeat(100)}"`,
	})
	expect([large.statusCode, large.json()]).toMatchObject([
		413,
		{ error: { message: 'the body is too large: at most 100 bytes are allowed' } },
	])
})
