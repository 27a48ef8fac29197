import { expect, onTestFinished, test } from 'vitest'
import { KubeClient, type KubeClientOptions } from '../../../runtime/kube/client.ts'
import { ConfigMap } from '../../../runtime/kube/kinds.ts'
import type { Call } from '../../../runtime/kube/request.ts'
import { type Answer, type FaultServer, json, saysNothing, startFaultServer, watch } from '../fault-server.ts'

const ok = json(200, { metadata: { name: 'a' } })
const later = (seconds: string, status = 429): Answer => json(status, { message: 'too many requests' }, { 'retry-after': seconds })
const at = { namespace: 'n', name: 'a' }

async function start(answers: Answer[], options: Partial<KubeClientOptions> = {}): Promise<{ server: FaultServer; client: KubeClient }> {
	const server = await startFaultServer()
	server.script(...answers)
	const client = new KubeClient(server.credentials, { fieldManager: 'test', ...options })
	onTestFinished(() => client.close())
	return { server, client }
}

test('many concurrent calls share four connections, and later calls use them again', async () => {
	const { server, client } = await start([ok])
	const many = () => Promise.all(Array.from({ length: 100 }, () => client.get(ConfigMap, at)))
	await many()
	await many()
	expect([server.requests.length, server.connections()]).toEqual([200, 4])
	expect(client.requests()).toEqual({ get: 200 })
})

test.each<[title: string, answers: Answer[], requests: number, outcome: object | string]>([
	['a call that is answered with 429 is retried after the delay in Retry-After', [later('0.01'), later('0.01'), ok], 3, 'a'],
	['a call that is answered with 503 and Retry-After is retried after that delay', [later('0.01', 503), ok], 2, 'a'],
	['a call that is answered with 429 without Retry-After is retried after a short delay', [json(429, {}), ok], 2, 'a'],
	[
		'a call that is answered with 500 fails without a retry',
		[json(500, { message: 'etcd is gone' })],
		1,
		{ code: 'SERVER_ERROR', message: 'etcd is gone' },
	],
	[
		'a call fails if the delay in Retry-After is longer than its timeout',
		[later('60')],
		1,
		{ code: 'TOO_MANY_REQUESTS', facts: { retryAfterMs: 60_000 } },
	],
	['a read whose connection breaks is retried once', [response => response.destroy(), ok], 2, 'a'],
	['a read whose connection breaks twice fails', [response => response.destroy()], 2, { code: 'UNREACHABLE', retry: true }],
	[
		'a truncated response is a failure',
		[response => response.setHeader('content-type', 'application/json').end('{"metadata"')],
		1,
		{ code: 'SERVER_ERROR', retry: true },
	],
])('%s', async (_, answers, requests, outcome) => {
	const { server, client } = await start(answers)
	const call = client.get(ConfigMap, at)
	if (typeof outcome === 'string') expect((await call).metadata.name).toBe(outcome)
	else await expect(call).rejects.toMatchObject(outcome)
	expect(server.requests.length).toBe(requests)
})

test('a write whose connection breaks is not sent again', async () => {
	const { server, client } = await start([response => response.destroy()])
	await expect(client.create(ConfigMap, { metadata: at })).rejects.toMatchObject({ code: 'UNREACHABLE', retry: true })
	expect(server.requests.length).toBe(1)
})

test('one 429 response makes every call and every watch of the client wait', async () => {
	const calls: Call[] = []
	const quiet = watch([], saysNothing)
	const either: Answer = (response, request) => (request.url?.includes('watch=true') ? quiet : ok)(response, request)
	const { client, server } = await start([later('2'), either], { onCall: call => calls.push(call) })
	const first = client.get(ConfigMap, at)
	await expect.poll(() => calls.length).toBe(1)
	const end = new AbortController()
	const watching = client.watch(ConfigMap, { resourceVersion: '1', signal: end.signal }).next()
	await Promise.all([first, client.get(ConfigMap, at)])
	await expect.poll(() => calls.length).toBe(4)
	const waited = calls.slice(1).map(call => [call.verb, call.waited > 0.02])
	expect(waited.filter(([verb]) => verb === 'watch')).toEqual([['watch', true]])
	expect(waited.filter(([verb, isLong]) => verb === 'get' && isLong).length).toBeGreaterThanOrEqual(1)
	expect(server.requests.length).toBe(4)
	end.abort()
	await expect(watching).rejects.toMatchObject({ code: 'STOPPED' })
})

test('a call whose deadline is before the end of a Retry-After delay fails without being sent', async () => {
	const calls: Call[] = []
	const { client, server } = await start([later('5'), ok], { retryForMs: 1_000, onCall: call => calls.push(call) })
	const first = client.get(ConfigMap, at)
	await expect(first).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', facts: { retryAfterMs: 5_000 } })
	await expect(client.get(ConfigMap, at)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retry: true })
	expect(await client.get(ConfigMap, at, { urgent: true })).toMatchObject({ metadata: { name: 'a' } })
	expect(server.requests.length).toBe(2)
})

test('an urgent call does not wait for other calls', async () => {
	const { client, server } = await start([...Array<Answer>(4).fill(() => {}), ok])
	const end = new AbortController()
	const hanging = Array.from({ length: 9 }, () => client.get(ConfigMap, at, { signal: end.signal }))
	await expect.poll(() => server.requests.length).toBe(4)
	expect(await client.get(ConfigMap, at, { urgent: true })).toMatchObject({ metadata: { name: 'a' } })
	end.abort()
	for (const call of hanging) await expect(call).rejects.toMatchObject({ code: 'STOPPED' })
	expect(server.requests.length).toBe(5)
	expect(await client.get(ConfigMap, at)).toMatchObject({ metadata: { name: 'a' } })
})

test('a write that is no longer allowed is not retried after a Retry-After delay', async () => {
	let may = true
	const refuse: Answer = (response, request) => {
		may = false
		later('0.01')(response, request)
	}
	const { server, client } = await start([refuse, ok])
	await expect(client.guarded(() => may).create(ConfigMap, { metadata: at })).rejects.toMatchObject({ code: 'STOPPED', retry: true })
	expect([server.requests.length, client.requests()]).toEqual([1, { create: 1 }])
})

test('a call to a server that does not answer times out', async () => {
	const { client } = await start([() => {}], { timeoutMs: 20 })
	await expect(client.get(ConfigMap, at)).rejects.toMatchObject({ code: 'TIMED_OUT', retry: true })
})

test('a response that never ends times out', async () => {
	const { client } = await start([response => void response.writeHead(200, { 'content-type': 'application/json' }).write('{')])
	await expect(client.get(ConfigMap, at, { timeoutMs: 30 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
})

test('a canceled call rejects with the reason of its signal, and removes its listener', async () => {
	const { server, client } = await start([ok, () => {}])
	const end = new AbortController()
	let listeners = 0
	const add = end.signal.addEventListener.bind(end.signal)
	const remove = end.signal.removeEventListener.bind(end.signal)
	Object.assign(end.signal, {
		addEventListener: (...args: Parameters<typeof add>) => [listeners++, add(...args)],
		removeEventListener: (...args: Parameters<typeof remove>) => [listeners--, remove(...args)],
	})
	await client.get(ConfigMap, at, { signal: end.signal })
	expect(listeners).toBe(0)
	const call = client.get(ConfigMap, at, { signal: end.signal })
	await expect.poll(() => server.requests.length).toBe(2)
	end.abort(new Error('enough'))
	await expect(call).rejects.toMatchObject({ code: 'STOPPED', message: expect.stringContaining('enough') })
	expect(listeners).toBe(0)
})

test('every attempt is reported in the metrics, without the name of the object', async () => {
	const calls: object[] = []
	const { client } = await start([later('0.01'), ok], { onCall: call => calls.push(call) })
	await client.get(ConfigMap, at)
	expect(calls).toMatchObject([
		{ verb: 'get', method: 'GET', code: '429', isRetry: false },
		{ verb: 'get', method: 'GET', code: '200', isRetry: true },
	])
	expect(JSON.stringify(calls)).not.toContain('/configmaps')
})
