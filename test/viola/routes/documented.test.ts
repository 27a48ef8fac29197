import { expect, test } from 'vitest'
import { readNode } from '../../../viola/apply/read-nodes.ts'
import { post } from '../../../viola/routes/documented.ts'

const mac = 'fa:16:3e:00:00:01'
const named = (more: object) => ({ nodeName: 'worker-1', interfaces: [{ macAddress: mac, ...more }] })

test.each<[sentence: string, node: object]>([
	['of an older client, with mtu 0 and cidr ""', named({ name: 'multinic0', address: '', cidr: '', mtu: 0 })],
	[
		'with null in every optional field of an interface',
		named({ id: null, name: null, portId: null, mtu: null, routes: null, gateway: null }),
	],
	['with a name in upper case', { nodeName: 'Worker-1', interfaces: [] }],
	['with an unknown field', { ...named({ deviceId: 'x' }), more: 1 }],
])('a node %s is accepted, and the document says so', (_, node) => {
	expect([readNode(node, 0), post.body.safeParse([node]).success]).toEqual([expect.not.objectContaining({ code: 'Invalid' }), true])
})

test.each<[sentence: string, node: object]>([
	['a name that is not ASCII', { nodeName: 'wor\u212aer-1', interfaces: [] }], // the Kelvin sign, whose lower case is "k"
	['an underscore in its name', { nodeName: 'worker_1', interfaces: [] }],
	['no MAC', { nodeName: 'worker-1', interfaces: [{}] }],
	['"" as its MAC', { nodeName: 'worker-1', interfaces: [{ macAddress: '' }] }],
	['an mtu of 1', named({ mtu: 1 })],
])('a node with %s is rejected, and the document says so', (_, node) => {
	expect([readNode(node, 0), post.body.safeParse([node]).success]).toEqual([expect.objectContaining({ code: 'Invalid' }), false])
})

test.each<[sentence: string, body: object]>([
	['of a POST whose nodes may be applied later', { applied: 0, results: [], errors: [{ nodeName: 'a', code: 'Deadline', message: '' }] }],
	['of a POST that is rejected as a whole', { error: { code: 'AUTH_UNAVAILABLE', message: '', requestId: 'r-1' } }],
])('the body %s is documented for status 503', (_, body) => {
	expect(post.response[503].safeParse(body).success).toBe(true)
})
