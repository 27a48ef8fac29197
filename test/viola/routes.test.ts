import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { NODE_CONFIGS_PATH, type NodeConfigsResponse } from '../../contract/viola-api.ts'
import { Failure } from '../../runtime/errors.ts'
import { createLog } from '../../runtime/log.ts'
import { createTurns } from '../../runtime/turns.ts'
import type { Cluster } from '../../viola/cluster/cluster.ts'
import { createHeld } from '../../viola/held/held.ts'
import { project } from '../../viola/model/project.ts'
import type { ViolaCode } from '../../viola/model/failures.ts'
import { nic, request, stored } from './nodes.ts'
import { createViola, type RouteOptions } from '../../viola/routes/routes.ts'
import { createAuth } from '../../runtime/auth/auth.ts'
import { serve } from '../runtime/serve.ts'

const headers = { authorization: 'Bearer the-token', 'x-provider-id': 'biz', 'content-type': 'application/json' }
const log = createLog('viola', { level: 'silent' })

/** Starts viola in front of a cluster without node configs, which records what is created and removed. */
function start(more: Partial<Cluster> = {}, options: Partial<RouteOptions> = {}) {
	const done: string[] = []
	const cluster: Cluster = {
		...{ providerId: 'biz', namespace: 'ns', entries: { size: 0, get: () => undefined, values: () => [] } },
		...{
			isSynced: () => true,
			isOpening: () => false,
			heardMs: () => performance.now(),
			isCurrent: () => true,
			unavailable: () => undefined,
		},
		...{ inTurn: createTurns(), read: async () => undefined, close: async () => {} },
		held: createHeld(),
		create: async ({ metadata: { name } }) => {
			done.push(name)
			return project(stored({ nodeName: name }))
		},
		patch: async () => project(stored()),
		remove: async name => done.push(name) > 0,
		...more,
	}
	return { done, app: createViola({ auth: createAuth({ token: () => 'the-token' }), clusterOf: async () => cluster, log, ...options }) }
}

/** Sends the path unchanged: most clients normalize it. */
async function remove(address: string, path: string): Promise<{ status: number | undefined; body: unknown }> {
	const sent = httpRequest(address, { method: 'DELETE', path: `${NODE_CONFIGS_PATH}${path}`, headers, agent: false }).end()
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
	...none(405, ''),
	...none(404, '//worker-1', '/a/b', '/worker-1/'),
])('DELETE of %s deletes the node config or is rejected', async (_, path, status, removed) => {
	const { app, done } = start()
	const answer = await remove(await serve(app), path)
	expect([answer.status, done]).toEqual([status, removed])
	if (status !== 200)
		expect(answer.body).toEqual({
			error: expect.objectContaining({ code: expect.any(String), message: expect.any(String), requestId: expect.any(String) }),
		})
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
	const create: Cluster['create'] = async ({ metadata: { name } }) => {
		begun.push(name)
		if (begun.length === 8) all.resolve()
		await gone.promise
		return project(stored({ nodeName: name }))
	}
	const { app } = start({ create })
	const answered = Promise.withResolvers<void>()
	app.addHook('onSend', async () => answered.resolve())
	const address = await serve(app)
	const post = httpRequest(`${address}${NODE_CONFIGS_PATH}`, { method: 'POST', headers })
	post.on('error', () => {})
	app.server.once('connection', socket => socket.once('close', () => setImmediate(gone.resolve)))
	post.end(JSON.stringify(Array.from({ length: 100 }, (_, n) => ({ nodeName: `n-${n}`, interfaces: [] }))))
	await all.promise
	post.destroy()
	await answered.promise
	expect(begun).toHaveLength(8)
})

const post = (app: FastifyInstance, payload: unknown, url: string = NODE_CONFIGS_PATH) =>
	app.inject({ method: 'POST', url, headers, payload: JSON.stringify(payload) })

test('a node that is not finished in time is in the errors as Deadline, and its request is canceled', async () => {
	const canceled: string[] = []
	const create: Cluster['create'] = (object, { signal } = {}) => {
		const { name } = object.metadata
		if (name === 'fast') return Promise.resolve(project(stored({ nodeName: name })))
		return new Promise((_, reject) =>
			signal?.addEventListener('abort', () => {
				canceled.push(name)
				reject(new Failure('STOPPED', 'canceled'))
			}),
		)
	}
	const { app } = start({ create }, { postMs: 200 })
	const nodes = ['fast', ...Array.from({ length: 10 }, (_, n) => `slow-${n}`)].map(nodeName => ({ nodeName, interfaces: [] }))
	const response = await post(app, nodes)
	expect(response.statusCode).toBe(503)
	const { results, errors } = response.json() as NodeConfigsResponse
	expect(results.map(({ nodeName }) => nodeName)).toEqual(['fast'])
	expect(errors.map(({ code }) => code)).toEqual(Array(10).fill('Deadline'))
	expect(canceled).toHaveLength(8)
})

test.each<[sentence: string, url: string, payload: unknown, fault: { path: string; message: string }]>([
	['a body of another shape', '', { nodes: [] }, { path: '', message: expect.stringContaining('must be a list') }],
	['an unknown query parameter', '?dryrun=true', [], { path: '', message: 'Unrecognized key: "dryrun"' }],
	['an invalid query parameter', '?dryRun=1', [], { path: 'dryRun', message: expect.stringContaining('"true"|"false"') }],
	['a repeated query parameter', '?dryRun=true&dryRun=true', [], { path: 'dryRun', message: expect.any(String) }],
])('%s is rejected with its fault', async (_, query, payload, fault) => {
	const { app, done } = start()
	const response = await post(app, payload, `${NODE_CONFIGS_PATH}${query}`)
	expect([response.statusCode, response.json()]).toEqual([
		400,
		{ error: { code: 'BAD_REQUEST', message: expect.any(String), requestId: expect.any(String), faults: [fault] } },
	])
	expect(done).toEqual([])
})

test('an owner that lacks a field is the fault of its node only', async () => {
	const { app, done } = start()
	const node = (nodeName: string, owner: object) => ({ nodeName, interfaces: [], owner })
	const response = await post(app, [
		node('a', { namespace: 'team', name: 'cloud' }),
		node('b', { namespace: 'team', name: 'cloud', uid: 'u' }),
	])
	expect(response.statusCode).toBe(422)
	expect(response.json()).toMatchObject({ errors: [{ nodeName: 'a', code: 'Invalid', message: expect.stringMatching(/^owner\.uid: /) }] })
	expect(done).toEqual(['b'])
})

test.each<[sentence: string, inCluster: boolean, status: string]>([
	['deleted', false, 'created'],
	['kept', true, 'unchanged'],
])('if the entries were not confirmed recently, a node config that was %s is read before the response', async (_, inCluster, status) => {
	const read: string[] = []
	const entry = project(stored({ nodeName: 'a', instanceId: undefined, interfaces: [] }))
	const { app } = start({
		entries: { size: 1, get: () => entry, values: () => [entry] },
		isCurrent: () => false,
		read: async name => {
			read.push(name)
			return inCluster ? entry : undefined
		},
	})
	expect((await post(app, [{ nodeName: 'a', interfaces: [] }])).json()).toMatchObject({ results: [{ nodeName: 'a', status }] })
	expect(read).toEqual(['a'])
})

test.each<[sentence: string, owner: object]>([
	['an empty namespace', { namespace: '', name: 'a', uid: 'u' }],
	['a namespace with a slash', { namespace: 'a/b', name: 'a', uid: 'u' }],
	['a name of 254 characters', { namespace: 'a', name: 'a'.repeat(254), uid: 'u' }],
	['a uid of 64 characters', { namespace: 'a', name: 'a', uid: 'u'.repeat(64) }],
	['a name that is a number', { namespace: 'a', name: 7, uid: 'u' }],
])('an owner with %s is rejected', async (_, owner) => {
	const response = await post(start().app, [{ nodeName: 'a', interfaces: [], owner }])
	expect(response.json()).toMatchObject({ applied: 0, errors: [{ nodeName: 'a', code: 'Invalid' }] })
})

test('each changed node config is logged once: who changed it, its generation, and the ids of its interfaces', async () => {
	const lines: Record<string, unknown>[] = []
	const other = { ...nic, id: 3, macAddress: 'fa:16:3e:37:c3:f3' }
	const before = project(stored({ nodeName: 'b', interfaces: [nic, other] }))
	const same = project(stored({ nodeName: 'c' }))
	const { app } = start(
		{
			entries: {
				size: 2,
				get: name =>
					new Map([
						['b', before],
						['c', same],
					]).get(name),
				values: () => [before, same],
			},
			patch: async name => project(stored({ nodeName: name }, { generation: 4 })),
		},
		{ log: createLog('viola', { to: { write: text => void lines.push(JSON.parse(text) as Record<string, unknown>) } }) },
	)
	const changed = { ...nic, mtu: 9000 }
	const nodes = [request({ nodeName: 'a' }), request({ nodeName: 'b', interfaces: [changed] }), request({ nodeName: 'c' })]
	expect((await post(app, nodes)).statusCode).toBe(200)
	await app.inject({ method: 'DELETE', url: `${NODE_CONFIGS_PATH}/c`, headers })
	const by = { client: 'default', how: 'token', requestId: expect.any(String), providerId: 'biz' }
	expect(lines.filter(({ msg }) => msg === 'node config changed')).toMatchObject([
		{ ...by, nodeName: 'a', act: 'create', generation: { before: 0, after: 3 }, interfaces: { added: [0], removed: [], changed: [] } },
		{ ...by, nodeName: 'b', act: 'patch', generation: { before: 3, after: 4 }, interfaces: { added: [], removed: [3], changed: [0] } },
		{ ...by, nodeName: 'c', act: 'delete', generation: { before: 3 }, interfaces: { added: [], removed: [0], changed: [] } },
	])
	expect(JSON.stringify(lines)).not.toMatch(/the-token|fa:16:3e|10\.0\.0/)
})

test('an unavailable cluster is an error of each valid node, and the response has Retry-After', async () => {
	const failure = new Failure<ViolaCode>('CLUSTER_NOT_SYNCED', 'not read yet', { retry: true, facts: { retryAfterMs: 5_000 } })
	const { app, done } = start({ isSynced: () => false, unavailable: () => failure })
	const response = await post(app, [{ nodeName: 'a', interfaces: [] }, { nodeName: 'b' }])
	expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5'])
	expect(response.json()).toMatchObject({
		applied: 0,
		errors: [
			{ nodeName: 'a', code: 'ClusterNotSynced' },
			{ nodeName: 'b', code: 'Invalid' },
		],
	})
	const read = await app.inject({ url: `${NODE_CONFIGS_PATH}/a`, headers })
	expect([read.statusCode, read.headers['retry-after'], read.json()]).toMatchObject([503, '5', { error: { code: 'CLUSTER_NOT_SYNCED' } }])
	expect(done).toEqual([])
})
