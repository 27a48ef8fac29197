import type { FastifyInstance } from 'fastify'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { ANNOTATION_OWNER, FINALIZER } from '../../contract/names.ts'
import { NODE_CONFIGS_PATH } from '../../contract/viola-api.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import type { Credentials } from '../../runtime/kube/kubeconfig/credentials.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { createLog } from '../../runtime/log.ts'
import { type Cluster, openCluster } from '../../viola/cluster/cluster.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { createAuth } from '../../runtime/auth/auth.ts'
import { route } from '../../viola/targets/routing.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { sourcesWith } from './targets/targets.ts'

/** The HTTP API of viola in front of a real API server; provider `gone` is a cluster that cannot be reached. */

const token = 'the-token'
const namespace = 'default'
const patience = { timeout: 60_000, interval: 20 }
let api: ApiServer
let credentials: Credentials
let client: KubeClient
let clusters: Record<string, Cluster>
let viola: FastifyInstance

beforeAll(async () => {
	api = await startApiServer()
	credentials = await loadCredentials({ kubeconfig: api.kubeconfig }, {})
	client = new KubeClient(credentials, { fieldManager: 'multinic-viola' })
	await putCrds(client)
	const log = createLog('viola', { level: 'silent' })
	clusters = {
		biz: openCluster({ providerId: 'biz', namespace, credentials, log }),
		gone: openCluster({ providerId: 'gone', namespace, credentials: { ...credentials, server: 'https://127.0.0.1:1' }, log }),
	}
	const targets = sourcesWith(['biz', 'gone'])
	const clusterOf = async (id: string | undefined) => biz(route(targets, id).providerId)
	viola = createViola({ auth: createAuth({ token: () => token }), rate: { max: 1_000_000, timeWindow: 1_000 }, clusterOf, log })
	await vi.waitFor(() => expect(biz().isSynced()).toBe(true), patience)
})
afterAll(async () => {
	await viola?.close()
	for (const cluster of Object.values(clusters ?? {})) await cluster.close()
	await client?.close()
	await api?.stop()
})
beforeEach(async () => {
	for (const { metadata } of (await client.list(NodeConfigKind, { namespace })).items) {
		await client.patch(NodeConfigKind, metadata, { metadata: { finalizers: null } })
		await client.delete(NodeConfigKind, metadata)
	}
	await vi.waitFor(() => expect(biz().entries.size).toBe(0), patience)
})

function biz(providerId = 'biz'): Cluster {
	const cluster = clusters[providerId]
	if (!cluster) throw new Error(`no cluster ${providerId}`)
	return cluster
}

const nic = { id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
const node = (nodeName: string, interfaces: unknown = [nic], more: object = {}) => ({
	nodeName,
	instanceId: `vm-${nodeName}`,
	interfaces,
	...more,
})
const auth = { authorization: `Bearer ${token}`, 'x-provider-id': 'biz' }
const send = async (payload: unknown, headers: Record<string, string> = auth, query = '') => {
	const answer = await viola.inject({
		method: 'POST',
		url: `${NODE_CONFIGS_PATH}${query}`,
		headers: { 'content-type': 'application/json', ...headers },
		payload: JSON.stringify(payload),
	})
	return { status: answer.statusCode, body: answer.json() }
}
const stored = (name: string) => client.find(NodeConfigKind, { namespace, name })

const deep = JSON.parse(`${'['.repeat(101)}${']'.repeat(101)}`) as unknown

test('a node config is created with finalizer, labels and hash, updated if it differs, and otherwise not written', async () => {
	expect(await send([node('worker-1')])).toEqual({
		status: 200,
		body: { applied: 1, results: [{ nodeName: 'worker-1', status: 'created', generation: 1 }], errors: [] },
	})
	const created = await stored('worker-1')
	expect(created).toMatchObject({
		metadata: {
			finalizers: [FINALIZER],
			labels: { 'multinic.io/node-name': 'worker-1', 'multinic.io/instance-id': 'vm-worker-1', 'multinic.io/provider-id': 'biz' },
		},
		spec: {
			nodeName: 'worker-1',
			instanceId: 'vm-worker-1',
			providerId: 'biz',
			interfaces: [nic],
			specHash: expect.stringMatching(/^[0-9a-f]{64}$/),
		},
	})
	expect(
		(await send([node('Worker-1', [{ ...nic, macAddress: 'FA:16:3E:37:C3:F1' }], { instanceId: 'vm-worker-1' })])).body.results,
	).toEqual([{ nodeName: 'worker-1', status: 'unchanged', generation: 1 }])
	expect((await stored('worker-1'))?.metadata.resourceVersion).toBe(created?.metadata.resourceVersion)
	expect((await send([node('worker-1', [])])).body.results).toEqual([{ nodeName: 'worker-1', status: 'updated', generation: 2 }])
	expect((await stored('worker-1'))?.spec).toMatchObject({ interfaces: [] })
})

test('labels and fields that users set are kept', async () => {
	await send([node('worker-1')])
	await client.patch(
		NodeConfigKind,
		{ namespace, name: 'worker-1' },
		{ metadata: { labels: { team: 'a' } }, spec: { paused: true, mode: 'Plan' } },
	)
	await send([node('worker-1', [{ ...nic, mtu: 9000 }])])
	expect(await stored('worker-1')).toMatchObject({
		metadata: { labels: { team: 'a' } },
		spec: { paused: true, mode: 'Plan', interfaces: [{ mtu: 9000 }] },
	})
})

test('only the nodes of the request are changed', async () => {
	await send([node('worker-1'), node('worker-2')])
	const before = (await stored('worker-2'))?.metadata.resourceVersion
	await send([node('worker-1', [])])
	expect((await stored('worker-2'))?.metadata.resourceVersion).toBe(before)
})

test.each<[sentence: string, entry: unknown, code: string, words: string]>([
	['missing interfaces', { nodeName: 'worker-9' }, 'Invalid', 'interfaces: '],
	['null interfaces', node('worker-9', null), 'Invalid', 'interfaces: '],
	['an invalid MAC', node('worker-9', [{ macAddress: 'fa:16' }]), 'Invalid', 'interfaces[0].macAddress: must be a MAC address'],
	['a duplicate MAC', node('worker-9', [nic, { ...nic, id: 1 }]), 'Invalid', 'interfaces: macAddress must be unique'],
	['an MTU of 20', node('worker-9', [{ ...nic, mtu: 20 }]), 'Invalid', 'interfaces[0].mtu: '],
	[
		'an address outside its cidr',
		node('worker-9', [{ ...nic, address: '10.0.1.1' }]),
		'Invalid',
		'interfaces[0].address: address must be an IP address inside cidr',
	],
	[
		'ids from 1 to 10',
		node(
			'worker-9',
			[1, 10].map(id => ({ id, macAddress: `fa:16:3e:00:00:${id + 10}` })),
		),
		'Invalid',
		'ids are 0 to 9',
	],
	['an invalid node name', node('worker_9'), 'Invalid', 'nodeName: must be a Kubernetes node name'],
	['an entry that is not an object', 'worker-9', 'Invalid', 'expected object'],
])('%s is rejected with the field, and the other node is applied', async (_, entry, code, words) => {
	const { status, body } = await send([entry, node('worker-1')])
	expect([status, body.applied, body.results[0].nodeName]).toEqual([422, 1, 'worker-1'])
	expect(body.errors).toEqual([{ nodeName: expect.any(String), code, message: expect.stringContaining(words) }])
	expect(await send([entry])).toMatchObject({ status: 422, body: { applied: 0, results: [] } })
	expect(await stored('worker-9')).toBeUndefined()
})

test('requests of older clients are accepted: mtu 0, cidr "", no id', async () => {
	const { macAddress } = nic
	expect(
		(
			await send([
				node('worker-1', [
					{ macAddress, cidr: '', mtu: 0, deviceId: 'x' },
					{ macAddress: 'fa:16:3e:00:00:02', mtu: 0 },
				]),
			])
		).status,
	).toBe(200)
	expect((await stored('worker-1'))?.spec.interfaces).toEqual([
		{ id: 0, macAddress },
		{ id: 1, macAddress: 'fa:16:3e:00:00:02' },
	])
})

test('an omitted id is derived from the name if other interfaces have an id', async () => {
	const nics = [0, 1, 2].map(id => ({ name: `multinic${id}`, macAddress: `fa:16:3e:00:00:0${id}`, ...(id > 0 && { id }) }))
	expect((await send([node('worker-1', nics)])).status).toBe(200)
	expect((await stored('worker-1'))?.spec.interfaces.map(({ id }) => id)).toEqual([0, 1, 2])
	const nameless = nics.map(({ name: _, ...nic }) => nic)
	expect(await send([node('worker-2', nameless)])).toMatchObject({
		status: 422,
		body: { errors: [{ message: 'interfaces: either all interfaces have an id or none has' }] },
	})
})

test.each(['%2e', '%2E%2e', '%2e%2e%2fjobs', '.', '', 'a%2fb', 'worker_1', '%25'])(
	'a path that ends in "%s" is not accepted as a node name',
	async end => {
		await send([node('worker-1'), node('worker-2')])
		for (const method of ['GET', 'DELETE'] as const) {
			const answer = await viola.inject({ method, url: `${NODE_CONFIGS_PATH}/${end}`, headers: auth })
			expect(answer.statusCode).toBeOneOf([400, 404])
		}
		expect((await client.list(NodeConfigKind, { namespace })).items).toHaveLength(2)
	},
)

test('a duplicate node is rejected, and so is a node whose node config is being deleted', async () => {
	const twice = await send([node('worker-1'), node('WORKER-1', [])])
	expect(twice).toMatchObject({ status: 422, body: { errors: [{ code: 'Duplicate' }, { code: 'Duplicate' }] } })
	await send([node('worker-1')])
	const deleted = await viola.inject({ method: 'DELETE', url: `${NODE_CONFIGS_PATH}/worker-1`, headers: auth })
	expect([deleted.statusCode, deleted.json()]).toEqual([200, { nodeName: 'worker-1', status: 'deleted' }])
	expect(await send([node('worker-1')])).toMatchObject({ status: 503, body: { errors: [{ nodeName: 'worker-1', code: 'Terminating' }] } })
})

test('GET returns all current node configs or a single one, with their status', async () => {
	await send([node('worker-1'), node('worker-2', [])])
	await client.patchStatus(NodeConfigKind, { namespace, name: 'worker-1' }, { observedGeneration: 1, state: 'Configured' })
	await expect.poll(() => biz().entries.get('worker-1')?.view).toContain('Configured')
	const one = await viola.inject({ url: `${NODE_CONFIGS_PATH}/worker-1`, headers: auth })
	expect(Number(one.headers.age)).toBeLessThan(60)
	const worker1 = {
		deleting: false,
		resourceVersion: (await stored('worker-1'))?.metadata.resourceVersion,
		lastManager: 'multinic-viola',
		nodeName: 'worker-1',
		instanceId: 'vm-worker-1',
		providerId: 'biz',
		generation: 1,
		interfaces: [nic],
		status: { observedGeneration: 1, state: 'Configured' },
	}
	expect(one.json()).toEqual(worker1)
	expect((await viola.inject({ url: `${NODE_CONFIGS_PATH}/Worker-1`, headers: auth })).json()).toEqual(worker1)
	const all = await viola.inject({ url: NODE_CONFIGS_PATH, headers: auth })
	expect(all.json()).toMatchObject({ items: [worker1, { nodeName: 'worker-2', interfaces: [] }] })
	expect((await viola.inject({ url: `${NODE_CONFIGS_PATH}/worker-3`, headers: auth })).statusCode).toBe(404)
	const absent = await viola.inject({ method: 'DELETE', url: `${NODE_CONFIGS_PATH}/worker-3`, headers: auth })
	expect(absent.json()).toEqual({ nodeName: 'worker-3', status: 'absent' })
})

test.each<[sentence: string, headers: Record<string, string>, payload: unknown, status: number, words: string]>([
	['no token', { 'x-provider-id': 'biz' }, [node('worker-1')], 401, 'bearer token required'],
	['a wrong token', { ...auth, authorization: 'Bearer wrong' }, [node('worker-1')], 401, 'the bearer token is invalid'],
	['no provider', { authorization: auth.authorization }, [node('worker-1')], 400, 'x-provider-id is required'],
	['an unknown provider', { ...auth, 'x-provider-id': 'other' }, [node('worker-1')], 404, 'no cluster is configured for provider other'],
	['an empty list', auth, [], 400, 'at least one node'],
	['an object instead of a list', auth, node('worker-1'), 400, 'must be a list'],
	['a body with too many nodes', auth, Array(5_001).fill({}), 400, 'at most 5000 are allowed'],
	['a body that is nested too deeply', auth, [deep], 400, 'the body cannot be read: it is nested 102 levels deep'],
	['a body over the limit', auth, 'x'.repeat(5 << 20), 413, 'at most 4194304 bytes'],
])('%s is rejected as a whole', async (...[, headers, payload, status, words]) => {
	const answer = await send(payload, headers)
	expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(words) } } })
	expect(await stored('worker-1')).toBeUndefined()
})

test('a cluster that cannot be reached results in status 503, also for a GET', async () => {
	const headers = { ...auth, 'x-provider-id': 'gone' }
	await expect.poll(() => biz('gone').unavailable()?.code).toBe('CLUSTER_UNREACHABLE')
	expect(await send([node('worker-1'), node('worker-2', null)], headers)).toMatchObject({
		status: 503,
		body: { applied: 0, errors: [{ nodeName: 'worker-1', code: 'ClusterUnreachable' }, { code: 'Invalid' }] },
	})
	const read = await viola.inject({ url: NODE_CONFIGS_PATH, headers })
	expect([read.statusCode, read.headers['retry-after'], read.json()]).toMatchObject([503, '5', { error: { code: 'CLUSTER_UNREACHABLE' } }])
})

test('before the node configs have been read, no request is answered from memory', async () => {
	const slow = openCluster({ providerId: 'biz', namespace, credentials, log: createLog('viola', { level: 'silent' }) })
	onTestFinished(() => slow.close())
	const app = createViola({
		auth: createAuth({ token: () => token }),
		clusterOf: async () => slow,
		log: createLog('viola', { level: 'silent' }),
	})
	// the list of a cluster that was opened in this turn cannot have been answered
	const unsynced = await app.inject({ url: NODE_CONFIGS_PATH, headers: auth })
	const isSynced = slow.isSynced()
	expect([isSynced, unsynced.statusCode, unsynced.headers['retry-after']]).toEqual([false, 503, '5'])
})

test('the owner is stored, kept by a POST without an owner, and changed without a new generation', async () => {
	const owner = { namespace: 'team', name: 'cloud', uid: '6f1e1c8e-0001' }
	await send([node('worker-1', [nic], { owner })])
	const at = () => stored('worker-1').then(object => object?.metadata)
	expect(JSON.parse((await at())?.annotations?.[ANNOTATION_OWNER] ?? '')).toEqual(owner)
	await send([node('worker-1', [{ ...nic, mtu: 9000 }])])
	expect([(await at())?.annotations?.[ANNOTATION_OWNER], (await at())?.generation]).toEqual([JSON.stringify(owner), 2])
	const before = client.requests()
	expect((await send([node('worker-1', [{ ...nic, mtu: 9000 }], { owner: { ...owner, name: 'other' } })])).body.results).toEqual([
		{ nodeName: 'worker-1', status: 'updated', generation: 2 },
	])
	expect(client.requests()).toEqual(before)
	const { body } = await send([node('worker-1', [{ ...nic, mtu: 9000 }], { owner: { ...owner, name: 'other' } })])
	expect(body.results).toMatchObject([{ status: 'unchanged' }])
	const one = await viola.inject({ url: `${NODE_CONFIGS_PATH}/worker-1`, headers: auth })
	expect(one.json()).toMatchObject({ owner: { name: 'other' } })
})

test('a dry run returns what would be done, is validated by the API server, and writes nothing', async () => {
	await send([node('worker-1'), node('worker-2')])
	const before = (await client.list(NodeConfigKind, { namespace })).items
	const dry = await send([node('worker-1', []), node('worker-2'), node('worker-3')], auth, '?dryRun=true')
	expect(dry).toEqual({
		status: 200,
		body: {
			applied: 3,
			results: [
				{ nodeName: 'worker-1', status: 'updated', generation: 2 },
				{ nodeName: 'worker-2', status: 'unchanged', generation: 1 },
				{ nodeName: 'worker-3', status: 'created', generation: 1 },
			],
			errors: [],
			dryRun: true,
		},
	})
	expect((await client.list(NodeConfigKind, { namespace })).items).toEqual(before)
	expect(biz().entries.get('worker-3')).toBeUndefined()
	expect((await send([node('worker-1')])).body.results).toMatchObject([{ status: 'unchanged' }])
})

test('a node config that is deleted by hand is created again, also if viola has not seen the deletion', async () => {
	await send([node('worker-1'), node('worker-2')])
	for (const name of ['worker-1', 'worker-2']) {
		await client.patch(NodeConfigKind, { namespace, name }, { metadata: { finalizers: null } })
		await client.delete(NodeConfigKind, { namespace, name })
	}
	// a patch of an object that no longer exists
	expect((await send([node('worker-1', [])])).body.results).toMatchObject([{ status: 'created' }])
	await expect.poll(() => biz().entries.get('worker-2')).toBeUndefined()
	expect((await send([node('worker-2')])).body.results).toMatchObject([{ status: 'created' }])
})

test('a node config is created again directly after its deletion', async () => {
	for (let turn = 0; turn < 20; turn++) {
		await send([node('worker-1')])
		await client.patch(NodeConfigKind, { namespace, name: 'worker-1' }, { metadata: { finalizers: null } })
		const deleted = await viola.inject({ method: 'DELETE', url: `${NODE_CONFIGS_PATH}/worker-1`, headers: auth })
		expect(deleted.json()).toMatchObject({ status: 'deleted' })
		expect((await viola.inject({ url: `${NODE_CONFIGS_PATH}/worker-1`, headers: auth })).statusCode).toBe(404)
		expect((await send([node('worker-1')])).body.results).toMatchObject([{ status: 'created' }])
	}
})

test('a POST that is repeated finds what it has written unchanged', async () => {
	const samples = fc.sample(anyNode, 60).map((entry, at) => ({ ...entry, nodeName: `any-${at}` }))
	const first = await send(samples)
	expect(first.body.errors).toEqual([])
	expect(await send(samples)).toMatchObject({ status: 200, body: { results: samples.map(() => ({ status: 'unchanged' })) } })
	// also as the API server lists them to a viola that has just started
	const fresh = openCluster({ providerId: 'biz', namespace, credentials, log: createLog('viola', { level: 'silent' }) })
	onTestFinished(() => fresh.close())
	await expect.poll(() => fresh.isSynced()).toBe(true)
	expect([...fresh.entries.values()].map(({ nodeName, digest }) => [nodeName, digest]).toSorted()).toEqual(
		[...biz().entries.values()].map(({ nodeName, digest }) => [nodeName, digest]).toSorted(),
	)
})

const anyNic = fc.record(
	{
		mtu: fc.integer({ min: 68, max: 65_535 }),
		address: fc.integer({ min: 1, max: 254 }).map(last => `10.0.0.${last}`),
		addresses: fc.array(fc.constantFrom('10.9.0.7/24', 'fd00::7/64'), { maxLength: 2 }),
		routes: fc.array(fc.record({ to: fc.constant('10.7.0.0/16'), metric: fc.nat(100) }, { requiredKeys: ['to'] }), { maxLength: 2 }),
		policyRouting: fc.boolean(),
		portId: fc.constantFrom('port-1', ''),
	},
	{ requiredKeys: [] },
)
const anyNode = fc.record(
	{
		instanceId: fc.constantFrom('vm-1', ''),
		interfaces: fc
			.array(anyNic, { maxLength: 10 })
			.map(nics =>
				nics.map((more, id) => ({ ...more, ...(more.address && { cidr: '10.0.0.0/24' }), id, macAddress: `fa:16:3e:00:00:0${id}` })),
			),
	},
	{ requiredKeys: ['interfaces'] },
)
