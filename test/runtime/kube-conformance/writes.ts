import { expect, test } from 'vitest'
import { codeOf } from '../../../runtime/errors.ts'
import type { KubeClient } from '../../../runtime/kube/client.ts'
import type { Stored } from '../../../runtime/kube/kind.ts'
import { ConfigMap, Namespace } from '../../../runtime/kube/kinds.ts'
import { type ApiUnderTest, configMap, freshName, freshNamespace } from './case.ts'

/** Tests which writes are accepted, and which of several concurrent writes wins. */
export function writeCases(api: () => ApiUnderTest): void {
	type World = { client: KubeClient; namespace: string; at: { namespace: string; name: string }; made: Stored<ConfigMap> }

	async function fresh(): Promise<World> {
		const namespace = await freshNamespace(api())
		const made = await api().client.create(ConfigMap, configMap(namespace, 'a', { one: '1' }, { color: 'red' }))
		return { client: api().client, namespace, at: { namespace, name: 'a' }, made }
	}

	test('a write that changes nothing keeps the version', async () => {
		const { client, at, made } = await fresh()
		expect(await client.patch(ConfigMap, at, { data: { one: '1', two: null } })).toEqual(made)
		expect(await client.patch(ConfigMap, at, {})).toEqual(made)
		expect((await client.replace(ConfigMap, made)).metadata.resourceVersion).toBe(made.metadata.resourceVersion)
		expect(await client.get(ConfigMap, at)).toEqual(made)
	})

	test('fields that become empty are removed', async () => {
		const { client, at } = await fresh()
		const { metadata } = await client.patch(ConfigMap, at, { metadata: { labels: { color: null }, annotations: {}, finalizers: [] } })
		expect(metadata).not.toHaveProperty('labels')
		expect(metadata).not.toHaveProperty('annotations')
		expect(metadata).not.toHaveProperty('finalizers')
	})

	test('a merge patch replaces whole lists', async () => {
		const { client, at } = await fresh()
		await client.patch(ConfigMap, at, { metadata: { finalizers: ['example.org/a', 'example.org/b'] } })
		const { metadata } = await client.patch(ConfigMap, at, { metadata: { finalizers: ['example.org/c'] } })
		expect(metadata.finalizers).toEqual(['example.org/c'])
		await client.patch(ConfigMap, at, { metadata: { finalizers: null } })
	})

	test.each<[title: string, write: (world: World, stale: string) => Promise<unknown>]>([
		['a patch', ({ client, at }, resourceVersion) => client.patch(ConfigMap, at, { metadata: { resourceVersion }, data: { two: '2' } })],
		['a patch without changes', ({ client, at }, resourceVersion) => client.patch(ConfigMap, at, { metadata: { resourceVersion } })],
		['a replacement', ({ client, made }) => client.replace(ConfigMap, made)],
		['a deletion', ({ client, at }, resourceVersion) => client.delete(ConfigMap, at, { resourceVersion })],
	])('%s with an older resource version is rejected as a conflict', async (_, write) => {
		const world = await fresh()
		const { client, at, made } = world
		const newer = await client.patch(ConfigMap, at, { data: { one: 'newer' } })
		const refused = { code: 'CONFLICT', message: expect.stringMatching(/^Operation cannot be fulfilled on .* "a": /) }
		await expect(write(world, made.metadata.resourceVersion)).rejects.toMatchObject(refused)
		expect(await client.get(ConfigMap, at)).toEqual(newer)
	})

	test('a write with another uid is rejected', async () => {
		const { client, at, made } = await fresh()
		await client.delete(ConfigMap, at)
		const { metadata } = await client.create(ConfigMap, configMap(at.namespace, 'a'))
		const { resourceVersion: _, ...old } = made.metadata
		await expect(client.replace(ConfigMap, { ...made, metadata: old })).rejects.toMatchObject({ code: 'CONFLICT' })
		await expect(client.patch(ConfigMap, at, { metadata: { uid: made.metadata.uid } })).rejects.toMatchObject({ code: 'INVALID' })
		expect((await client.get(ConfigMap, at)).metadata).toEqual(metadata)
	})

	test('a patch does not create an object', async () => {
		const { client, namespace } = await fresh()
		const at = { namespace, name: 'nobody' }
		await expect(client.patch(ConfigMap, at, { data: {} })).rejects.toMatchObject({
			code: 'NOT_FOUND',
			message: 'configmaps "nobody" not found',
		})
		await expect(client.replace(ConfigMap, { metadata: at })).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})

	test('a write to a status subresource that the kind does not have is rejected', async () => {
		const { client, at } = await fresh()
		await expect(client.patchStatus(ConfigMap, at, {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
	})

	test('no object is created in a namespace that does not exist', async () => {
		const namespace = freshName()
		const refused = { code: 'NOT_FOUND', message: `namespaces "${namespace}" not found` }
		await expect(api().client.create(ConfigMap, configMap(namespace, 'a'))).rejects.toMatchObject(refused)
	})

	test('a label that is too long is rejected, and its field is named', async () => {
		const { client, at } = await fresh()
		await expect(client.patch(ConfigMap, at, { metadata: { labels: { node: 'x'.repeat(64) } } })).rejects.toMatchObject({
			code: 'INVALID',
			facts: { causes: expect.arrayContaining([expect.objectContaining({ field: 'metadata.labels' })]) },
		})
	})

	test('the server may generate the name', async () => {
		const { client, namespace } = await fresh()
		const create = () => client.create(ConfigMap, { metadata: { namespace, generateName: 'made-' } } as ConfigMap)
		const names = (await Promise.all([create(), create(), create()])).map(({ metadata }) => metadata.name)
		for (const name of names) expect(name).toMatch(/^made-[a-z0-9]{5}$/)
		expect(new Set(names).size).toBe(3)
		const nameless = client.create(ConfigMap, { metadata: { namespace } } as ConfigMap)
		await expect(nameless).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('name or generateName is required') })
	})

	test('only one of several concurrent creations of the same name succeeds', async () => {
		const { client, namespace } = await fresh()
		const outcomes = await Promise.all(
			Array.from({ length: 8 }, (_, n) => client.create(ConfigMap, configMap(namespace, 'b', { n: String(n) })).then(() => 'won', codeOf)),
		)
		expect(outcomes.sort()).toEqual([...Array(7).fill('ALREADY_EXISTS'), 'won'])
	})

	test('no change is lost when different fields are patched concurrently', async () => {
		const { client, at } = await fresh()
		const keys = Array.from({ length: 8 }, (_, n) => `k${n}`)
		await Promise.all(keys.map(key => client.patch(ConfigMap, at, { data: { [key]: 'x' } })))
		expect(Object.keys((await client.get(ConfigMap, at)).data ?? {}).sort()).toEqual([...keys, 'one'])
	})

	test('only one of several concurrent replacements of the same version succeeds', async () => {
		const { client, made } = await fresh()
		const outcomes = await Promise.all(
			Array.from({ length: 8 }, (_, n) => client.replace(ConfigMap, { ...made, data: { n: String(n) } }).then(() => 'won', codeOf)),
		)
		expect(outcomes.sort()).toEqual([...Array(7).fill('CONFLICT'), 'won'])
	})

	test('a dry run of a patch or a deletion changes nothing', async () => {
		const { client, at, made } = await fresh()
		expect((await client.patch(ConfigMap, at, { data: { one: '2' } }, { dryRun: true })).data).toEqual({ one: '2' })
		await client.delete(ConfigMap, at, { dryRun: true })
		expect(await client.get(ConfigMap, at)).toEqual(made)
	})

	test('a namespace can be selected by the label with its name', async () => {
		const { client, namespace } = await fresh()
		const { items } = await client.list(Namespace, { labelSelector: `kubernetes.io/metadata.name=${namespace}` })
		expect(items.map(({ metadata, status }) => [metadata.name, status?.phase])).toEqual([[namespace, 'Active']])
	})
}
