import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import * as contract from '../../../contract/inventory-api.ts'
import { createAuth } from '../../../runtime/auth/auth.ts'
import type { Client } from '../../../runtime/auth/clients.ts'
import { createLog } from '../../../runtime/log.ts'
import { createInventoryApi } from '../../../mgmt/api/server.ts'
import type { Inventory } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { nics, portId, reported, sent, viewIn } from '../inventory/samples.ts'

/** The API in front of a real database. Provider biz-1 has worker-1 and worker-2, biz-2 has worker-1. */

const log = createLog('test', { level: 'silent' })
const digest = (token: string) => createHash('sha256').update(token).digest('hex')
const clients: Client[] = [
	{ name: 'all', sha256: digest('all'), may: 'read', providers: ['*'] },
	{ name: 'one', sha256: digest('one'), may: 'read', providers: ['biz-2'] },
	{ name: 'none', sha256: digest('none'), may: 'read', providers: ['biz-9'] },
	{ name: 'root', sha256: digest('root'), may: 'admin', providers: ['*'] },
]

let inventory: Inventory
let api: FastifyInstance

async function start(enabled = true): Promise<void> {
	inventory = openInventory(enabled ? { use: 'sqlite', sqlite: { path: ':memory:' } } : { use: 'nothing' }, { log })
	await inventory.opened
	inventory.lead()
	api = createInventoryApi({ inventory, auth: createAuth({ clients: () => clients }), log, now: () => 0 })
}

beforeEach(async () => {
	await start()
	await inventory.record([
		sent(1, nics(1, 2)),
		sent(2, nics(2, 1)),
		sent(1, nics(3, 1), { providerId: 'biz-2', instanceId: '=cmd' }),
		reported(viewIn('Configured', 1, nics(1, 2))),
	])
})
afterEach(async () => {
	await api.close()
	await inventory.close()
})

async function get(url: string, { token = 'all', ...headers }: Record<string, string> = {}) {
	const { statusCode, body, headers: sentHeaders } = await api.inject({ url, headers: { authorization: `Bearer ${token}`, ...headers } })
	return { status: statusCode, headers: sentHeaders, body: body.startsWith('{') || body.startsWith('[') ? JSON.parse(body) : body }
}

const names = (list: { providerId: string; nodeName: string }[]) => list.map(({ providerId, nodeName }) => `${providerId}/${nodeName}`)
const NODES = '/v1/inventory/node-configs'
const all = ['biz-1/worker-1', 'biz-1/worker-2', 'biz-2/worker-1']

describe('the list', () => {
	test.each<[query: string, expected: string[]]>([
		['', all],
		['?providerId=biz-1', ['biz-1/worker-1', 'biz-1/worker-2']],
		['?nodeName=Worker-1', ['biz-1/worker-1', 'biz-2/worker-1']],
		['?instanceId=vm-2', ['biz-1/worker-2']],
		['?state=Configured', ['biz-1/worker-1']],
		['?state=Pending', ['biz-1/worker-2', 'biz-2/worker-1']],
		['?state=Removed', []],
		['?subnetId=subnet-1', ['biz-1/worker-1']],
		['?q=worker-2', ['biz-1/worker-2']],
		['?changedSince=1970-01-01T00:00:02Z', ['biz-1/worker-1']],
		['?changedSince=2030-01-01T00:00:00Z', []],
	])('with %s', async (query, expected) => {
		const { status, body } = await get(`${NODES}${query}`)
		expect([status, names(body)]).toEqual([200, expected])
	})

	test('is returned in pages that Link connects', async () => {
		const seen: string[] = []
		let next: string | undefined = `${NODES}?limit=1`
		while (next) {
			const { body, headers }: Awaited<ReturnType<typeof get>> = await get(next)
			seen.push(...names(body))
			next = /^<(.+)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1]
		}
		expect(seen).toEqual(all)
	})

	test('is CSV for a client that prefers it, and a cell that a spreadsheet would run is escaped', async () => {
		const { body, headers } = await get(NODES, { accept: 'text/csv, application/json;q=0.5' })
		const lines = String(body).split('\r\n')
		expect(headers['content-type']).toBe('text/csv; charset=utf-8; header=present')
		expect(lines[0]).toMatch(/^providerId,nodeName,instanceId,owner,.*,nic\.name,nic\.portId/)
		expect(lines).toHaveLength(6) // one line of names, one for each NIC, and the end of the last line
		expect(lines[4]).toContain("biz-2,worker-1,'=cmd,team-a/web")
	})

	test.each([
		['limit=0', 'limit'],
		['limit=1001', 'limit'],
		['limit=x', 'limit'],
		['state=Good', 'state'],
		['changedSince=yesterday', 'changedSince'],
		['colour=red', 'colour'],
		['cursor=abc', 'cursor'],
		['nodeName=', 'nodeName'],
	])('rejects %s and names the parameter', async (query, parameter) => {
		const { status, body } = await get(`${NODES}?${query}`)
		expect([status, JSON.stringify(body.error)]).toEqual([400, expect.stringContaining(parameter)])
	})
})

describe('a client that may read only some providers', () => {
	test.each<[token: string, url: string, expected: unknown]>([
		['one', NODES, ['biz-2/worker-1']],
		['none', NODES, []],
		['one', `${NODES}/worker-1`, 'biz-2/worker-1'],
		['one', `/v1/inventory/search?q=worker`, ['biz-2/worker-1']],
		['one', `/v1/interfaces/node-configs/by-instance/%3Dcmd`, ['biz-2/worker-1']],
	])('%s GET %s returns only their rows', async (token, url, expected) => {
		const { body } = await get(url, { token })
		expect(Array.isArray(body) ? names(body) : names([body])[0]).toEqual(expected)
	})

	test.each([
		['one', `${NODES}?providerId=biz-1`, 403],
		['one', `/v1/interfaces/node-configs?providerId=biz-1`, 403],
		['one', `/v1/inventory/ports/${portId(1, 0)}`, 404],
		['one', `${NODES}/worker-2`, 404],
		['one', '/v1/interfaces/node-configs/by-instance/vm-1', 404],
		['all', '/v1/inventory/backup', 403],
		['wrong', NODES, 401],
	])('%s GET %s is answered with %i', async (token, url, status) => {
		expect((await get(url, { token })).status).toBe(status)
	})

	test('sees only their providers in the overview', async () => {
		const { body } = await get('/v1/interfaces/providers', { token: 'one' })
		expect(body.providers.map(({ providerId }: { providerId: string }) => providerId)).toEqual(['biz-2'])
	})
})

describe('one node', () => {
	test('of a name that two providers have is ambiguous, and the answer names them', async () => {
		const { status, body } = await get(`${NODES}/worker-1`)
		expect([status, body.error.code]).toEqual([409, 'NODE_AMBIGUOUS'])
		expect(body.error.message).toContain('biz-1, biz-2')
	})

	test('has its interfaces, its NICs and its report', async () => {
		const { body } = await get(`${NODES}/worker-1?providerId=biz-1`)
		expect(body).toMatchObject({ state: 'Configured', letters: 'CC', nics: [{ name: 'multinic0', state: 'Configured' }, {}] })
	})

	test('has a history, newest first, also as CSV', async () => {
		const { body } = await get(`${NODES}/worker-1/history?providerId=biz-1`)
		expect(body.map(({ kind }: { kind: string }) => kind)).toContain('NodeAdded')
		expect(body.map(({ seq }: { seq: number }) => seq)).toEqual(
			body.map(({ seq }: { seq: number }) => seq).toSorted((a: number, b: number) => b - a),
		)
		const csv = await get(`${NODES}/worker-1/history?providerId=biz-1`, { accept: 'text/csv' })
		expect(String(csv.body).split('\r\n')).toHaveLength(body.length + 2)
	})

	test('that is unknown is answered with 404', async () => {
		expect((await get(`${NODES}/worker-9`)).status).toBe(404)
	})
})

describe('a port', () => {
	test('shows the step that it has reached', async () => {
		const { body } = await get(`/v1/inventory/ports/${portId(2, 0)}`)
		expect(body.paths).toMatchObject([
			{ step: 'Sent', nic: { nodeName: 'worker-2', name: 'multinic0' }, since: '1970-01-01T00:00:01.000Z' },
		])
		const { body: done } = await get(`/v1/inventory/ports/${portId(1, 1)}`)
		expect(done.paths).toMatchObject([{ step: 'Settled', nic: { state: 'Configured' } }])
	})

	test('that is unknown is answered with 404', async () => {
		expect((await get('/v1/inventory/ports/nothing')).status).toBe(404)
	})
})

describe('ETag', () => {
	test.each([NODES, `${NODES}/worker-2`, `/v1/inventory/ports/${portId(1, 0)}`, '/v1/interfaces/providers'])(
		'GET %s is not modified until something changes',
		async url => {
			const { headers } = await get(url)
			const known = { 'if-none-match': String(headers.etag) }
			const unchanged = await get(url, known)
			expect([unchanged.status, unchanged.body]).toEqual([304, ''])
			await inventory.record([reported(viewIn('Configured', 2, nics(2, 1)))])
			expect((await get(url, known)).status).toBe(200)
		},
	)

	test('differs between clients with other providers, and between JSON and CSV', async () => {
		const tags = await Promise.all([get(NODES), get(NODES, { token: 'one' }), get(NODES, { accept: 'text/csv' })])
		expect(new Set(tags.map(({ headers }) => headers.etag)).size).toBe(3)
	})

	test('is not sent with an error, which a client must not keep', async () => {
		const { status, headers } = await get(`${NODES}/worker-9`)
		expect([status, headers.etag]).toEqual([404, undefined])
	})

	test.each<[sentence: string, url: string, expected: [number, string]]>([
		['a node', `${NODES}/worker-2`, [304, '']],
		['a node that does not exist', `${NODES}/worker-9`, [404, 'NODE_UNKNOWN']],
		['a port that does not exist', `/v1/inventory/ports/${portId(9, 9)}`, [404, 'PORT_UNKNOWN']],
		['a node without a history', `${NODES}/worker-9/history`, [404, 'NODE_UNKNOWN']],
		['the list', NODES, [304, '']],
	])('If-None-Match: * is answered for %s', async (_, url, expected) => {
		const { status, body } = await get(url, { 'if-none-match': '*' })
		expect([status, body === '' ? '' : body.error.code]).toEqual(expected)
	})

	test('304 reads no row', async () => {
		const { headers } = await get(NODES)
		const nodes = inventory.nodes
		inventory.nodes = () => Promise.reject(new Error('a row was read'))
		expect((await get(NODES, { 'if-none-match': String(headers.etag) })).status).toBe(304)
		inventory.nodes = nodes
	})
})

describe('the paths of the Go operator', () => {
	test('providers', async () => {
		const { body } = await get('/v1/interfaces/providers')
		expect(body.providers).toMatchObject([
			{
				providerId: 'biz-1',
				nodeCount: 2,
				nodes: [{ providerId: 'biz-1', nodeName: 'worker-1', instanceId: 'vm-1', interfaceCount: 2 }, {}],
			},
			{ providerId: 'biz-2', nodeCount: 1 },
		])
	})

	test('node configs are an array of records', async () => {
		const { body } = await get('/v1/interfaces/node-configs?providerId=biz-1')
		expect(Object.keys(body[0])).toEqual(['providerId', 'nodeName', 'instanceId', 'config', 'lastConfigHash', 'updatedAt'])
		expect(body[0].config).toMatchObject({
			nodeName: 'worker-1',
			instanceId: 'vm-1',
			interfaces: [{ id: 0, name: 'multinic0' }, { id: 1 }],
		})
	})

	test('a record and the overview agree when a node config was updated; reports of the node do not count', async () => {
		const { body: overview } = await get('/v1/interfaces/providers')
		const { body: records } = await get('/v1/interfaces/node-configs?providerId=biz-1')
		const times = (list: { updatedAt: string }[]) => list.map(({ updatedAt }) => updatedAt)
		expect(times(records)).toEqual(times(overview.providers[0].nodes))
		expect(times(records)).toEqual(['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:01.000Z'])
	})

	test('node configs without a limit are complete, because these clients do not follow Link', async () => {
		await inventory.record(Array.from({ length: 1_100 }, (_, n) => sent(n + 10, nics(n + 10, 1), { providerId: 'biz-3' })))
		const { body, headers } = await get('/v1/interfaces/node-configs?providerId=biz-3')
		expect([body.length, headers.link]).toEqual([1_100, undefined])
		const page = await get('/v1/interfaces/node-configs?providerId=biz-3&limit=1000')
		expect([page.body.length, page.headers.link]).toEqual([1_000, expect.stringContaining('rel="next"')])
	})

	test.each([
		['/v1/interfaces/node-configs', 400],
		['/v1/interfaces/node-configs?providerId=unknown', 200],
		['/v1/interfaces/node-configs/by-instance/vm-9', 404],
		['/v1/interfaces/node-configs/by-instance/', 400],
		['/v1/interfaces/node-configs/by-instance/vm-1', 200],
		['/v1/interfaces/node-configs/by-instance/vm-1?providerId=biz-2', 404],
	])('GET %s is answered with %i', async (url, status) => {
		expect((await get(url)).status).toBe(status)
	})

	test('another method is answered with 405', async () => {
		const { statusCode, headers } = await api.inject({ method: 'POST', url: '/v1/interfaces/providers' })
		expect([statusCode, headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
	})
})

test('a backup is a database, and only for a client with admin access', async () => {
	const { status, body, headers } = await get('/v1/inventory/backup', { token: 'root' })
	expect([status, String(body).slice(0, 15), headers['content-type']]).toEqual([200, 'SQLite format 3', 'application/vnd.sqlite3'])
	expect(headers['content-disposition']).toBe('attachment; filename="inventory-1970-01-01T00-00-00.000Z.db"')
})

test('without a database, every read is answered with 503, and health stays good', async () => {
	await api.close()
	await start(false)
	for (const url of [NODES, `${NODES}/worker-1`, '/v1/inventory/ports/a', '/v1/interfaces/providers']) {
		const { status, body } = await get(url)
		expect([url, status, body.error.code]).toEqual([url, 503, 'Disabled'])
	}
	expect((await get('/healthz')).status).toBe(200)
})

test.each<[url: string, schema: z.ZodType]>([
	[NODES, z.array(contract.InventoryNode)],
	[`${NODES}/worker-2`, contract.InventoryNode],
	[`${NODES}/worker-2/history`, z.array(contract.ChangeEntry)],
	[`/v1/inventory/ports/${portId(1, 0)}`, contract.PortReport],
	['/v1/inventory/search?q=10.0', z.array(contract.Hit)],
	['/v1/interfaces/providers', contract.GoProviders],
	['/v1/interfaces/node-configs?providerId=biz-1', z.array(contract.GoRecord)],
])('GET %s returns what the contract says, and nothing else', async (url, schema) => {
	const { body } = await get(url)
	expect(schema.parse(body)).toEqual(body)
})

test('the document, as JSON, as YAML and as a page, needs no authentication', async () => {
	const read = async (url: string) => (await api.inject({ url })).body
	expect(JSON.parse(await read('/openapi.json'))).toMatchObject({ openapi: '3.1.0', paths: { [NODES]: { get: {} } } })
	expect(await read('/openapi.yaml')).toContain('openapi: 3.1.0')
	expect(await read('/docs')).toContain('/v1/inventory/ports/{portId}')
	expect(await read('/docs')).not.toContain('<script')
})
