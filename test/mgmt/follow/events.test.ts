import { expect, test } from 'vitest'
import { meaningOf } from '../../../mgmt/follow/events.ts'

const view = { nodeName: 'worker-1', interfaces: [], deleting: false, generation: 1, resourceVersion: '7' }

test.each<[sentence: string, event: string, data: string, expected: object]>([
	['a node config', 'node-config', JSON.stringify(view), { kind: 'config', view }],
	['a deletion', 'deleted', '{"nodeName":"worker-1","resourceVersion":"9"}', { kind: 'deleted', nodeName: 'worker-1' }],
	['the end of the first node configs', 'synced', '', { kind: 'synced' }],
	['a new beginning', 'reset', '', { kind: 'reset' }],
	['an event of a later version', 'something', '{}', { kind: 'unknown' }],
	['an event without a name', 'message', '{}', { kind: 'unknown' }],
	['data that is not JSON', 'node-config', '{', { kind: 'invalid', nodeName: undefined, fault: 'it is not JSON' }],
	['data without a name', 'deleted', '{}', { kind: 'invalid', nodeName: undefined }],
	[
		'a node config of another shape: its name is still known',
		'node-config',
		'{"nodeName":"worker-1","interfaces":7}',
		{ kind: 'invalid', nodeName: 'worker-1', fault: expect.stringContaining('interfaces') },
	],
	...['\ud800', 'worker-1 ', 'Worker-1', 'a\0b', '__proto__', 'x'.repeat(254)].flatMap(nodeName =>
		['node-config', 'deleted'].map((event): [string, string, string, object] => [
			`${event} of ${JSON.stringify(nodeName.slice(0, 20))}, which no node has as a name`,
			event,
			JSON.stringify({ ...view, nodeName }),
			{ kind: 'invalid', nodeName: undefined, fault: expect.stringContaining('nodeName') },
		]),
	),
	...Object.entries({
		providerId: 'p'.repeat(64),
		instanceId: 'i'.repeat(64),
		resourceVersion: '1'.repeat(21),
		lastManager: 'm'.repeat(129),
		interfaces: [{ macAddress: 'fa:16:3e:00:00:00', address: 'f'.repeat(46) }],
	}).map(([field, value]): [string, string, string, object] => [
		`a node config with too long a text in ${field}: its name is still known`,
		'node-config',
		JSON.stringify({ ...view, [field]: value }),
		{ kind: 'invalid', nodeName: 'worker-1', fault: expect.stringContaining(field) },
	]),
	['data that is nested too deep', 'node-config', '['.repeat(99), { kind: 'invalid', fault: expect.stringContaining('nested') }],
	['data that is too large', 'node-config', `"${'x'.repeat(1 << 20)}"`, { kind: 'invalid', fault: expect.stringContaining('bytes') }],
])('%s', (_, event, data, expected) => {
	expect(meaningOf({ id: '7', event, data })).toMatchObject(expected)
})
