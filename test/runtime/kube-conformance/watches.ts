import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../../../runtime/errors.ts'
import { annotations, labels, object } from '../../../runtime/kube/envelope.ts'
import { map, type Message } from '../../../runtime/kube/protobuf.ts'
import type { WatchEvent } from '../../../runtime/kube/watch.ts'
import { ConfigMap } from '../../../runtime/kube/kinds.ts'
import { type ApiUnderTest, configMap, freshName, freshNamespace, rawWatch } from './case.ts'

/** Tests which objects of a kind are selected, and in which order. */
export function selectionCases(api: () => ApiUnderTest): void {
	test.each([
		['color=red', ['a']],
		['color==red', ['a']],
		['color!=red', ['b', 'c']],
		['color in (red, blue)', ['a', 'b']],
		['color notin (red)', ['b', 'c']],
		['color', ['a', 'b']],
		['!color', ['c']],
		['color,size notin (small,large)', ['b']],
	])('the label selector %s selects the matching objects', async (labelSelector, names) => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		await client.create(ConfigMap, configMap(namespace, 'a', {}, { color: 'red', size: 'small' }))
		await client.create(ConfigMap, configMap(namespace, 'b', {}, { color: 'blue' }))
		await client.create(ConfigMap, configMap(namespace, 'c'))
		const { items } = await client.list(ConfigMap, { namespace, labelSelector })
		expect(items.map(({ metadata }) => metadata.name)).toEqual(names)
	})

	test.each([{ labelSelector: 'color in red' }, { fieldSelector: 'data.one=1' }])('%o is rejected as a selection', async selection => {
		await expect(api().client.list(ConfigMap, { namespace: 'default', ...selection })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
	})

	test('a watch with a selector reports an object that begins to match as ADDED, and one that no longer matches as DELETED in its last matching state', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const at = { namespace, name: 'a' }
		const { resourceVersion } = (await client.create(ConfigMap, configMap(namespace, 'a', { n: '1' }))).metadata
		const paint = (color: string | null, n: string) => client.patch(ConfigMap, at, { metadata: { labels: { color } }, data: { n } })
		await paint('red', '2')
		await paint('red', '3')
		const left = await paint('blue', '4')
		await paint(null, '5')
		await paint('red', '6')
		await client.delete(ConfigMap, at)
		const told = await first(5, client.watch(ConfigMap, { ...at, labelSelector: 'color=red', resourceVersion, signal }))
		expect(told.map(({ type, object }) => `${type} ${object.data?.n} ${object.metadata.labels?.color}`)).toEqual([
			'ADDED 2 red',
			'MODIFIED 3 red',
			'DELETED 3 red',
			'ADDED 6 red',
			'DELETED 6 red',
		])
		expect(told[2]?.object.metadata.resourceVersion).toBe(left.metadata.resourceVersion)
	})

	test('a watch of a single name reports no other object', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const { resourceVersion } = await client.list(ConfigMap, { namespace })
		for (const name of ['a', 'b', 'c']) await client.create(ConfigMap, configMap(namespace, name))
		const told = await first(1, client.watch(ConfigMap, { namespace, fieldSelector: 'metadata.name=b', resourceVersion, signal }))
		expect(told.map(({ object }) => object.metadata.name)).toEqual(['b'])
	})

	test('a watch from the version of a write reports only later changes', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		await client.create(ConfigMap, configMap(namespace, 'a'))
		const { resourceVersion } = (await client.create(ConfigMap, configMap(namespace, 'b'))).metadata
		await client.create(ConfigMap, configMap(namespace, 'c'))
		const told = await first(1, client.watch(ConfigMap, { namespace, resourceVersion, signal }))
		expect(told.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED c'])
	})

	test('later pages show the version of the first page, regardless of writes in between', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		for (const name of ['a', 'b', 'c', 'd', 'e']) await client.create(ConfigMap, configMap(namespace, name, { n: '1' }))
		const shown: string[] = []
		const versions = new Set<string>()
		for await (const page of client.pages(ConfigMap, { namespace, limit: 2 })) {
			versions.add(page.resourceVersion)
			for (const { metadata, data } of page.items) shown.push(`${metadata.name} ${data?.n}`)
			if (shown.length > 2) continue
			await client.delete(ConfigMap, { namespace, name: 'a' })
			await client.delete(ConfigMap, { namespace, name: 'c' })
			await client.patch(ConfigMap, { namespace, name: 'd' }, { data: { n: '2' } })
			await client.create(ConfigMap, configMap(namespace, 'f'))
		}
		expect(shown).toEqual(['a 1', 'b 1', 'c 1', 'd 1', 'e 1'])
		const [resourceVersion = ''] = versions
		expect(versions.size).toBe(1)
		const told = await first(4, client.watch(ConfigMap, { namespace, resourceVersion, signal }))
		expect(told.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['DELETED a', 'DELETED c', 'MODIFIED d', 'ADDED f'])
	})

	test('a list that is read in one response contains the same objects as a list in pages', async () => {
		const { client } = api()
		const namespace = await threeIn(api())
		await client.create(ConfigMap, configMap(namespace, 'd', { text: '}],"items":[{\\' }, { color: 'red' }))
		for (const which of [{ namespace }, { namespace, labelSelector: 'color=red' }, { namespace, labelSelector: 'color=none' }]) {
			const { items, resourceVersion } = await client.list(ConfigMap, { ...which, limit: 0 })
			expect(items).toEqual((await client.list(ConfigMap, { ...which, limit: 1 })).items)
			await client.create(ConfigMap, configMap(namespace, freshName()))
			const told = await first(1, client.watch(ConfigMap, { namespace, resourceVersion, signal }))
			expect(told.map(({ type }) => type)).toEqual(['ADDED'])
		}
	})

	test('an invalid continue token is rejected', async () => {
		const path = '/api/v1/namespaces/default/configmaps'
		const refused = api().client.raw({ method: 'GET', path, query: { limit: 1, continue: 'of-nothing' } })
		await expect(refused).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('continue key is not valid') })
	})
}

/** Tests a watch that requests protobuf. A server without protobuf support responds with JSON. */
export function protobufCases(api: () => ApiUnderTest): void {
	const protobuf = object({ labels, annotations }, { data: map(2) })
	const word = fc.string({ unit: fc.constantFrom('a', 'Z', '0', 'ß', '日', '\n', '"', '<'), maxLength: 20 })
	const key = fc.stringMatching(/^[a-z0-9]{1,8}$/)
	const dictionary = fc.dictionary(key, word, { maxKeys: 4, noNullPrototype: true })
	const small = fc.dictionary(key, key, { maxKeys: 4, noNullPrototype: true })

	test('reports the same events as a watch in JSON', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const { resourceVersion } = (await client.create(ConfigMap, configMap(namespace, 'first'))).metadata
		const one = fc.asyncProperty(small, dictionary, dictionary, fc.boolean(), async (labels, annotations, data, isHeld) => {
			const name = freshName()
			const metadata = { namespace, name, labels, annotations, ...(isHeld && { finalizers: ['example.org/stays'] }) }
			await client.create(ConfigMap, { metadata, data })
			await client.delete(ConfigMap, { namespace, name })
			if (isHeld) await client.patch(ConfigMap, { namespace, name }, { metadata: { finalizers: null } })
			const watch = (how: { protobuf?: Message<ConfigMap> }) =>
				client.watch(ConfigMap, { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion, signal, ...how })
			const expected = await first(isHeld ? 3 : 2, watch({}))
			const told = await first(expected.length, watch({ protobuf }))
			expect(told.map(known)).toEqual(expected.map(known))
		})
		await fc.assert(one, { numRuns: 20 })
	})

	test('reports the end of the initial events, and continues after them', async () => {
		const { client } = api()
		const namespace = await threeIn(api())
		const told: string[] = []
		for await (const { type, object } of client.watch(ConfigMap, { namespace, resourceVersion: undefined, signal, protobuf })) {
			told.push(type === 'BOOKMARK' ? `${type} ${JSON.stringify(object.metadata.annotations)}` : `${type} ${object.metadata.name}`)
			if (type === 'BOOKMARK') await client.patch(ConfigMap, { namespace, name: 'b' }, { data: { n: '2' } })
			if (type === 'MODIFIED') break
		}
		expect(told.slice(0, 3).sort()).toEqual(['ADDED a', 'ADDED b', 'ADDED c'])
		expect(told.slice(3)).toEqual(['BOOKMARK {"k8s.io/initial-events-end":"true"}', 'MODIFIED b'])
	})

	test.each<[what: string, wrong: object]>([
		['an invalid label selector', { labelSelector: 'color in red' }],
		['a field that is not supported as a selector', { fieldSelector: 'data.one=1' }],
	])('is rejected like a watch in JSON for %s', async (_, wrong) => {
		const failureOf = (how: object) =>
			first(1, api().client.watch(ConfigMap, { namespace: 'default', resourceVersion: '1', signal, ...how })).catch(
				(error: unknown) => error,
			)
		const expected = await failureOf(wrong)
		expect(expected).toBeInstanceOf(Failure)
		expect(await failureOf({ ...wrong, protobuf })).toEqual(expected)
	})
}

/** Tests lists that are read by a watch, which first sends the current objects. */
export function streamedListCases(api: () => ApiUnderTest): void {
	const streamed = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }

	test('a watch without a version first shows the current objects', async () => {
		const namespace = await threeIn(api())
		const events = await rawWatch(api(), { kind: ConfigMap, namespace, query: {} }, told => told.length === 3)
		expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`).sort()).toEqual(['ADDED a', 'ADDED b', 'ADDED c'])
	})

	test('initial events end with a bookmark, and later changes follow', async () => {
		const { client } = api()
		const namespace = await threeIn(api())
		let wrote: Promise<unknown> | undefined
		const events = await rawWatch(api(), { kind: ConfigMap, namespace, query: streamed }, told => {
			if (told.some(({ type }) => type === 'BOOKMARK')) wrote ??= client.patch(ConfigMap, { namespace, name: 'b' }, { data: { n: '2' } })
			return told.some(({ type }) => type === 'MODIFIED')
		})
		await wrote
		const seen = events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trimEnd())
		expect(seen.slice(0, 3).sort()).toEqual(['ADDED a', 'ADDED b', 'ADDED c'])
		expect(seen.slice(3)).toEqual(['BOOKMARK', 'MODIFIED b'])
		const mark = events[3]?.object.metadata
		expect(mark?.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
		const versions = events.slice(0, 3).map(({ object }) => BigInt(String(object.metadata.resourceVersion)))
		for (const version of versions) expect(version <= BigInt(String(mark?.resourceVersion))).toBe(true)
	})

	test('without objects, only the bookmark is sent, and a watch can start from its version', async () => {
		const { client } = api()
		const namespace = await freshNamespace(api())
		const query = { ...streamed, labelSelector: 'color=green' }
		const [mark] = await rawWatch(api(), { kind: ConfigMap, namespace, query }, told => told.length === 1)
		expect(mark?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
		await client.create(ConfigMap, configMap(namespace, 'a'))
		const told = await first(
			1,
			client.watch(ConfigMap, { namespace, resourceVersion: String(mark?.object.metadata.resourceVersion), signal }),
		)
		expect(told.map(({ object }) => object.metadata.name)).toEqual(['a'])
	})

	test('initial events show a state that is at least as new as the given version', async () => {
		const { client } = api()
		const namespace = await threeIn(api())
		const { resourceVersion } = (await client.create(ConfigMap, configMap(namespace, 'd'))).metadata
		const query = { ...streamed, resourceVersion }
		const events = await rawWatch(api(), { kind: ConfigMap, namespace, query }, told => told.some(({ type }) => type === 'BOOKMARK'))
		expect(events.length).toBe(5)
	})

	test('initial events without resourceVersionMatch are rejected', async () => {
		const query = { sendInitialEvents: true, allowWatchBookmarks: true }
		const refused = rawWatch(api(), { kind: ConfigMap, namespace: 'default', query }, () => true)
		await expect(refused).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('resourceVersionMatch') })
	})
}

const { signal } = new AbortController()

/** Returns only the fields that KubeClient reads from protobuf. */
function known({ type, object: { apiVersion, kind, data, metadata } }: Told) {
	const { name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations } = metadata
	return { type, apiVersion, kind, data, metadata: { name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations } }
}

async function threeIn(api: ApiUnderTest): Promise<string> {
	const namespace = await freshNamespace(api)
	for (const name of ['a', 'b', 'c']) await api.client.create(ConfigMap, configMap(namespace, name, { n: '1' }))
	return namespace
}

type Told = Extract<WatchEvent<ConfigMap>, { type: 'ADDED' | 'MODIFIED' | 'DELETED' }>

async function first(count: number, watch: AsyncIterable<WatchEvent<ConfigMap>>): Promise<Told[]> {
	const told: Told[] = []
	for await (const event of watch) {
		if (event.type !== 'BOOKMARK') told.push(event)
		if (told.length === count) break
	}
	return told
}
