import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMapPart, jobPart, nodePart, podPart } from '../../../controller/cache/protobuf-fields.ts'
import { configMapView, jobView, nodeView, podView } from '../../../controller/cache/projections.ts'
import { type ApiServer, startApiServer } from '../../../lab/cluster/api-server.ts'
import { loadCredentials } from '../../../runtime/kube/auth.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { defineKind, type Kind, type KubeObject, keyOf, type Stored } from '../../../runtime/kube/kind.ts'
import { ConfigMap, Job, Namespace, Node, Pod } from '../../../runtime/kube/kinds.ts'
import type { Message } from '../../../runtime/kube/protobuf.ts'

/** The controller reads the same data from protobuf and from JSON of a real API server. */

let server: ApiServer
let client: KubeClient
const namespace = 'parts'

beforeAll(async () => {
	server = await startApiServer()
	client = new KubeClient(await loadCredentials({ kubeconfig: server.kubeconfig }, {}), { fieldManager: 'test' })
	await client.create(Namespace, { metadata: { name: namespace } })
	await client.create(ServiceAccount, { metadata: { name: 'default', namespace } })
})
afterAll(async () => {
	await client?.close()
	await server?.stop()
})

const ServiceAccount = defineKind({ group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true })

const word = fc.string({ unit: fc.constantFrom('a', 'Z', '0', 'ß', '日', ' ', '"'), maxLength: 12 })
const label = fc.constantFrom(
	'node-role.kubernetes.io/control-plane',
	...['node-name', 'config-uid', 'mode'].map(key => `multinic.example.com/${key}`),
)
const time = fc
	.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
	.map(date => date.toISOString().replace(/\.\d+Z$/, 'Z'))
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const metadata = fc.record({
	labels: optional(fc.dictionary(label, fc.constantFrom('', '3', 'worker-1'), { noNullPrototype: true })),
	annotations: optional(fc.dictionary(label, word, { noNullPrototype: true })),
	finalizers: optional(fc.constant(['example.org/stays'])),
	ownerReferences: optional(
		fc
			.tuple(fc.constantFrom('Job', 'ReplicaSet'), fc.uuid(), fc.constantFrom(true, false, undefined))
			.map(([kind, uid, controller]) => [
				{ apiVersion: 'batch/v1', kind, name: 'a', uid, ...(controller !== undefined && { controller }) },
			]),
	),
})

const condition = fc.record({ type: fc.constantFrom('Ready', 'MemoryPressure'), status: fc.constantFrom('True', 'False', 'Unknown') })
const address = fc.record({ type: fc.constantFrom('InternalIP', 'Hostname', 'ExternalIP'), address: word })
const nodeSpec = fc.constantFrom({}, { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'] })
const nodeStatus = fc.record({
	conditions: optional(fc.uniqueArray(condition, { selector: ({ type }) => type })),
	addresses: optional(fc.uniqueArray(address, { maxLength: 3, selector: one => JSON.stringify(one) })),
	nodeInfo: optional(fc.record({ systemUUID: word, bootID: word, machineID: word, kernelVersion: word, osImage: word })),
})

const container = {
	waiting: fc.record({ reason: word, message: word }, { requiredKeys: [] }),
	running: fc.record({ startedAt: time }, { requiredKeys: [] }),
	terminated: fc.record(
		{ exitCode: fc.integer({ min: 0, max: 255 }), reason: word, message: word, startedAt: time, finishedAt: time },
		{ requiredKeys: ['exitCode'] },
	),
}
const state = fc.oneof(...Object.entries(container).map(([which, value]) => value.map(value => ({ [which]: value }))), fc.constant({}))
const podStatus = fc.record({
	phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
	reason: optional(word),
	message: optional(word),
	containerStatuses: optional(
		fc.array(
			fc.record({
				name: fc.constantFrom('agent', 'proxy'),
				state,
				image: word,
				imageID: word,
				ready: fc.boolean(),
				restartCount: fc.nat(3),
			}),
			{ maxLength: 2 },
		),
	),
})

const data = fc.record({ 'report.json': word, other: word }, { requiredKeys: [] })
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'agent', image: 'agent' }] } }

test.each<[what: string, made: fc.Arbitrary<Made>, seen: Seen]>([
	['a Node', fc.record({ metadata, spec: nodeSpec, status: nodeStatus }), { kind: Node, protobuf: nodePart, view: nodeView }],
	['a ConfigMap', fc.record({ metadata, data }), { kind: ConfigMap, protobuf: configMapPart, view: configMapView }],
	[
		'a pod',
		fc.record({ metadata, status: podStatus, spec: fc.constantFrom(template.spec, { ...template.spec, nodeName: 'worker-1' }) }),
		{ kind: Pod, protobuf: podPart, view: podView },
	],
	['a Job', fc.record({ metadata, status: jobStatus(), spec: fc.constant({ template }) }), { kind: Job, protobuf: jobPart, view: jobView }],
])('%s has the same fields from protobuf and from JSON', async (_, made, { kind, protobuf, view }) => {
	for (const [index, { status, ...object }] of fc.sample(made, 40).entries()) {
		const at = { name: `n${index}`, ...(kind.namespaced && { namespace }) }
		await client.create(kind, { ...object, metadata: { ...object.metadata, ...at } } as KubeObject)
		if (status) await client.patchStatus(kind, at, status as never)
	}
	const views = async (how: { protobuf?: Message<KubeObject> }) => {
		const told: Record<string, unknown> = {}
		const where = kind.namespaced ? { namespace } : {}
		for await (const { type, object } of client.watch(kind, {
			...where,
			...how,
			resourceVersion: undefined,
			signal: new AbortController().signal,
		})) {
			if (type === 'BOOKMARK') break
			told[keyOf((object as Stored<KubeObject>).metadata)] = view(object as never)
		}
		return told
	}
	const expected = await views({})
	expect(Object.keys(expected).length).toBeGreaterThanOrEqual(40)
	expect(await views({ protobuf })).toEqual(expected)
})

type Seen = { kind: Kind; protobuf: Message<KubeObject>; view: (object: never) => unknown }
type Made = { metadata: object; status?: object }

/** A Job status as the Job controller writes it; the API server rejects any other. */
function jobStatus() {
	const condition = fc.record({ lastTransitionTime: time, lastProbeTime: time, reason: word, message: word }, { requiredKeys: [] })
	const startTime = '2026-01-01T00:00:00Z'
	return fc.tuple(condition, fc.constantFrom('Failed', 'Complete', 'Suspended', undefined)).map(([said, type]) => {
		const condition = { status: 'True', ...said }
		if (type === undefined) return {}
		if (type === 'Suspended') return { conditions: [{ type, ...condition }] }
		const before = type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet'
		const conditions = [before, type].map(type => ({ type, ...condition }))
		return { startTime, conditions, ...(type === 'Complete' && { completionTime: startTime, succeeded: 1 }) }
	})
}
