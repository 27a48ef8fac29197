import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { NODE_CONFIGS_PATH } from '../../contract/viola-api.ts'
import { listen } from '../../runtime/http-server.ts'
import { createLog } from '../../runtime/log.ts'
import type { Cluster } from '../../viola/cluster.ts'
import { createViola } from '../../viola/routes.ts'

const headers = { authorization: 'Bearer the-token', 'x-provider-id': 'biz', 'content-type': 'application/json' }
const log = createLog('viola', { level: 'silent' })

function start(more: Partial<Cluster> = {}) {
	const done: string[] = []
	const cluster: Cluster = {
		providerId: 'biz',
		upsert: async ({ nodeName }) => {
			done.push(nodeName)
			return { nodeName, status: 'created', generation: 1 }
		},
		list: async () => [],
		find: async () => undefined,
		remove: async name => done.push(name) > 0,
		...more,
	}
	return { done, app: createViola({ token: () => 'the-token', withCluster: async (_, act) => act(cluster), log }) }
}

async function serve(app: FastifyInstance): Promise<string> {
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	onTestFinished(async () => {
		end.abort()
		await closed
	})
	return address
}

/** Sends the path unchanged: most clients normalize it. */
async function remove(address: string, path: string): Promise<{ status: number | undefined; body: unknown }> {
	const sent = request(address, { method: 'DELETE', path: `${NODE_CONFIGS_PATH}${path}`, headers, agent: false }).end()
	const [response] = (await once(sent, 'response')) as [IncomingMessage]
	return { status: response.statusCode, body: await json(response) }
}

const none = (status: number, ...paths: string[]) => paths.map((path): [string, string, number, string[]] => [path, path, status, []])

test.each<[what: string, path: string, status: number, done: string[]]>([
	['/worker-1', '/worker-1', 200, ['worker-1']],
	['/Worker-1', '/Worker-1', 200, ['worker-1']],
	['a name of 253 characters', `/${'a'.repeat(253)}`, 200, ['a'.repeat(253)]],
	['a name of 254 characters', `/${'a'.repeat(254)}`, 400, []],
	['a name of 2000 characters', `/${'a'.repeat(2_000)}`, 414, []],
	...none(400, '/', '/.', '/..', '/%2e', '/%2E%2e', '/..%2f', '/%2f', '/%00', '/a%0ab', '/;a', '/%5c', '/%', '/%zz'),
	...none(404, '', '//worker-1', '/a/b', '/worker-1/'),
])('DELETE of %s deletes the node config or is rejected', async (_, path, status, removed) => {
	const { app, done } = start()
	const answer = await remove(await serve(app), path)
	expect([answer.status, done]).toEqual([status, removed])
	if (status !== 200) expect(answer.body).toEqual({ error: { code: expect.any(String), message: expect.any(String) } })
})

test('a request body is not read before the client is authenticated', async () => {
	for (const url of [NODE_CONFIGS_PATH, '/', '/elsewhere']) {
		const response = await start().app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload: '{' })
		expect([401, 404]).toContain(response.statusCode)
	}
})

test('no further node config is written after the client has disconnected, because it sends all nodes in its next request', async () => {
	const begun: string[] = []
	const gone = Promise.withResolvers<void>()
	const all = Promise.withResolvers<void>()
	const upsert: Cluster['upsert'] = async ({ nodeName }) => {
		begun.push(nodeName)
		if (begun.length === 8) all.resolve()
		await gone.promise
		return { nodeName, status: 'created', generation: 1 }
	}
	const { app } = start({ upsert })
	const answered = Promise.withResolvers<void>()
	app.addHook('onSend', async () => answered.resolve())
	const address = await serve(app)
	const post = request(`${address}${NODE_CONFIGS_PATH}`, { method: 'POST', headers })
	post.on('error', () => {})
	app.server.once('connection', socket => socket.once('close', () => setImmediate(gone.resolve)))
	post.end(JSON.stringify(Array.from({ length: 100 }, (_, n) => ({ nodeName: `n-${n}`, interfaces: [] }))))
	await all.promise
	post.destroy()
	await answered.promise
	expect(begun).toHaveLength(8)
})
