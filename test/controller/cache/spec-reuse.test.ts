import { expect, test } from 'vitest'
import { configView } from '../../../controller/cache/config-view.ts'
import { spec } from '../world.ts'

const metadata = { name: 'worker-1', uid: 'uid-1', generation: 3, resourceVersion: '1', creationTimestamp: '2026-01-01T12:00:00Z' }
const object = { apiVersion: 'multinic.io/v1', kind: 'MultiNicNodeConfig', metadata, spec: { ...spec, nodeName: 'worker-1' } }
const other = { ...object.spec, nodeName: 'worker-2' }

test.each<[title: string, change: Partial<typeof metadata>, isReused: boolean]>([
	['of another status', { resourceVersion: '2' }, true],
	['of the next generation', { resourceVersion: '2', generation: 4 }, false],
	['of a successor with the same name', { resourceVersion: '2', uid: 'uid-2' }, false],
])('the spec of a node config %s is reused: generation and uid decide', (_, change, isReused) => {
	const before = configView(structuredClone(object))
	const now = configView({ ...object, metadata: { ...metadata, ...change }, spec: structuredClone(other) }, before)
	expect(now.read === before.read).toBe(isReused)
	expect(now.read.spec).toMatchObject({ value: { nodeName: isReused ? 'worker-1' : 'worker-2' } })
	expect(now.resourceVersion).toBe('2')
})

test('a spec without an earlier view is read', () => {
	expect(configView(structuredClone(object)).read.spec).toMatchObject({ value: { nodeName: 'worker-1' } })
})
