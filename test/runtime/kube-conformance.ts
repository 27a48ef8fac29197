import { describe, expect, onTestFinished, test } from 'vitest'
import { codeOf } from '../../runtime/errors.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/kind.ts'
import { ConfigMap, CustomResourceDefinition, Lease, Namespace, Node } from '../../runtime/kube/kinds.ts'
import { leadWhileElected } from '../../runtime/kube/leader-election.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { type ApiUnderTest, configMap, freshName, freshNamespace } from './kube-conformance/case.ts'
import { customResourceCases } from './kube-conformance/custom-resources.ts'
import { garbageCases } from './kube-conformance/garbage.ts'
import { protobufCases, selectionCases, streamedListCases } from './kube-conformance/watches.ts'
import { writeCases } from './kube-conformance/writes.ts'

export type { ApiUnderTest } from './kube-conformance/case.ts'

const Widget = defineKind({ group: 'test.example.org', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true })
const widgets = {
	metadata: { name: 'widgets.test.example.org' },
	spec: {
		group: Widget.group,
		scope: 'Namespaced',
		names: { plural: Widget.plural, kind: Widget.kind },
		versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
	},
}

const log = createLog('test', { level: 'silent' })
/**
 * The behavior of an API server that the rest of this repository relies on. Every replacement of a real API server in a test must also pass
 * these cases.
 */
export function kubeConformance(api: () => ApiUnderTest): void {
	describe('objects', () => objectCases(api))
	describe('writes', () => writeCases(api))
	describe('custom resources', () => customResourceCases(api))
	describe('refusals', () => refusalCases(api))
	describe('lists and watches', () => watchCases(api))
	describe('selections', () => selectionCases(api))
	describe('a watch in protobuf', () => protobufCases(api))
	describe('streamed lists', () => streamedListCases(api))
	describe('a reflector', () => reflectorCases(api))
	describe('a lease', () => leaseCases(api))
}

/** The behavior that a controller manager adds. It also creates a ConfigMap in every namespace, so the cases above run without it. */
export function controllerManagerConformance(api: () => ApiUnderTest): void {
	describe('garbage', () => garbageCases(api))
}

function objectCases(api: () => ApiUnderTest): void {
	test('are created, read, replaced, patched and deleted', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const at = { namespace, name: 'a' }
		const created = await client.create(ConfigMap, configMap(namespace, 'a', { one: '1', two: '2' }))
		expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { one: '1', two: '2' } })
		expect(await client.get(ConfigMap, at)).toEqual(created)
		const patched = await client.patch(ConfigMap, at, { data: { two: null, three: '3' } })
		expect(patched.data).toEqual({ one: '1', three: '3' })
		await expect(client.replace(ConfigMap, { ...created, data: {} })).rejects.toMatchObject({ code: 'CONFLICT', retry: true })
		expect((await client.replace(ConfigMap, { ...patched, data: { four: '4' } })).data).toEqual({ four: '4' })
		expect(await client.delete(ConfigMap, at)).toBe(true)
		expect(await client.delete(ConfigMap, at)).toBe(false)
		expect(await client.find(ConfigMap, at)).toBeUndefined()
	})

	test('have timestamps of type string', async () => {
		const namespace = await freshNamespace(api())
		const { metadata } = await api().client.create(ConfigMap, configMap(namespace, 'a'))
		expect(metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
	})

	test('are not changed by a patch of the status subresource, and a patch of the object does not change the status', async () => {
		const { client } = api()
		const at = { name: freshName() }
		await client.create(Node, { metadata: at })
		onTestFinished(async () => void (await client.delete(Node, at)))
		const capacity = { 'example.org/nic': '3' }
		expect((await client.patchStatus(Node, at, { capacity })).status?.capacity).toEqual(capacity)
		expect(
			(await client.patch(Node, at, { metadata: { labels: { a: 'b' } }, status: { capacity: { 'example.org/nic': '4' } } })).status
				?.capacity,
		).toEqual(capacity)
	})

	test('applied again lose the fields that are no longer applied', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		await client.apply(ConfigMap, configMap(namespace, 'a', { one: '1', two: '2' }))
		expect((await client.apply(ConfigMap, configMap(namespace, 'a', { one: '1' }))).data).toEqual({ one: '1' })
	})

	test('applied by two field managers conflict, and the error names the first one; with force, the second one wins', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		await client.apply(ConfigMap, configMap(namespace, 'a', { one: 'first' }), { fieldManager: 'the-first' })
		const second = configMap(namespace, 'a', { one: 'second' })
		const refused = client.apply(ConfigMap, second, { fieldManager: 'the-second', force: false })
		await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('the-first') })
		expect((await client.apply(ConfigMap, second, { fieldManager: 'the-second' })).data).toEqual({ one: 'second' })
	})

	test('are only deleted if they match the preconditions', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const { metadata } = await client.create(ConfigMap, configMap(namespace, 'a'))
		const at = { namespace, name: 'a' }
		const uid = metadata.uid.replaceAll(/[0-9a-f]/g, '0')
		await expect(client.delete(ConfigMap, at, { uid })).rejects.toMatchObject({ code: 'CONFLICT' })
		await expect(client.delete(ConfigMap, at, { resourceVersion: '1' })).rejects.toMatchObject({ code: 'CONFLICT' })
		expect(await client.delete(ConfigMap, at, { uid: metadata.uid, resourceVersion: metadata.resourceVersion })).toBe(true)
	})

	test('are not stored by a dry run', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		expect((await client.create(ConfigMap, configMap(namespace, 'a'), { dryRun: true })).metadata.uid).toBeTruthy()
		expect(await client.find(ConfigMap, { namespace, name: 'a' })).toBeUndefined()
	})
}

function refusalCases(api: () => ApiUnderTest): void {
	const at = { namespace: 'default', name: 'nobody-made-this' }
	test.each<[title: string, act: (client: KubeClient) => Promise<unknown>, failure: object]>([
		[
			'an object that does not exist',
			client => client.get(ConfigMap, at),
			{ code: 'NOT_FOUND', message: 'configmaps "nobody-made-this" not found' },
		],
		[
			'a name that already exists',
			client => client.create(Namespace, { metadata: { name: 'default' } }),
			{ code: 'ALREADY_EXISTS', message: 'namespaces "default" already exists' },
		],
		[
			'an invalid name',
			client => client.create(ConfigMap, configMap('default', 'Not_A_Name')),
			{ code: 'INVALID', retry: false, facts: { causes: [expect.objectContaining({ field: 'metadata.name' })] } },
		],
		[
			'an unknown field',
			client => client.create(ConfigMap, { ...configMap('default', 'x'), dtaa: {} } as KubeObject as ConfigMap),
			{ code: 'BAD_REQUEST', retry: false, message: expect.stringContaining('unknown field "dtaa"') },
		],
		['a path that is not served', client => client.raw({ method: 'GET', path: '/apis/nobody.example/v1/things' }), { code: 'NOT_FOUND' }],
	])('%s is rejected', async (_, act, failure) => {
		await expect(act(api().client)).rejects.toMatchObject(failure)
	})

	test('an invalid token is rejected, and a valid one after it is accepted', async () => {
		const { credentials } = api()
		const told: boolean[] = []
		const headers = async (refused: boolean) => {
			told.push(refused)
			return refused ? credentials.headers(false) : { authorization: 'Bearer of-nothing' }
		}
		const client = new KubeClient({ ...credentials, headers }, { fieldManager: 'test' })
		onTestFinished(() => client.close())
		expect(await client.raw({ method: 'GET', path: '/version' })).toMatchObject({ major: '1' })
		expect(told).toEqual([false, true])
		const never = new KubeClient(
			{ ...credentials, headers: async () => ({ authorization: 'Bearer of-nothing' }) },
			{ fieldManager: 'test' },
		)
		onTestFinished(() => never.close())
		await expect(never.list(ConfigMap)).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: 'Unauthorized' })
	})

	test('a user without permissions is rejected', async () => {
		const { credentials } = api()
		const identity = { 'impersonate-user': 'nobody-in-particular' }
		const client = new KubeClient(
			{ ...credentials, headers: async refused => ({ ...(await credentials.headers(refused)), ...identity }) },
			{ fieldManager: 'test' },
		)
		onTestFinished(() => client.close())
		await expect(client.list(ConfigMap)).rejects.toMatchObject({
			code: 'FORBIDDEN',
			message: expect.stringContaining('cannot list resource "configmaps"'),
		})
	})
}

function watchCases(api: () => ApiUnderTest): void {
	test('all pages of a list show the same version, and no object is missing', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
		for (const name of names) await client.create(ConfigMap, configMap(namespace, name))
		const pages = []
		for await (const page of client.pages(ConfigMap, { namespace, limit: 3 })) pages.push(page)
		expect(pages.map(page => page.items.length)).toEqual([3, 3, 1])
		expect(new Set(pages.map(page => page.resourceVersion)).size).toBe(1)
		expect(pages.flatMap(page => page.items).map(item => item.metadata.name)).toEqual(names)
		expect(pages[0]?.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' })
	})

	test('a list contains only the selected objects, or none', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		await client.create(ConfigMap, configMap(namespace, 'a', {}, { color: 'red' }))
		await client.create(ConfigMap, configMap(namespace, 'b', {}, { color: 'blue' }))
		const names = async (selection: object) =>
			(await client.list(ConfigMap, { namespace, ...selection })).items.map(item => item.metadata.name)
		expect(await names({ labelSelector: 'color in (red)' })).toEqual(['a'])
		expect(await names({ fieldSelector: 'metadata.name=b' })).toEqual(['b'])
		expect(await names({ labelSelector: 'color=green' })).toEqual([])
	})

	test('a watch reports the changes since the list in order, sends bookmarks, and ends after its timeout', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const { resourceVersion } = await client.list(ConfigMap, { namespace })
		const at = { namespace, name: 'a' }
		await client.create(ConfigMap, configMap(namespace, 'a', { n: '1' }))
		await client.patch(ConfigMap, at, { data: { n: '2' } })
		await client.delete(ConfigMap, at)
		const told = []
		const watch = client.watch(ConfigMap, { namespace, resourceVersion, timeoutSeconds: 5, signal: new AbortController().signal })
		for await (const event of watch) {
			told.push(event)
			// written in another namespace, so that there is a newer version to report
			if (event.type === 'DELETED') await client.create(ConfigMap, configMap('default', namespace))
		}
		const events = told.filter(event => event.type !== 'BOOKMARK')
		expect(events.map(event => `${event.type} ${event.object.data?.n}`)).toEqual(['ADDED 1', 'MODIFIED 2', 'DELETED 2'])
		expect(told.at(-1)).toMatchObject({ type: 'BOOKMARK', object: { metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } } })
	})

	test('a watch from a version that is too old is rejected', async () => {
		const { client } = api()
		await client.create(CustomResourceDefinition, widgets)
		onTestFinished(async () => void (await client.delete(CustomResourceDefinition, widgets.metadata)))
		await expect.poll(() => client.list(Widget).then(({ items }) => items, codeOf)).toEqual([])
		const watched = () => client.watch(Widget, { resourceVersion: '1', signal: new AbortController().signal }).next()
		const refused = () => watched().catch((error: Error) => `${codeOf(error)}: ${error.message}`)
		// after a kind's definition has changed, a server needs time to serve it again, and tells clients to retry in the meantime
		await expect.poll(refused).toMatch(/^EXPIRED: .*too old resource version/)
	})

	test('a watch ends when it is canceled', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const { resourceVersion } = await client.list(ConfigMap, { namespace })
		const end = new AbortController()
		const next = client.watch(ConfigMap, { namespace, resourceVersion, signal: end.signal }).next()
		end.abort()
		await expect(next).rejects.toMatchObject({ code: 'STOPPED' })
	})
}

function reflectorCases(api: () => ApiUnderTest): void {
	test('contains the projected objects and follows later changes', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		for (const name of ['a', 'b', 'c']) await client.create(ConfigMap, configMap(namespace, name, { n: '1' }))
		const end = new AbortController()
		const told: string[] = []
		const { store, synced, done, counts } = startReflector({
			client,
			kind: ConfigMap,
			namespace,
			project: object => object.data?.n,
			onChange: (key, now, before) => told.push(`${key.split('/')[1]}: ${before} to ${now}`),
			log,
			signal: end.signal,
			pageSize: 2,
		})
		await synced
		expect([...store.keys()]).toEqual(['a', 'b', 'c'].map(name => `${namespace}/${name}`))
		await client.patch(ConfigMap, { namespace, name: 'a' }, { data: { n: '2' } })
		await client.delete(ConfigMap, { namespace, name: 'b' })
		await client.create(ConfigMap, configMap(namespace, 'd', { n: '9' }))
		await expect.poll(() => told.length).toBe(6)
		expect(told).toEqual([
			'a: undefined to 1',
			'b: undefined to 1',
			'c: undefined to 1',
			'a: 1 to 2',
			'b: 1 to undefined',
			'd: undefined to 9',
		])
		expect([...store.values()]).toEqual(['2', '1', '9'])
		end.abort()
		await done
		expect(counts).toMatchObject({ lists: 1, failures: 0 })
	})

	test('removes objects that no longer match its selector, and keeps no managedFields', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		await client.create(ConfigMap, configMap(namespace, 'a', {}, { mine: 'yes' }))
		const end = new AbortController()
		onTestFinished(() => end.abort())
		const { store, synced } = startReflector({ client, kind: ConfigMap, labelSelector: 'mine=yes', namespace, log, signal: end.signal })
		await synced
		expect(store.get(`${namespace}/a`)?.metadata).not.toHaveProperty('managedFields')
		await client.patch(ConfigMap, { namespace, name: 'a' }, { metadata: { labels: { mine: 'no' } } })
		await expect.poll(() => store.size).toBe(0)
	})

	test('ends up equal to the server after many concurrent writes', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const end = new AbortController()
		onTestFinished(() => end.abort())
		const { store, synced } = startReflector({
			client,
			kind: ConfigMap,
			namespace,
			project: object => object.metadata.resourceVersion,
			log,
			signal: end.signal,
		})
		await synced
		const write = async (name: string) => {
			for (let turn = 0; turn < 6; turn++) {
				await client.apply(ConfigMap, configMap(namespace, name, { turn: String(turn) }))
				if (turn % 3 === 2) await client.delete(ConfigMap, { namespace, name })
			}
			if (name > 'n4') await client.create(ConfigMap, configMap(namespace, name))
		}
		await Promise.all(Array.from({ length: 8 }, (_, n) => write(`n${n}`)))
		const { items } = await client.list(ConfigMap, { namespace })
		const wanted = items.map(item => [`${namespace}/${item.metadata.name}`, item.metadata.resourceVersion])
		expect(wanted.length).toBe(3)
		await expect.poll(() => [...store.keys()].sort().map(key => [key, store.get(key)])).toEqual(wanted)
	})
}

function leaseCases(api: () => ApiUnderTest): void {
	const patient = { leaseMs: 15_000, renewMs: 10_000, retryMs: 200 }
	/** Starts a candidate, and records in `leading` when its term begins and ends. */
	function candidate(identity: string, at: { namespace: string; name: string }, leading: string[], times = patient) {
		const end = new AbortController()
		const ended = leadWhileElected({ client: api().client, at, identity, log, signal: end.signal, times }, async signal => {
			leading.push(`${identity} begins`)
			await new Promise(resolve => signal.addEventListener('abort', resolve))
			leading.push(`${identity} ends`)
		})
		onTestFinished(() => end.abort())
		return { stop: () => end.abort(), ended }
	}

	test('has one holder, and another one as soon as it is released', async () => {
		const at = { namespace: await freshNamespace(api()), name: 'lead' }
		const leading: string[] = []
		const first = candidate('first', at, leading)
		await expect.poll(() => leading).toEqual(['first begins'])
		const second = candidate('second', at, leading)
		const { resourceVersion } = (await api().client.get(Lease, at)).metadata
		await expect.poll(async () => (await api().client.get(Lease, at)).metadata.resourceVersion).not.toBe(resourceVersion)
		expect(leading).toEqual(['first begins'])
		first.stop()
		expect(await first.ended).toEqual({ lost: false })
		await expect.poll(() => leading).toEqual(['first begins', 'first ends', 'second begins'])
		second.stop()
		await second.ended
		expect((await api().client.get(Lease, at)).spec).toMatchObject({ holderIdentity: '', leaseTransitions: 1 })
	})

	test('that another holder has acquired is lost', async () => {
		const at = { namespace: await freshNamespace(api()), name: 'lead' }
		const leading: string[] = []
		const { ended } = candidate('first', at, leading)
		await expect.poll(() => leading).toEqual(['first begins'])
		await api().client.patch(Lease, at, { spec: { holderIdentity: 'thief' } })
		expect(await ended).toEqual({ lost: true })
		expect((await api().client.get(Lease, at)).spec?.holderIdentity).toBe('thief')
	})

	test('that its holder does not renew is acquired by another one after it expires', async () => {
		const at = { namespace: await freshNamespace(api()), name: 'lead' }
		const spec = { holderIdentity: 'crashed', leaseDurationSeconds: 1, leaseTransitions: 7 }
		await api().client.create(Lease, { metadata: at, spec })
		const leading: string[] = []
		candidate('next', at, leading, { leaseMs: 2_000, renewMs: 1_500, retryMs: 200 })
		await expect.poll(() => leading).toEqual(['next begins'])
		expect((await api().client.get(Lease, at)).spec?.leaseTransitions).toBe(8)
	})
}
