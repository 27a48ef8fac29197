import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { NODE_CONFIGS_PATH } from '../../contract/viola-api.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { listen } from '../../runtime/http-server.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { createLog } from '../../runtime/log.ts'
import { type Cluster, openCluster } from '../../viola/cluster/cluster.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { createAuth } from '../../runtime/auth/auth.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { nic } from './nodes.ts'
import { get, isSynced, namesIn, reader } from './routes/reading.ts'

/** Two violas in front of a real API server, and readers of their streams. */

const namespace = 'default'
const headers = { authorization: 'Bearer the-token', 'x-provider-id': 'biz' }
const end = new AbortController()
let api: ApiServer
let client: KubeClient
let violas: { url: string; cluster: Cluster; closed: Promise<void> }[] = []

beforeAll(async () => {
	api = await startApiServer()
	const credentials = await loadCredentials({ kubeconfig: api.kubeconfig }, {})
	client = new KubeClient(credentials, { fieldManager: 'kubectl' })
	await putCrds(client)
	const log = createLog('viola', { level: 'silent' })
	const start = async () => {
		const cluster = openCluster({ providerId: 'biz', namespace, credentials, log })
		const app = createViola({
			auth: createAuth({ token: () => 'the-token' }),
			rate: { max: 1_000_000, timeWindow: 1_000 },
			clusterOf: async () => cluster,
			log,
		})
		const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
		await vi.waitFor(() => expect(cluster.isSynced()).toBe(true), { timeout: 60_000 })
		return { url: address + NODE_CONFIGS_PATH, cluster, closed }
	}
	violas = [await start(), await start()]
})
afterAll(async () => {
	end.abort()
	for (const { closed, cluster } of violas) {
		await closed
		await cluster.close()
	}
	await client?.close()
	await api?.stop()
})

const viola = (at: number) => violas[at] ?? expect.unreachable()
const objects = async () => (await client.list(NodeConfigKind, { namespace })).items
const versions = async () => Object.fromEntries((await objects()).map(({ metadata }) => [metadata.name, metadata.resourceVersion]))

async function post(url: string, nodeName: string, mtu: number): Promise<number> {
	const body = JSON.stringify([{ nodeName, interfaces: [{ ...nic, mtu }] }])
	const response = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body })
	await response.text()
	return response.status
}

const remove = async (name: string) => {
	await client.patch(NodeConfigKind, { namespace, name }, { metadata: { finalizers: null } })
	await client.delete(NodeConfigKind, { namespace, name })
}

const nodeName = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.record({
	act: fc.constantFrom('post', 'post', 'edit', 'status', 'delete by viola', 'delete by hand', 'read', 'read'),
	nodeName,
	at: fc.constantFrom(0, 1),
	mtu: fc.integer({ min: 1_400, max: 1_500 }),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

async function run({ act, nodeName: name, at, mtu }: Step): Promise<void> {
	const { url } = viola(at)
	const isThere = name in (await versions())
	if (act === 'post') await post(url, name, mtu)
	if (!isThere) return
	const path = { namespace, name }
	if (act === 'edit') await client.patch(NodeConfigKind, path, { spec: { interfaces: [{ ...nic, mtu }] } })
	if (act === 'status') await client.patchStatus(NodeConfigKind, path, { lastJobName: `job-${mtu}` })
	if (act === 'delete by hand') await remove(name)
	if (act !== 'delete by viola') return
	await client.patch(NodeConfigKind, path, { metadata: { finalizers: null } })
	expect((await fetch(`${url}/${name}`, { method: 'DELETE', headers })).status).toBe(200)
	expect((await get(`${url}/${name}`, headers)).status).toBe(404)
}

test('after any changes, by viola and by hand, a reader that switches between violas has exactly what is in the cluster', async () => {
	const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), fc.constantFrom(0, 1), async (steps, last) => {
		const { read, known } = reader(headers)
		for (const one of steps) {
			if (one.act === 'read') await read(viola(one.at).url, isSynced)
			else await run(one)
		}
		const expected = await versions()
		const now = () => Object.fromEntries([...viola(last).cluster.held.content.after()].map(one => [one.nodeName, one.resourceVersion]))
		await vi.waitFor(() => expect(now()).toEqual(expected), { timeout: 60_000 })
		await read(viola(last).url, isSynced)
		expect(Object.fromEntries(known)).toEqual(expected)
	})
	await fc.assert(property, { numRuns: 15 })
})

test('an event has the resourceVersion as its id, and a deletion that of the API server', async () => {
	for (const name of Object.keys(await versions())) await remove(name)
	await vi.waitFor(() => expect(viola(0).cluster.held.content.size).toBe(0), { timeout: 60_000 })
	const events = await fetch(viola(0).url, { headers: { ...headers, accept: 'text/event-stream' } })
	const text = events.body?.pipeThrough(new TextDecoderStream()) ?? expect.unreachable()
	await post(viola(1).url, 'a', 1_450)
	const created = (await versions()).a
	await remove('a')
	let all = ''
	for await (const chunk of text) {
		all += chunk
		if (all.includes('event: deleted')) break
	}
	const ids = [...all.matchAll(/event: (node-config|deleted)\nid: (\d+)\n/g)].map(([, , id]) => id)
	expect(ids[0]).toBe(created)
	expect(Number(ids.at(-1))).toBeGreaterThan(Number(ids.at(-2)))
})

test('violas have the same ETag for the same content, until it changes', async () => {
	await post(viola(0).url, 'a', 1_450)
	await post(viola(1).url, 'b', 1_450)
	const etags = async () => await Promise.all([0, 1].map(async at => (await get(viola(at).url, headers)).headers.get('etag')))
	await vi.waitFor(async () => expect(new Set(await etags()).size).toBe(1), { timeout: 60_000 })
	const [etag = ''] = await etags()
	expect((await get(viola(0).url, { ...headers, 'if-none-match': etag ?? '' })).status).toBe(304)
	await remove('a')
	await vi.waitFor(async () => expect((await etags())[0]).not.toBe(etag), { timeout: 60_000 })
	expect(namesIn((await get(viola(0).url, headers)).text)).toEqual(['b'])
})
