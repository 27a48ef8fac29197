import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AGENT_MANAGER, CONFIG_KEY, LABEL_NODE_NAME, REPORT_KEY, REPORT_MAX_BYTES } from '../../contract/names.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap, Pod } from '../../runtime/kube/kinds.ts'
import { type Cluster, chart, startCluster, tokenOf } from './release.ts'

/** Tests what a run on worker-1 may do, with a token bound to its pod. */
const namespace = 'multinic-system'
let cluster: Cluster
let run: KubeClient

beforeAll(async () => {
	cluster = await startCluster()
	const { all, exitCode } = await cluster.helm('install', 'multinic', chart, '-n', namespace, '--create-namespace')
	expect(exitCode, all).toBe(0)
	for (const node of ['worker-1', 'worker-2']) await cluster.admin.create(ConfigMap, runOf(node))
	await cluster.admin.create(ConfigMap, runOf('worker-1', 'run-worker-1-2'))
	await cluster.admin.create(ConfigMap, { metadata: { name: 'other', namespace }, data: { a: 'b' } })
	run = cluster.as(await tokenOf(cluster, 'multinic-run', namespace, await podOn('worker-1', 'run-worker-1-x7k2p')), AGENT_MANAGER)
	await policyIsEnforced()
}, 120_000)
afterAll(() => cluster?.stop())

const mine = { name: 'run-worker-1', namespace }
const patch = (body: object, at = mine) => run.patch(ConfigMap, at, body)
const report = (text: string) => ({ data: { [REPORT_KEY]: text } })

test('the agent may write the report of its run repeatedly', async () => {
	await patch(report('{"a":1}'))
	const { data } = await patch(report('{"a":2}'))
	expect(data).toEqual({ [CONFIG_KEY]: '{}', [REPORT_KEY]: '{"a":2}' })
})

test('a report of the maximum size is accepted', async () => {
	await patch(report('a'.repeat(REPORT_MAX_BYTES)))
})

test.each<[title: string, body: object, said: string]>([
	['a report that is one byte too long', report('a'.repeat(REPORT_MAX_BYTES + 1)), 'report.json must have at most 65536 bytes'],
	[
		'a report with fewer characters but too many bytes',
		report('é'.repeat(REPORT_MAX_BYTES / 2 + 1)),
		'report.json must have at most 65536 bytes',
	],
	['its own input', { data: { [CONFIG_KEY]: '{"mode":"Cleanup"}' } }, 'only write the key report.json'],
	['the removal of its input', { data: { [CONFIG_KEY]: null } }, 'only write the key report.json'],
	['the removal of all keys', { data: null }, 'only write the key report.json'],
	['another key together with the report', { data: { [REPORT_KEY]: '{}', more: 'x' } }, 'only write the key report.json'],
	['a key in binaryData', { binaryData: { [REPORT_KEY.replace('json', 'bin')]: 'eA==' } }, 'only write the key report.json, in data'],
	['the field immutable', { immutable: true }, 'only write the key report.json, in data'],
	['another node in its label', { metadata: { labels: { [LABEL_NODE_NAME]: 'worker-2' } } }, 'must not change labels'],
	['no label', { metadata: { labels: { [LABEL_NODE_NAME]: null } } }, 'must not change labels'],
	['an additional label', { metadata: { labels: { a: 'b' } } }, 'must not change labels'],
	['an annotation', { metadata: { annotations: { a: 'b' } } }, 'must not change labels'],
	['a finalizer', { metadata: { finalizers: ['example.org/stay'] } }, 'must not change labels'],
	['no owner', { metadata: { ownerReferences: null } }, 'must not change labels'],
	['a generateName', { metadata: { generateName: 'a'.repeat(63) } }, 'must not change labels'],
])('the agent may not write %s', async (_, body, said) => {
	expect(await refusal(patch(body))).toContain(said)
})

describe('the agent may not', () => {
	test('write the report of another node', async () => {
		const said = await refusal(patch(report('{}'), { name: 'run-worker-2', namespace }))
		expect(said).toContain('node worker-1 must not update the ConfigMap of a run on node worker-2')
	})

	test('write the report of another run of the same node', async () => {
		const said = await refusal(patch(report('{}'), { name: 'run-worker-1-2', namespace }))
		expect(said).toContain('pod run-worker-1-x7k2p must not update ConfigMap run-worker-1-2, which belongs to another run')
	})

	test.each<[title: string, act: () => Promise<unknown>]>([
		['as another field manager', () => run.patch(ConfigMap, mine, report('{"b":1}'), { fieldManager: 'multinic-controller' })],
		['by server-side apply', () => run.apply(ConfigMap, { metadata: mine, ...report('{"b":2}') }, { force: true })],
		[
			'by server-side apply as another field manager',
			() => run.apply(ConfigMap, { metadata: mine, ...report('{"b":3}') }, { force: true, fieldManager: 'multinic-controller' }),
		],
		[
			'with a longer list of its own managed fields',
			() => patch({ metadata: { managedFields: [fieldsOf('multinic-agent', 30_000)] }, ...report('{"b":4}') }),
		],
		[
			'with managed fields of another field manager',
			() => patch({ metadata: { managedFields: [fieldsOf('another', 10)] }, ...report('{"b":5}') }),
		],
		['without managed fields', () => patch({ metadata: { managedFields: [{}] }, ...report('{"b":6}') })],
	])('write its report %s', async (_, act) => {
		expect(await refusal(act())).toContain('the agent may only own the field data[report.json], as field manager multinic-agent')
	})

	test('claim a ConfigMap by a label', async () => {
		const label = { metadata: { labels: { [LABEL_NODE_NAME]: 'worker-1' } } }
		expect(await refusal(patch({ ...label, ...report('{}') }, { name: 'other', namespace }))).toContain(
			'must not update the ConfigMap of a run on node',
		)
	})

	test('create a ConfigMap by server-side apply', async () => {
		const one = { metadata: { name: 'new', namespace, labels: { [LABEL_NODE_NAME]: 'worker-1' } }, ...report('{}') }
		expect(await refusal(run.apply(ConfigMap, one))).toContain('forbidden')
	})

	test.each<[title: string, act: () => Promise<unknown>]>([
		['read its ConfigMap', () => run.get(ConfigMap, mine)],
		['list ConfigMaps', () => run.list(ConfigMap, { namespace })],
		['replace its ConfigMap', () => run.replace(ConfigMap, { ...runOf('worker-1'), ...report('{}') })],
		['delete its ConfigMap', () => run.delete(ConfigMap, mine)],
		['patch a ConfigMap of another namespace', () => patch(report('{}'), { name: 'run-worker-1', namespace: 'default' })],
		['list pods', () => run.list(Pod, { namespace })],
	])('%s', async (_, act) => {
		expect(await refusal(act())).toContain('forbidden')
	})
})

/** Permissions may be granted by mistake; the policy still applies then. */
describe('even with every permission on ConfigMaps the agent may not', () => {
	beforeAll(async () => {
		await cluster.kubectl(['create', 'clusterrole', 'careless', '--verb=*', '--resource=configmaps'])
		const subject = `--serviceaccount=${namespace}:multinic-run`
		const { exitCode, all } = await cluster.kubectl(['create', 'clusterrolebinding', 'careless', '--clusterrole=careless', subject])
		expect(exitCode, all).toBe(0)
		await vi.waitFor(() => run.get(ConfigMap, mine), { timeout: 120_000, interval: 200 })
	})

	test.each<[title: string, act: () => Promise<unknown>, said: string]>([
		[
			'create a ConfigMap',
			() => run.create(ConfigMap, { ...runOf('worker-1'), metadata: { name: 'new', namespace } }),
			'not create or delete ConfigMaps',
		],
		['delete its own ConfigMap', () => run.delete(ConfigMap, mine), 'not create or delete ConfigMaps'],
		['replace its input', () => run.replace(ConfigMap, { ...runOf('worker-1'), data: {} }), 'only write the key report.json'],
	])('%s', async (_, act, said) => {
		expect(await refusal(act())).toContain(said)
	})
})

test('a token that is not bound to a pod may write nothing', async () => {
	const unbound = cluster.as(await tokenOf(cluster, 'multinic-run', namespace))
	expect(await refusal(unbound.patch(ConfigMap, mine, report('{}')))).toContain('must be bound to a pod on a node')
})

test('the policy does not limit the controller, which creates and deletes ConfigMaps', async () => {
	const controller = cluster.as(await tokenOf(cluster, 'multinic-controller', namespace))
	await controller.create(ConfigMap, runOf('worker-3'))
	expect(await controller.delete(ConfigMap, { name: 'run-worker-3', namespace })).toBe(true)
})

function runOf(node: string, name = `run-${node}`): ConfigMap {
	return {
		metadata: {
			name,
			namespace,
			labels: { [LABEL_NODE_NAME]: node },
			ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: namespace, uid: '00000000-0000-0000-0000-000000000000' }],
		},
		data: { [CONFIG_KEY]: '{}' },
	}
}

function fieldsOf(manager: string, count: number) {
	const keys = Array.from({ length: count }, (_, index) => [`f:key-${index}`, {}])
	const fieldsV1 = { 'f:data': { 'f:report.json': {}, ...Object.fromEntries(keys) } }
	return { manager, operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 }
}

async function podOn(nodeName: string, name: string): Promise<{ name: string; uid: string }> {
	const containers = [{ name: 'agent', image: 'agent' }]
	const { metadata } = await cluster.admin.create(Pod, {
		metadata: { name, namespace },
		spec: { nodeName, serviceAccountName: 'multinic-run', containers },
	})
	return metadata
}

/**
 * A policy takes effect a moment after it is created. Each write that it still allows adds another key, which is removed afterwards.
 */
async function policyIsEnforced(): Promise<void> {
	let tries = 0
	const attempt = async () => expect(await refusal(patch({ data: { [`early-${tries++}`]: 'x' } }))).toContain('report.json')
	await vi.waitFor(attempt, { timeout: 120_000, interval: 200 })
	await cluster.admin.replace(ConfigMap, runOf('worker-1'))
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
	try {
		await attempt
		return 'it was allowed'
	} catch (error) {
		if (isFailure(error, 'FORBIDDEN')) return error.message
		throw error
	}
}
