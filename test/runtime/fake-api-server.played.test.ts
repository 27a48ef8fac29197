import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { codeOf } from '../../runtime/errors.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/kind.ts'
import { ConfigMap, CustomResourceDefinition, Job, Pod } from '../../runtime/kube/kinds.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import type { Fault } from './fake-api-server/faults.ts'
import { type FakeApiServer, type FakeApiServerOptions, startFakeApiServer } from './fake-api-server/server.ts'
import { anyTrouble, inTurn, leaderChanged, storageFull, tooManyRequests, unavailable } from './fake-api-server/trouble.ts'
import { type ApiUnderTest, controllerManagerConformance, kubeConformance } from './kube-conformance.ts'
import { manualTime } from './manual-time.ts'

describe('the fake API server behaves like the real one', () => {
	let server: FakeApiServer
	let api: ApiUnderTest
	beforeAll(async () => {
		server = await startFakeApiServer()
		api = { credentials: server.credentials, client: new KubeClient(server.credentials, { fieldManager: 'test' }) }
	})
	afterAll(async () => {
		await api?.client.close()
		await server?.stop()
	})
	kubeConformance(() => api)
	controllerManagerConformance(() => api)
})

const log = createLog('test', { level: 'silent' })
const namespace = 'default'
const at = { namespace, name: 'a' }

async function start(options: FakeApiServerOptions = {}) {
	const server = await startFakeApiServer(options)
	const client = new KubeClient(server.credentials, { fieldManager: 'test', retryForMs: 0 })
	onTestFinished(async () => {
		await client.close()
		await server.stop()
	})
	return { server, client }
}

function put(server: FakeApiServer, ...names: string[]): void {
	for (const name of names) server.objects.create(ConfigMap, { metadata: { namespace, name } })
}

const names = (server: FakeApiServer) => server.objects.list(ConfigMap, namespace).map(({ metadata }) => metadata.name)

describe('faults of the fake API server', () => {
	test.each<[title: string, fault: Fault, failure: object, done: string[]]>([
		[
			'a response without processing the request',
			{
				fault: 'answer',
				status: 429,
				retryAfterSeconds: 7,
				body: { kind: 'Status', message: 'too many requests, please try again later' },
			},
			{ code: 'TOO_MANY_REQUESTS', message: 'too many requests, please try again later', facts: { retryAfterMs: 7_000 } },
			[],
		],
		['an HTML page from a proxy', { fault: 'answer', status: 502, body: '<h1>Bad Gateway</h1>' }, { code: 'SERVER_ERROR' }, []],
		[
			'a connection reset before the request is processed',
			{ fault: 'reset', when: 'before' },
			{ code: 'UNREACHABLE', facts: { stale: true } },
			[],
		],
		[
			'a connection reset after the request is processed',
			{ fault: 'reset', when: 'after' },
			{ code: 'UNREACHABLE', facts: { stale: true } },
			['a'],
		],
	])('%s', async (_, fault, failure, done) => {
		const { server, client } = await start()
		server.onRequest(({ verb }) => (verb === 'create' ? fault : undefined))
		await expect(client.create(ConfigMap, { metadata: at })).rejects.toMatchObject(failure)
		expect(names(server)).toEqual(done)
	})

	test('a delay affects only its own request', async () => {
		const { server, client } = await start()
		put(server, 'a')
		const gate = Promise.withResolvers<void>()
		server.onRequest(({ verb }) => (verb === 'list' ? { fault: 'delay', until: gate.promise } : undefined))
		const listing = client.list(ConfigMap, { namespace })
		await client.create(ConfigMap, { metadata: { namespace, name: 'b' } })
		gate.resolve()
		expect((await listing).items.length).toBe(2)
	})

	test('a hook can write objects before the request is processed, as a faster client would', async () => {
		const { server, client } = await start()
		put(server, 'a')
		const old = await client.get(ConfigMap, at)
		server.onRequest(({ verb }) => void (verb === 'update' && server.objects.patch(ConfigMap, at, { data: { by: 'another' } })))
		await expect(client.replace(ConfigMap, old)).rejects.toMatchObject({ code: 'CONFLICT' })
	})

	test.each<[title: string, fault: Fault]>([
		['stops sending events', { fault: 'silence', afterLines: 1 }],
		['is cut off in the middle of a line', { fault: 'cut', afterLines: 1 }],
		['is rejected with status 500', { fault: 'answer', status: 500 }],
	])('a reflector opens another watch after one that %s', async (_, fault) => {
		const { server, client } = await start()
		put(server, 'a')
		const faults = [fault]
		server.onRequest(({ verb }) => (verb === 'watch' ? faults.shift() : undefined))
		const end = new AbortController()
		onTestFinished(() => end.abort())
		const options = { client, kind: ConfigMap, namespace, log, signal: end.signal, idleMs: 100, backoff: { firstMs: 1, maxMs: 5 } }
		const { store, synced } = startReflector(options)
		await synced
		await expect.poll(() => server.watches.size).toBeGreaterThan(0)
		put(server, 'b', 'c')
		await expect.poll(() => [...store.keys()]).toEqual(['default/a', 'default/b', 'default/c'])
		expect(server.requests.filter(({ verb }) => verb === 'watch').length).toBeGreaterThanOrEqual(2)
	})

	test('open watches can be made idle, ended and disconnected', async () => {
		const { server, client } = await start()
		const { setTimer, pass } = manualTime()
		const open = async () => {
			const options = { namespace, resourceVersion: String(server.version()), setTimer, signal: new AbortController().signal }
			const next = client.watch(ConfigMap, options).next()
			await expect.poll(() => server.watches.size).toBe(1)
			const [watch] = server.watches
			return { next: next.then(({ done }) => (done ? 'ended' : 'told'), codeOf), watch }
		}
		const silent = await open()
		silent.watch?.silence()
		put(server, 'a')
		pass(90_000)
		expect(await silent.next).toBe('TIMED_OUT')
		await expect.poll(() => server.watches.size).toBe(0)
		const ended = await open()
		ended.watch?.end()
		put(server, 'b')
		expect(await ended.next).toBe('ended')
		await expect.poll(() => server.watches.size).toBe(0)
		const broken = await open()
		broken.watch?.reset()
		expect(await broken.next).toBe('UNREACHABLE')
	})

	test('errors have the messages of the real API server', async () => {
		const { server, client } = await start()
		const told = async (fault: Fault) => {
			server.onRequest(() => fault)
			return client.get(ConfigMap, at).catch(({ code, message }) => `${code} ${message}`)
		}
		const troubles: unknown[] = []
		// 429 comes last, because it delays the whole client
		for (const fault of [storageFull(), leaderChanged(), unavailable(), tooManyRequests()]) troubles.push(await told(fault))
		expect(troubles).toEqual([
			'SERVER_ERROR etcdserver: mvcc: database space exceeded',
			'SERVER_ERROR etcdserver: leader changed',
			'SERVER_ERROR apiserver is shutting down',
			'TOO_MANY_REQUESTS GET /api/v1/namespaces/default/configmaps/a: status 429 Too many requests, please try again later.',
		])
	})

	type Deed = { name: string; deed: 'write' | 'delete' } | { deed: 'compact' | 'disconnect' }
	const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
		{
			weight: 8,
			arbitrary: fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), deed: fc.constantFrom('write' as const, 'delete' as const) }),
		},
		{ weight: 1, arbitrary: fc.record({ deed: fc.constantFrom('compact' as const, 'disconnect' as const) }) },
	)

	test('a reflector ends up with the objects of the server after any faults of its requests', async () => {
		const { server, client } = await start()
		const versions = (all: Iterable<[string, unknown]>) => Object.fromEntries([...all].sort())
		const held = () => versions(server.objects.list(ConfigMap, namespace).map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
		let n = 0
		const act = (deed: Deed) => {
			if (!('name' in deed)) return server[deed.deed]()
			const place = { namespace, name: deed.name }
			const isThere = server.objects.get(ConfigMap, place) !== undefined
			if (deed.deed === 'delete') return isThere && server.objects.delete(ConfigMap, place)
			if (isThere) server.objects.patch(ConfigMap, place, { data: { n: String(++n) } })
			else put(server, deed.name)
		}
		const holds = async (trouble: (Fault | undefined)[], deeds: Deed[]) => {
			server.onRequest(inTurn(trouble))
			const end = new AbortController()
			const seen = new Map<string, unknown>()
			const { store, done } = startReflector({
				...{ client, kind: ConfigMap, namespace, log, signal: end.signal, idleMs: 30, pageSize: 2, backoff: { firstMs: 1, maxMs: 3 } },
				project: ({ metadata }) => metadata.resourceVersion,
				// applying only the changes, in order, must lead to the same result
				onChange: (key, now) => (now === undefined ? seen.delete(key) : seen.set(key, now)),
			})
			for (const deed of deeds) {
				await new Promise(setImmediate)
				act(deed)
			}
			const shown = () => versions([...store.keys()].map(key => [key.split('/')[1] ?? '', store.get(key)]))
			// the timeout is short enough that a counterexample can be shrunk within the timeout of the test
			await expect.poll(shown, { interval: 5, timeout: 20_000 }).toEqual(held())
			expect(versions(seen)).toEqual(versions([...store.keys()].map(key => [key, store.get(key)])))
			end.abort()
			await done
		}
		await fc.assert(fc.asyncProperty(anyTrouble(12), fc.array(anyDeed, { maxLength: 30 }), holds), { numRuns: 60 })
	})

	test('a watch that is canceled during its delay is not opened', async () => {
		const { server, client } = await start()
		const gate = Promise.withResolvers<void>()
		server.onRequest(() => ({ fault: 'delay', until: gate.promise }))
		const end = new AbortController()
		const next = client.watch(ConfigMap, { resourceVersion: String(server.version()), signal: end.signal }).next()
		next.catch(() => {})
		await expect.poll(() => server.requests.length).toBe(1)
		end.abort()
		await expect(next).rejects.toMatchObject({ code: 'STOPPED' })
		server.onRequest(undefined)
		await client.list(ConfigMap)
		gate.resolve()
		await client.list(ConfigMap)
		expect(server.watches.size).toBe(0)
	})

	test('a changed CustomResourceDefinition ends the watches of its kind and keeps the objects', async () => {
		const { server, client } = await start()
		const Widget = defineKind<KubeObject & { spec?: object }>({
			...{ group: 'example.org', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true },
		})
		const schema = (...fields: string[]) => {
			const spec = { type: 'object', properties: Object.fromEntries(fields.map(field => [field, { type: 'integer' }])) }
			return { openAPIV3Schema: { type: 'object', properties: { spec } } }
		}
		const versions = (...fields: string[]) => [{ name: 'v1', served: true, storage: true, schema: schema(...fields) }]
		const name = 'widgets.example.org'
		const names = { plural: 'widgets', kind: 'Widget' }
		const spec = { group: 'example.org', scope: 'Namespaced', names, versions: versions('a') }
		server.objects.create(CustomResourceDefinition, { metadata: { name }, spec })
		expect(server.objects.create(Widget, { metadata: at, spec: { a: 1, b: 1 } }).spec).toEqual({ a: 1 })
		const next = client.watch(Widget, { resourceVersion: String(server.version()), signal: new AbortController().signal }).next()
		await expect.poll(() => server.watches.size).toBe(1)
		server.objects.patch(CustomResourceDefinition, { name }, { spec: { versions: versions('a', 'b') } })
		expect(server.objects.patch(Widget, at, { spec: { b: 1 } }).spec).toEqual({ a: 1, b: 1 })
		expect(await next).toMatchObject({ done: true })
		server.objects.delete(CustomResourceDefinition, { name })
		await expect(client.get(Widget, at)).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})

	test('a server that stops and starts again keeps its objects', async () => {
		const { server, client } = await start()
		put(server, 'a')
		const watching = client.watch(ConfigMap, { resourceVersion: String(server.version()), signal: new AbortController().signal }).next()
		watching.catch(() => {})
		await expect.poll(() => server.watches.size).toBe(1)
		await server.down()
		await expect(watching).rejects.toMatchObject({ code: 'UNREACHABLE' })
		await expect(client.get(ConfigMap, at)).rejects.toMatchObject({ code: 'UNREACHABLE' })
		await server.up()
		expect((await client.get(ConfigMap, at)).metadata.name).toBe('a')
	})
})

describe('history of the fake API server', () => {
	test.each(['event', 'status'] as const)('a watch from a compacted version is rejected by %s', async expiredWatch => {
		const { server, client } = await start({ expiredWatch })
		put(server, 'a')
		const resourceVersion = String(server.version())
		put(server, 'b')
		server.compact()
		const { signal } = new AbortController()
		const refused = { code: 'EXPIRED', message: expect.stringMatching(/^too old resource version: \d+ \(\d+\)$/) }
		await expect(client.watch(ConfigMap, { resourceVersion, signal }).next()).rejects.toMatchObject(refused)
		const next = client.watch(ConfigMap, { resourceVersion: String(server.version()), signal }).next()
		await expect.poll(() => server.watches.size).toBe(1)
		put(server, 'c')
		expect(await next).toMatchObject({ value: { type: 'ADDED', object: { metadata: { name: 'c' } } } })
	})

	test('a page of a compacted version is rejected', async () => {
		const { server, client } = await start()
		put(server, 'a', 'b', 'c')
		const pages = client.pages(ConfigMap, { limit: 1 })
		await pages.next()
		server.compact()
		await expect(pages.next()).rejects.toMatchObject({ code: 'EXPIRED', message: expect.stringContaining('continue parameter is too old') })
	})

	test('only a limited number of changes is kept', async () => {
		const { server, client } = await start({ historySize: 10 })
		const { signal } = new AbortController()
		const from = (version: number) => client.watch(ConfigMap, { resourceVersion: String(version), signal }).next()
		const first = server.version()
		for (let n = 0; n < 100; n++) put(server, `n${n}`)
		await expect(from(first)).rejects.toMatchObject({ code: 'EXPIRED' })
		expect(await from(server.version() - 10)).toMatchObject({ value: { object: { metadata: { name: 'n90' } } } })
	})

	test('a request for a future resource version times out', async () => {
		const { server, client } = await start()
		const query = { resourceVersion: server.version() + 1 }
		const listing = client.raw({ method: 'GET', path: '/api/v1/configmaps', query })
		await expect(listing).rejects.toMatchObject({ code: 'TIMED_OUT', message: expect.stringContaining('Too large resource version') })
	})
})

describe('options of the fake API server', () => {
	test('a server without streaming lists rejects them like an older API server', async () => {
		const { client } = await start({ watchList: false })
		const query = { watch: true, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }
		const refused = { code: 'INVALID', message: expect.stringContaining('sendInitialEvents is forbidden for watch') }
		await expect(client.raw({ method: 'GET', path: '/api/v1/configmaps', query })).rejects.toMatchObject(refused)
	})

	test('bookmarks and the timeout of a watch use the timer from the options', async () => {
		const time = manualTime()
		const { server, client } = await start({ setTimer: time.setTimer })
		put(server, 'a')
		const version = String(server.version())
		const options = { resourceVersion: version, timeoutSeconds: 100, signal: new AbortController().signal }
		const watch = client.watch(ConfigMap, options)
		const first = watch.next()
		await expect.poll(() => server.watches.size).toBe(1)
		time.pass(60_000)
		expect(await first).toMatchObject({ value: { type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } } })
		time.pass(38_000)
		expect(await watch.next()).toMatchObject({ value: { type: 'BOOKMARK' } })
		time.pass(2_000)
		expect(await watch.next()).toMatchObject({ done: true })
		await expect.poll(() => time.waiting()).toBe(0)
	})

	test('timestamps in metadata use the clock from the options', async () => {
		const { server } = await start({ now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) })
		put(server, 'a')
		expect(server.objects.get(ConfigMap, at)?.metadata.creationTimestamp).toBe('2026-01-02T03:04:05Z')
	})

	test('the option `allows` decides what each user may do, and the log shows the user of each request', async () => {
		const { server } = await start({ allows: (user, { verb }) => user === 'reader' && verb === 'get' })
		put(server, 'a')
		const client = new KubeClient(server.credentialsOf('reader'), { fieldManager: 'it', userAgent: 'reading/1' })
		onTestFinished(() => client.close())
		await client.get(ConfigMap, at)
		const words = 'User "reader" cannot delete resource "configmaps" in API group "" in the namespace "default"'
		await expect(client.delete(ConfigMap, at)).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining(words) })
		await expect.poll(() => server.requests.map(({ status }) => status)).toEqual([200, 403])
		expect(server.requests.map(({ verb, user, userAgent, name }) => [verb, user, userAgent, name])).toEqual([
			['get', 'reader', 'reading/1', 'a'],
			['delete', 'reader', 'reading/1', 'a'],
		])
	})

	test('a kind with its own validation rejects invalid objects, and names each invalid field', async () => {
		const Widget = defineKind<KubeObject & { spec: { size: number } }>({
			...{ group: 'example.org', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true },
		})
		const validate = (object: unknown) => {
			const { size } = (object as { spec: { size: number } }).spec
			return size < 9 ? [] : [{ field: 'spec.size', message: `Invalid value: ${size}: must be below 9` }]
		}
		const { server, client } = await start({ kinds: [{ ...Widget, validate }] })
		server.objects.create(Widget, { metadata: at, spec: { size: 1 } })
		await expect(client.patch(Widget, at, { spec: { size: 10 } })).rejects.toMatchObject({
			code: 'INVALID',
			message: 'Widget.example.org "a" is invalid: spec.size: Invalid value: 10: must be below 9',
			facts: { causes: [{ field: 'spec.size', message: 'Invalid value: 10: must be below 9' }] },
		})
	})

	test('a pod on a node is removed when its node confirms, and the generation of a Job increases with changes of its spec', async () => {
		const { server, client } = await start()
		server.objects.create(Pod, { metadata: at, spec: { nodeName: 'n', containers: [] } })
		await client.delete(Pod, at)
		expect((await client.get(Pod, at)).metadata).toHaveProperty('deletionTimestamp')
		await client.delete(Pod, at, { graceSeconds: 0 })
		expect(await client.find(Pod, at)).toBeUndefined()
		const job = server.objects.create(Job, { metadata: at })
		await client.patchStatus(Job, at, { active: 1 })
		expect([job.metadata.generation, (await client.get(Job, at)).metadata.generation]).toEqual([1, 1])
	})

	test('ten thousand objects created concurrently are all listed, in order, and all reported by a watch', async () => {
		const { server, client } = await start()
		const end = new AbortController()
		onTestFinished(() => end.abort())
		const { store, synced } = startReflector({ client, kind: ConfigMap, namespace, project: () => true, log, signal: end.signal })
		await synced
		const wanted = Array.from({ length: 10_000 }, (_, n) => `n${String(n).padStart(5, '0')}`)
		put(server, ...wanted)
		await expect.poll(() => store.size).toBe(10_000)
		expect((await client.list(ConfigMap, { namespace })).items.map(({ metadata }) => metadata.name)).toEqual(wanted)
	})
})
