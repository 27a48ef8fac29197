import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ANNOTATION_OWNER } from '../../../contract/names.ts'
import { NodeConfigList, NodeConfigView } from '../../../contract/viola-api.ts'
import type { NodeConfigObject } from '../../../viola/model/node-config-kind.ts'
import { project } from '../../../viola/model/project.ts'
import { nic, owner, stored, wanted } from '../nodes.ts'

const viewOf = (object: unknown) => JSON.parse(project(object as NodeConfigObject).view) as NodeConfigView

test('an entry has the data for decisions, and the view that GET returns', () => {
	const status = { observedGeneration: 3, state: 'Configured' as const }
	const managedFields = [{ manager: 'multinic-viola', operation: 'Update', time: '2026-01-01T12:00:00Z', fieldsV1: { 'f:spec': {} } }]
	const annotations = { [ANNOTATION_OWNER]: JSON.stringify(owner) }
	const entry = project({ ...stored({}, { managedFields, annotations }), status })
	expect(entry).toMatchObject({
		nodeName: 'worker-1',
		generation: 3,
		resourceVersion: '7',
		isDeleting: false,
		owner,
		digest: wanted().digest,
	})
	expect(JSON.parse(entry.view)).toEqual({
		...{ nodeName: 'worker-1', providerId: 'biz', instanceId: 'vm-1', interfaces: [nic], owner, deleting: false },
		...{ generation: 3, resourceVersion: '7', lastManager: 'multinic-viola', status },
	})
})

test('a node config that is being deleted is shown as that', () => {
	const object = stored({}, { deletionTimestamp: '2026-01-01T12:00:00Z' })
	expect([project(object).isDeleting, viewOf(object).deleting]).toEqual([true, true])
})

describe('what the contract does not allow is omitted from the view, so that the list stays valid', () => {
	const huge = Array.from({ length: 40 }, () => ({ type: 'x'.repeat(5_000) }))
	test.each<[sentence: string, object: object, view: object]>([
		['an invalid status', { ...stored(), status: { state: 'Odd' } }, { interfaces: [nic], instanceId: 'vm-1' }],
		['a status that is too large', { ...stored(), status: { conditions: huge } }, { interfaces: [nic], instanceId: 'vm-1' }],
		[
			'an interface with an invalid MAC',
			stored({}, {}, { interfaces: [nic, { macAddress: 'me' }] }),
			{ interfaces: [nic], instanceId: 'vm-1' },
		],
		['missing interfaces', stored({}, {}, { interfaces: undefined }), { interfaces: [], instanceId: 'vm-1' }],
		['an instance id that is a number', stored({}, {}, { instanceId: 7 }), { interfaces: [] }],
		[
			'managed fields that are no object',
			stored({}, { managedFields: [null, ...['f:spec', 7, null].map(fieldsV1 => ({ fieldsV1 }))] }),
			{},
		],
		['managed fields that are no list', stored({}, { managedFields: 7 }), {}],
		['a manager that is no text', stored({}, { managedFields: [{ manager: 7, fieldsV1: { 'f:spec': {} } }] }), {}],
		['a missing spec', { metadata: stored().metadata }, { interfaces: [] }],
	])('%s', (_, object, view) => {
		const found = viewOf(object)
		expect(found).toMatchObject({ nodeName: 'worker-1', generation: 3, ...view })
		expect(found).not.toHaveProperty('status')
		expect(NodeConfigList.safeParse({ items: [found] }).success).toBe(true)
	})
})

test.each([1.5, -1, '3', null, 2 ** 60, Number.POSITIVE_INFINITY])('the generation %s is shown as 0', generation => {
	const object = stored({}, { generation })
	expect([project(object).generation, viewOf(object).generation]).toEqual([0, 0])
	expect(NodeConfigView.safeParse(viewOf(object)).success).toBe(true)
})

test('any stored object has an entry with a valid view, and a digest that no POST matches by accident', () => {
	const digest = wanted().digest
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (spec, status) => {
			const entry = project({ metadata: stored().metadata, spec, status } as unknown as NodeConfigObject)
			expect(NodeConfigView.safeParse(JSON.parse(entry.view)).success).toBe(true)
			expect(entry.digest).not.toBe(digest)
		}),
	)
})

test('an object with any interfaces has an entry with a valid view', () => {
	fc.assert(
		fc.property(fc.array(fc.oneof(fc.jsonValue(), fc.record({ id: fc.jsonValue(), macAddress: fc.jsonValue() }))), interfaces => {
			const entry = project(stored({}, {}, { interfaces }))
			expect(NodeConfigView.safeParse(JSON.parse(entry.view)).success).toBe(true)
		}),
		{ examples: [[[{ id: { toString: false }, macAddress: {} }]]] },
	)
})
