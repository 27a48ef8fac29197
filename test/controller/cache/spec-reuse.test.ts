import { expect, test } from 'vitest'
import { configView } from '../../../controller/cache/config-view.ts'
import { spec } from '../world.ts'

const metadata = { name: 'worker-1', uid: 'uid-1', generation: 3, resourceVersion: '1', creationTimestamp: '2026-01-01T12:00:00Z' }
const object = { apiVersion: 'multinic.io/v1', kind: 'MultiNicNodeConfig', metadata, spec: { ...spec, nodeName: 'worker-1' } }
const other = { ...object.spec, nodeName: 'worker-2' }
type Change = Partial<typeof metadata>

test.each<[title: string, change: Change, spec: typeof other, isReused: boolean]>([
	['with another status', { resourceVersion: '2' }, object.spec, true],
	['of the next generation', { resourceVersion: '2', generation: 4 }, object.spec, false],
	['of a successor with the same name', { resourceVersion: '2', uid: 'uid-2' }, object.spec, false],
	['of a generation that is repeated with another spec after a restore of etcd', { resourceVersion: '2' }, other, false],
])('the parsed spec of a node config %s: reused only for the same uid, generation and spec', (_, change, now, isReused) => {
	const before = configView(structuredClone(object))
	const view = configView({ ...object, metadata: { ...metadata, ...change }, spec: structuredClone(now) }, before)
	expect(view.read === before.read).toBe(isReused)
	expect(view.read.spec).toMatchObject({ value: { nodeName: now.nodeName } })
	expect(view.resourceVersion).toBe('2')
})

test('a spec without an earlier view is read', () => {
	expect(configView(structuredClone(object)).read.spec).toMatchObject({ value: { nodeName: 'worker-1' } })
})
