import { expect, test } from 'vitest'
import type { DeleteOptions } from '../../../runtime/kube/client.ts'
import type { OwnerReference, Stored } from '../../../runtime/kube/kind.ts'
import { ConfigMap, Namespace } from '../../../runtime/kube/kinds.ts'
import { type ApiUnderTest, configMap, freshNamespace } from './case.ts'

/** Tests what a controller manager does in addition to the API server. */
export function garbageCases(api: () => ApiUnderTest): void {
	async function owned(namespace: string, name: string, owners: readonly OwnerReference[]): Promise<Stored<ConfigMap>> {
		const wanted = configMap(namespace, name)
		return api().client.create(ConfigMap, { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [...owners] } })
	}

	/** Creates four ConfigMaps: a owns b, b owns c, and d has no owner. */
	async function chain() {
		const namespace = await freshNamespace(api())
		const a = await owned(namespace, 'a', [])
		const b = await owned(namespace, 'b', [ownerOf(a)])
		await owned(namespace, 'c', [ownerOf(b)])
		await owned(namespace, 'd', [])
		return { namespace, a, b }
	}

	// Kubernetes itself creates a ConfigMap with a longer name in every namespace
	const names = async (namespace: string) =>
		(await api().client.list(ConfigMap, { namespace })).items.map(({ metadata }) => metadata.name).filter(name => name.length === 1)

	test.each<[propagation: DeleteOptions['propagation'], left: string[]]>([
		['Background', ['d']],
		['Foreground', ['d']],
		['Orphan', ['b', 'c', 'd']],
	])('%s deletion of an owner deletes or orphans its dependents', async (propagation = 'Background', left) => {
		const { namespace } = await chain()
		await api().client.delete(ConfigMap, { namespace, name: 'a' }, { propagation })
		await expect.poll(() => names(namespace)).toEqual(left)
		if (propagation === 'Orphan')
			expect((await api().client.get(ConfigMap, { namespace, name: 'b' })).metadata).not.toHaveProperty('ownerReferences')
	})

	test('an object is deleted if its owner never existed, or was replaced by another object of the same name', async () => {
		const { namespace, a } = await chain()
		await owned(namespace, 'e', [{ ...ownerOf(a), uid: crypto.randomUUID() }])
		await expect.poll(() => names(namespace)).toEqual(['a', 'b', 'c', 'd'])
	})

	test('an object with two owners is kept while one of them exists', async () => {
		const { namespace, a, b } = await chain()
		await owned(namespace, 'e', [ownerOf(a), ownerOf(await owned(namespace, 'f', []))])
		await api().client.delete(ConfigMap, b.metadata as { name: string; namespace: string })
		await api().client.delete(ConfigMap, { namespace, name: 'f' })
		await expect.poll(() => names(namespace)).toEqual(['a', 'd', 'e'])
		const owners = async () => (await api().client.get(ConfigMap, { namespace, name: 'e' })).metadata.ownerReferences
		await expect.poll(async () => (await owners())?.map(({ name }) => name)).toEqual(['a'])
	})

	test('an object with a finalizer remains after its owner is deleted', async () => {
		const { client } = api()
		const { namespace } = await chain()
		const at = { namespace, name: 'b' }
		await client.patch(ConfigMap, at, { metadata: { finalizers: ['example.org/hold'] } })
		await client.delete(ConfigMap, { namespace, name: 'a' })
		await expect.poll(async () => (await client.get(ConfigMap, at)).metadata.deletionTimestamp).toBeTruthy()
		expect(await names(namespace)).toEqual(['b', 'c', 'd'])
		await client.patch(ConfigMap, at, { metadata: { finalizers: null } })
		await expect.poll(() => names(namespace)).toEqual(['d'])
	})

	test('a namespace that is being deleted loses its objects and accepts no new ones', async () => {
		const { client } = api()
		const { namespace } = await chain()
		await client.patch(ConfigMap, { namespace, name: 'b' }, { metadata: { finalizers: ['example.org/hold'] } })
		await client.delete(Namespace, { name: namespace })
		const refused = { code: 'FORBIDDEN', message: expect.stringContaining('because it is being terminated') }
		await expect(client.create(ConfigMap, configMap(namespace, 'z'))).rejects.toMatchObject(refused)
		await expect.poll(() => names(namespace)).toEqual(['b'])
		expect((await client.get(Namespace, { name: namespace })).status?.phase).toBe('Terminating')
		await client.patch(ConfigMap, { namespace, name: 'b' }, { metadata: { finalizers: null } })
		await expect.poll(() => client.find(Namespace, { name: namespace })).toBeUndefined()
	})
}

function ownerOf({ apiVersion, kind, metadata: { name, uid } }: Stored<ConfigMap>): OwnerReference {
	return { apiVersion, kind, name, uid, blockOwnerDeletion: true }
}
