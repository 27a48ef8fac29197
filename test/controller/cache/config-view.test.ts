import { describe, expect, test } from 'vitest'
import { ANNOTATION_PLAN, ANNOTATION_RETRY, ANNOTATION_VERIFY } from '../../../contract/names.ts'
import { requestAnnotations, requestsIn } from '../../../controller/model/requests.ts'
import { configView, MANAGER } from '../../../controller/cache/config-view.ts'
import { reportedStatus } from '../../../controller/status/build-status.ts'
import { report, run, spec, world } from '../world.ts'

const status = reportedStatus(world(), run({ report: report() }))
const written = (manager: string, subresource?: string, time?: string) => ({
	...{ manager, operation: 'Update' },
	...(subresource && { subresource }),
	...(time && { time }),
})
const identity = { name: 'worker-1', uid: 'uid-1', resourceVersion: '1', creationTimestamp: '2026-01-01T12:00:00Z' }
const object = { apiVersion: 'multinic.io/v1', kind: 'MultiNicNodeConfig', spec, status: status as never }
const requests = (value: string) => ({ [ANNOTATION_RETRY]: value, [ANNOTATION_PLAN]: value, [ANNOTATION_VERIFY]: value })
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

test.each<[title: string, managedFields: ReturnType<typeof written>[] | undefined, counts: boolean]>([
	['that the controller wrote is used', [written('viola'), written(MANAGER, 'status')], true],
	['is used if the object has no managedFields', undefined, true],
	['is used if other field managers wrote only the spec', [written('viola')], true],
	['that was restored from a backup is ignored', [written('velero-server'), written('velero-server', 'status')], false],
	['that was restored with its managedFields is ignored', [written(MANAGER, 'status', '2025-12-31T23:59:59Z')], false],
	[
		'that the controller wrote in the second in which the object was created is used',
		[written(MANAGER, 'status', '2026-01-01T12:00:00Z')],
		true,
	],
	['that the controller wrote after a restore is used', [written('velero-server', 'status'), written(MANAGER, 'status')], true],
])('a status %s', (_, managedFields, counts) => {
	const view = configView({ ...object, metadata: { ...identity, ...(managedFields && { managedFields }) } })
	expect(view.status.state).toBe(counts ? 'Configured' : undefined)
	expect(view.rawStatus).toEqual(status)
})

describe('the view of a node config', () => {
	const viewOf = (metadata: object) => configView({ ...object, metadata: { ...identity, ...metadata } })
	const most = 250_000

	test.each<[title: string, metadata: object]>([
		['a long request annotation', { annotations: { [ANNOTATION_RETRY]: 'x'.repeat(most) } }],
		['three long request annotations', { annotations: requests('x'.repeat(most / 3)) }],
		['other annotations', { annotations: { note: 'x'.repeat(most), [LAST_APPLIED]: 'x'.repeat(most) } }],
		['80,000 annotations', { annotations: Object.fromEntries(Array.from({ length: 80_000 }, (_, at) => [`a${at}`, ''])) }],
		['labels', { labels: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`a${at}`, 'x'])) }],
		['owner references', { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'x'.repeat(most), uid: 'uid' }] }],
		['managed fields', { managedFields: [{ ...written('viola'), fieldsV1: { 'f:spec': { ['x'.repeat(most)]: {} } } }] }],
	])('keeps less than 2 KiB of metadata of any size: %s', (_, metadata) => {
		expect(JSON.stringify(viewOf(metadata)).length - JSON.stringify(viewOf({})).length).toBeLessThan(2_048)
	})

	test('is below 2 KiB for an ordinary node config', () => {
		expect(JSON.stringify({ ...viewOf({ annotations: requests('x'.repeat(most / 3)) }), status: {} }).length).toBeLessThan(2_048)
	})

	test('distinguishes two long requests that differ in one character, and recognizes the same one in the annotations of a run', () => {
		const askedOf = (value: string) => viewOf({ annotations: { [ANNOTATION_RETRY]: value } }).requests
		const [one, other] = [askedOf(`${'x'.repeat(most)}1`), askedOf(`${'x'.repeat(most)}2`)]
		expect(one).not.toEqual(other)
		expect(askedOf(`${'x'.repeat(most)}1`)).toEqual(one)
		expect(requestsIn(requestAnnotations(one))).toEqual(one)
	})

	test('keeps a request of up to 256 characters unchanged', () => {
		expect(viewOf({ annotations: { [ANNOTATION_RETRY]: 'x'.repeat(256) } }).requests.retry).toBe('x'.repeat(256))
	})
})
