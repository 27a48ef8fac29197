import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { certificate } from '../../bench/agent/certificate.ts'
import type { SetTimer } from '../../runtime/clock.ts'
import { readEvents, type StreamEvent } from '../../runtime/event-stream.ts'
import { createHttpClient, type HttpClientOptions, type StreamCall } from '../../runtime/http-client.ts'
import { chunks } from './chunks.ts'
import { manualTime } from './manual-time.ts'

type Server = ReturnType<typeof createServer>

async function serve(listener: RequestListener, server: Server = createServer()): Promise<string> {
	server.on('request', listener)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const asStream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

function clientOf(options: HttpClientOptions = {}) {
	const client = createHttpClient(options)
	onTestFinished(() => client.close())
	return client
}

async function all(events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
	const found: StreamEvent[] = []
	for await (const event of events) found.push(event)
	return found
}

describe('events', () => {
	test.each<[title: string, text: string, events: (readonly [id: string | undefined, event: string, data: string])[]]>([
		['have an id, a name and data', 'id: 7\nevent: node-config\ndata: {"a":1}\n\n', [['7', 'node-config', '{"a":1}']]],
		['without a name are messages', 'data: x\n\n', [[undefined, 'message', 'x']]],
		['may have several lines of data', 'data: a\r\ndata: b\r\n\r\n', [[undefined, 'message', 'a\nb']]],
		['are separated by comments', ': \n\nevent: synced\ndata: {}\n\n:\n\n', [[undefined, 'synced', '{}']]],
		['that are cut off are not events', 'data: a\n\ndata: b', [[undefined, 'message', 'a']]],
	])('%s', async (_, text, events) => {
		const found = events.map(([id, event, data]) => ({ id, event, data }))
		const lengths = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 })
		const isSame = async (cuts: number[]) => expect(await all(readEvents(chunks(Buffer.from(text), cuts)))).toEqual(found)
		await fc.assert(
			fc.asyncProperty(lengths, async cuts => void (await isSame(cuts))),
			{ numRuns: 30 },
		)
	})

	test('a character that is split between two chunks is read whole', async () => {
		const events = await all(readEvents(chunks(Buffer.from('data: é\n\n'), [7])))
		expect(events).toEqual([{ id: undefined, event: 'message', data: 'é' }])
	})

	test('an event that is too long is a failure, whether it has one line or many', async () => {
		const endless = async function* (text: string) {
			for (;;) yield Buffer.from(text)
		}
		for (const text of ['data: x', 'data: x\n']) {
			const read = all(readEvents(endless(text), 10_000))
			await expect(read).rejects.toMatchObject({ code: 'BAD_ANSWER', retry: true, message: expect.stringContaining('10000 characters') })
		}
	})
})

describe('a stream', () => {
	test('is read as it arrives, without a time limit or a maximum size', async () => {
		const next = Promise.withResolvers<void>()
		const address = await serve((_, response) => {
			asStream(response).write(`data: ${'x'.repeat(5_000)}\n\n`)
			void next.promise.then(() => response.end('data: last\n\n'))
		})
		const client = clientOf({ timeoutMs: 1, maxAnswerBytes: 1_000 })
		const lengths: number[] = []
		for await (const { data } of readEvents(client.stream({ url: `http://${address}` }))) {
			lengths.push(data.length)
			next.resolve()
		}
		expect(lengths).toEqual([5_000, 4])
	})

	test('has a separate connection, so that it never delays a call', async () => {
		const address = await serve(({ url }, response) => {
			if (url === '/call') response.end('{"a":1}')
			else asStream(response).write('data: 1\n\n')
		})
		const client = clientOf({ connections: 1 })
		for await (const { data } of readEvents(client.stream({ url: `http://${address}/stream` }))) {
			expect([data, (await client.call({ url: `http://${address}/call` })).body]).toEqual(['1', { a: 1 }])
			break
		}
	})

	test('ends at the server when the consumer stops', async () => {
		const closed = Promise.withResolvers<void>()
		const address = await serve((_, response) => {
			response.once('close', closed.resolve)
			asStream(response).write('data: 1\n\n')
		})
		for await (const _ of readEvents(clientOf().stream({ url: `http://${address}` }))) break
		await closed.promise
	})

	const json = { 'content-type': 'application/json' }
	test.each<[title: string, answer: (response: ServerResponse) => unknown, failure: object]>([
		[
			'an error',
			response => response.writeHead(503, { 'retry-after': '3' }).end('{"error":{"message":"no s3cret-word"}}'),
			{ code: 'SERVER_ERROR', facts: { retryAfterMs: 3_000 } },
		],
		['an endless error', response => response.writeHead(500).end('x'.repeat(200_000)), { code: 'SERVER_ERROR' }],
		['a redirect, which is not followed', response => response.writeHead(302, { location: '/' }).end(), { code: 'REFUSED' }],
		['JSON, as a server without the stream', response => response.writeHead(200, json).end('{}'), { code: 'NO_STREAM', retry: false }],
		['no content', response => response.writeHead(204).end(), { code: 'NO_STREAM' }],
	])('that is answered with %s fails without secrets', async (_, answer, expected) => {
		const address = await serve((__, response) => void answer(response))
		const url = `http://${address}/?key=s3cret-word`
		const failure = await all(readEvents(clientOf().stream({ url, secrets: ['s3cret-word'] }))).catch(error => error)
		expect(failure).toMatchObject(expected)
		expect(JSON.stringify([failure, failure.message])).not.toContain('s3cret-word')
	})

	test('sends its headers, and always requests an event stream', async () => {
		const sent = Promise.withResolvers<object>()
		const address = await serve(({ headers }, response) => {
			sent.resolve(headers)
			asStream(response).end()
		})
		const headers = { authorization: 'Bearer abc', 'last-event-id': '7' }
		await all(readEvents(clientOf({ userAgent: 'multinic' }).stream({ url: `http://${address}`, headers })))
		expect(await sent.promise).toMatchObject({ ...headers, accept: 'text/event-stream', 'user-agent': 'multinic' })
	})

	test('trusts only the authorities of its client', async () => {
		const { key, cert } = certificate()
		const secure = async () =>
			await serve((_, response) => asStream(response).end('data: 1\n\n'), createTlsServer({ key, cert }) as unknown as Server)
		const read = async (options: HttpClientOptions) => await all(readEvents(clientOf(options).stream({ url: `https://${await secure()}` })))
		expect(await read({ ca: cert })).toHaveLength(1)
		await expect(read({})).rejects.toMatchObject({ code: 'UNREACHABLE' })
	})
})

describe('a stream that', () => {
	const reading = (address: string, more: Partial<StreamCall>) => readEvents(clientOf().stream({ url: `http://${address}`, ...more }))

	test('sends no byte for 45 s has timed out, and a heartbeat is enough', async () => {
		const time = manualTime()
		let restarts = 0
		const setTimer: SetTimer = (fire, ms) => {
			restarts++
			return time.setTimer(fire, ms)
		}
		const open = Promise.withResolvers<ServerResponse>()
		const address = await serve((_, response) => open.resolve(asStream(response)))
		const next = reading(address, { setTimer }).next()
		const response = await open.promise
		for (let beat = 0; beat < 3; beat++) {
			time.pass(44_999)
			const before = restarts
			response.write(': \n\n')
			await expect.poll(() => restarts).toBeGreaterThan(before)
		}
		time.pass(45_000)
		await expect(next).rejects.toMatchObject({ code: 'TIMED_OUT', retry: true })
		expect(time.waiting()).toBe(0)
	})

	test('is aborted by its signal is STOPPED, and one that is cut is UNREACHABLE', async () => {
		const address = await serve(({ url }, response) => {
			asStream(response).write('data: 1\n\n', () => url === '/cut' && response.destroy())
		})
		const stop = new AbortController()
		const events = reading(`${address}/`, { signal: stop.signal })
		await events.next()
		stop.abort(new Error('the process ends'))
		await expect(events.next()).rejects.toMatchObject({ code: 'STOPPED', message: expect.stringContaining('the process ends') })
		await expect(all(reading(`${address}/cut`, {}))).rejects.toMatchObject({ code: 'UNREACHABLE', retry: true })
	})
})
