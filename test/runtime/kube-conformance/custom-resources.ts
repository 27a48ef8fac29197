import { beforeAll, expect, test } from 'vitest'
import { type ApiUnderTest, freshNamespace, Gadget, serveGadgets } from './case.ts'

/** Tests generations, the status subresource and finalizers. */
export function customResourceCases(api: () => ApiUnderTest): void {
	beforeAll(() => serveGadgets(api()))

	async function fresh(over: Partial<Gadget> & { finalizers?: string[] } = {}) {
		const { finalizers = [], ...rest } = over
		const at = { namespace: await freshNamespace(api()), name: 'a' }
		return { at, made: await api().client.create(Gadget, { metadata: { ...at, finalizers }, spec: { size: 1 }, ...rest }) }
	}

	test('the generation increases with changes of the spec and with the deletion only', async () => {
		const { client } = api()
		const { at, made } = await fresh()
		const generations = [made.metadata.generation]
		const count = (object: Gadget) => generations.push(object.metadata.generation)
		count(await client.patch(Gadget, at, { metadata: { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['example.org/hold'] } }))
		count(await client.patchStatus(Gadget, at, { seen: 1 }))
		count(await client.patch(Gadget, at, { spec: { size: 2 } }))
		count(await client.patch(Gadget, at, { spec: { size: 2 } }))
		count(await client.patch(Gadget, at, { metadata: { generation: 77 }, spec: { parts: ['x'] } }))
		await client.delete(Gadget, at)
		count(await client.get(Gadget, at))
		count(await client.patch(Gadget, at, { metadata: { labels: null } }))
		expect(generations).toEqual([1, 1, 1, 2, 2, 3, 4, 4])
		await client.patch(Gadget, at, { metadata: { finalizers: null } })
	})

	test('the status is written only through its subresource, which changes nothing else', async () => {
		const { client } = api()
		const { at, made } = await fresh({ status: { seen: 1 } })
		expect(made).not.toHaveProperty('status')
		expect(await client.patch(Gadget, at, { status: { seen: 2 } })).not.toHaveProperty('status')
		const body = { metadata: { labels: { a: 'b' } }, spec: { size: 9 }, status: { seen: 3 } }
		const told = await client.patch(Gadget, at, body, { subresource: 'status' })
		expect(told).toMatchObject({ spec: { size: 1 }, status: { seen: 3 } })
		expect(told.metadata).not.toHaveProperty('labels')
		const { metadata } = told
		const replaced = await client.replace(Gadget, { metadata, spec: { size: 2 } })
		expect(replaced).toMatchObject({ spec: { size: 2 }, status: { seen: 3 } })
		const asStatus = await client.replace(Gadget, { metadata: replaced.metadata, status: { seen: 4 } }, { subresource: 'status' })
		expect(asStatus).toMatchObject({ spec: { size: 2 }, status: { seen: 4 } })
	})

	test('unknown fields are dropped, or rejected if that is requested', async () => {
		const { client } = api()
		const { at } = await fresh()
		const patch = { spec: { size: 2, colour: 'red' } }
		expect((await client.patch(Gadget, at, patch, { fieldValidation: 'Ignore' })).spec).toEqual({ size: 2 })
		const name = { namespace: at.namespace, name: 'b' }
		const refused = client.create(Gadget, { metadata: name, spec: { colour: 'red' } } as Gadget)
		await expect(refused).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('unknown field "spec.colour"') })
		const unknown = { message: expect.stringContaining('unknown field "spec.colour"') }
		await expect(client.patch(Gadget, at, patch)).rejects.toMatchObject({ code: 'INVALID', ...unknown })
		const applied = client.apply(Gadget, { metadata: at, spec: { colour: 'red' } } as Gadget)
		await expect(applied).rejects.toMatchObject({
			code: 'SERVER_ERROR',
			message: expect.stringContaining('.spec.colour: field not declared'),
		})
	})

	test('a finalizer blocks a deletion until it is removed', async () => {
		const { client } = api()
		const { at, made } = await fresh({ finalizers: ['example.org/hold', 'example.org/other'] })
		expect(await client.delete(Gadget, at, { uid: made.metadata.uid })).toBe(true)
		const going = await client.get(Gadget, at)
		expect(going.metadata).toMatchObject({ deletionTimestamp: expect.stringMatching(/Z$/), uid: made.metadata.uid })
		expect(await client.delete(Gadget, at)).toBe(true)
		expect(await client.get(Gadget, at)).toEqual(going)
		await expect(client.create(Gadget, { metadata: at })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
		const added = { metadata: { finalizers: [...(going.metadata.finalizers ?? []), 'example.org/new'] } }
		await expect(client.patch(Gadget, at, added)).rejects.toMatchObject({
			code: 'INVALID',
			facts: { causes: expect.arrayContaining([expect.objectContaining({ field: 'metadata.finalizers' })]) },
		})
		await client.patchStatus(Gadget, at, { seen: 1 })
		await client.patch(Gadget, at, { metadata: { finalizers: ['example.org/other'], deletionTimestamp: null } })
		expect((await client.get(Gadget, at)).metadata.deletionTimestamp).toBe(going.metadata.deletionTimestamp)
		const last = await client.patch(Gadget, at, { metadata: { finalizers: null } })
		expect(last.metadata.uid).toBe(made.metadata.uid)
		expect(await client.find(Gadget, at)).toBeUndefined()
	})

	test('a watch reports both steps of a deletion with separate versions: marked for deletion, then removed', async () => {
		const { client } = api()
		const { at, made } = await fresh({ finalizers: ['example.org/hold'] })
		const { resourceVersion } = made.metadata
		await client.delete(Gadget, at)
		await client.patch(Gadget, at, { metadata: { finalizers: null } })
		const again = await client.create(Gadget, { metadata: at })
		expect(again.metadata.uid).not.toBe(made.metadata.uid)
		const told: { type: string; uid: string | undefined; deleting: boolean; finalizers: unknown; version: string }[] = []
		for await (const event of client.watch(Gadget, { ...at, resourceVersion, signal: new AbortController().signal })) {
			if (event.type === 'BOOKMARK') continue
			const { uid, deletionTimestamp, finalizers, resourceVersion: version } = event.object.metadata
			told.push({ type: event.type, uid, deleting: deletionTimestamp !== undefined, finalizers, version })
			if (event.type === 'ADDED') break
		}
		const { uid } = made.metadata
		const held = { uid, deleting: true, finalizers: ['example.org/hold'] }
		expect(told).toMatchObject([
			{ type: 'MODIFIED', ...held },
			{ type: 'DELETED', ...held },
			{ type: 'ADDED', uid: again.metadata.uid, deleting: false },
		])
		const versions = told.map(({ version }) => BigInt(version))
		expect([...versions].sort((a, b) => (a < b ? -1 : 1))).toEqual(versions)
		expect(new Set(versions).size).toBe(3)
	})

	test('a replacement must contain the version that it replaces', async () => {
		const { client } = api()
		const { at } = await fresh()
		await expect(client.replace(Gadget, { metadata: at, spec: {} })).rejects.toMatchObject({
			code: 'INVALID',
			facts: { causes: expect.arrayContaining([expect.objectContaining({ field: 'metadata.resourceVersion' })]) },
		})
	})
}
