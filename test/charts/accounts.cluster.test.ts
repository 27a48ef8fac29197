import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { AGENT_MANAGER, ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import type { Request } from '../../runtime/kube/request.ts'
import { createLog } from '../../runtime/log.ts'
import { upsert } from '../../viola/apply/upsert.ts'
import { openCluster } from '../../viola/cluster/cluster.ts'
import { wantedOf } from '../../viola/model/wanted.ts'
import { type Account, type Act, accounts, acts, job, namespace, nodeConfig, pod, runOf } from './acts.ts'
import { type Cluster, chart, startCluster, tokenOf } from './release.ts'

/** Tests what each account may and may not do, with its token. Nothing is written, because every attempt is a dry run. */
let cluster: Cluster
let as: Record<Account, KubeClient>

beforeAll(async () => {
	cluster = await startCluster({ controllerManager: ['clusterrole-aggregation-controller'] })
	const viola = '[{"kind":"ServiceAccount","name":"viola","namespace":"default"}]'
	const install = ['install', 'multinic', chart, '-n', namespace, '--create-namespace', '--set-json', `specWriters=${viola}`]
	const { all, exitCode } = await cluster.helm(...install)
	expect(exitCode, all).toBe(0)
	await waitForCrds(cluster.admin, [nodeConfigCrd])
	await putWorld()
	as = await signInAsEach()
	await vi.waitFor(everythingIsInForce, { timeout: 120_000, interval: 200 })
}, 120_000)
afterAll(() => cluster?.stop())

describe.each(accounts)('%s', account => {
	test.each(acts.map(one => [one.may.includes(account) ? 'may' : 'may not', one.act, one] as const))('%s %s', async (_, __, one) => {
		expect(await answer(as[account], one.request)).toMatch(wanted(one, account))
	})
})

test('viola needs only the permissions of a spec writer', async () => {
	const credentials = cluster.credentials(await tokenOf(cluster, 'viola', 'default'))
	const viola = openCluster({ providerId: 'biz', namespace, credentials, log: createLog('viola', { level: 'silent' }) })
	onTestFinished(() => viola.close())
	await expect.poll(() => viola.isSynced()).toBe(true)
	const how = { dryRun: false, signal: new AbortController().signal }
	const node = { nodeName: 'worker-9', instanceId: 'a', interfaces: [{ id: 0, macAddress: 'fa:16:3e:37:c3:f1' }] }
	expect(await upsert(viola, wantedOf(node, viola), how)).toMatchObject({ status: 'created' })
	expect(await upsert(viola, wantedOf({ ...node, interfaces: [] }, viola), how)).toMatchObject({ status: 'updated' })
	expect(await viola.read('worker-9')).toBeDefined()
	expect(await viola.remove('worker-9')).toBe(true)
})

/** Permissions may be granted by mistake; the policies still apply then. */
describe('even with every permission', () => {
	beforeAll(async () => {
		await give('careful-no-more', 'cluster-admin', [account('multinic-controller', namespace), account('multinic-run', namespace)])
		await vi.waitFor(async () => expect(await answer(as.controller, { method: 'GET', path: '/api/v1/secrets' })).toBe('done'), {
			...{ timeout: 120_000, interval: 200 },
		})
	})

	test.each<[who: Account, act: string, said: string]>([
		['controller', 'create a node config', 'must not create or delete node configs'],
		['controller', 'create a node config by applying it', 'must not create or delete node configs'],
		['controller', 'delete a node config', 'must not create or delete node configs'],
		['controller', 'replace a node config', 'must not change the spec of a node config'],
		['controller', "change the rollout's settings", 'may only create and delete ConfigMaps of runs'],
		['controller', 'write the report of a run on worker-1', 'may only create and delete ConfigMaps of runs'],
		['agent', 'patch the status', 'only the controller may write the status'],
		['agent', 'replace the status', 'only the controller may write the status'],
		['agent', 'create the ConfigMap of a run', 'may only update the ConfigMap of its run'],
	])('%s may not %s', async (who, act, said) => {
		expect(await answer(as[who], requestOf(act))).toContain(said)
	})

	test.each(['patch the status', 'replace the status'])('an administrator may not %s', async act => {
		expect(await answer(cluster.admin, requestOf(act))).toContain('only the controller may write the status')
	})
})

function wanted({ may, said = {} }: Act, account: Account): RegExp {
	if (may.includes(account)) return /^done$/
	const policy = said[account]
	return policy === undefined ? /^forbidden: .* cannot / : new RegExp(`^forbidden: .*denied request: .*${policy}`)
}

async function answer(client: KubeClient, request: Request): Promise<string> {
	try {
		await client.raw(request.method === 'PUT' ? await fresh(request) : request)
		return 'done'
	} catch (error) {
		if (isFailure(error, 'FORBIDDEN')) return `forbidden: ${error.message}`
		throw error
	}
}

/** A replacement must contain the resource version of the object. */
async function fresh(request: Request): Promise<Request> {
	const { metadata } = (await cluster.admin.raw({ method: 'GET', path: request.path })) as { metadata: { resourceVersion: string } }
	const body = request.body as { metadata: object }
	return { ...request, body: { ...body, metadata: { ...body.metadata, resourceVersion: metadata.resourceVersion } } }
}

function requestOf(wanted: string): Request {
	const found = acts.find(({ act }) => act === wanted)
	if (!found) throw new Error(`there is no attempt to ${wanted}`)
	return found.request
}

/** An aggregated role and a policy take effect a moment after they are created. */
async function everythingIsInForce(): Promise<void> {
	expect(await answer(as.viewer, requestOf('list node configs'))).toBe('done')
	expect(await answer(as.editor, requestOf('patch the spec'))).toBe('done')
	expect(await answer(as.controller, requestOf('patch the spec'))).toContain('must not change the spec')
	expect(await answer(as.controller, requestOf("delete the rollout's settings"))).toContain('only create and delete ConfigMaps of runs')
	expect(await answer(as.careless, requestOf('patch the status'))).toContain('only the controller')
	expect(await answer(as.agent, requestOf('change the input of a run'))).toContain('report.json')
}

const account = (name: string, namespace = 'default') => ({ kind: 'ServiceAccount', name, namespace })

/** Binds in the namespace of MultiNIC, or cluster-wide for cluster-admin. */
function give(name: string, role: string, subjects: object[]): Promise<void> {
	const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }
	const kind = role === 'cluster-admin' ? 'ClusterRoleBinding' : 'RoleBinding'
	return put([{ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name, namespace }, roleRef, subjects }])
}

async function put(objects: object[]): Promise<void> {
	const { all, exitCode } = await cluster.kubectl(['apply', '-f', '-'], objects)
	expect(exitCode, all).toBe(0)
}

async function putWorld(): Promise<void> {
	const named = (apiVersion: string, kind: string, name: string, more = {}) => ({ apiVersion, kind, metadata: { name, ...more } })
	const here = { namespace }
	const rules = [{ apiGroups: ['multinic.io'], resources: ['*'], verbs: ['*'] }]
	await put([
		nodeConfig('worker-1', {
			labels: { a: 'b' },
			annotations: { [ANNOTATION_RETRY]: 'once', note: 'kept' },
			finalizers: [FINALIZER, 'example.org/other'],
		}),
		...[nodeConfig('worker-2'), runOf('worker-1'), runOf('worker-2')],
		...[named('v1', 'Node', 'worker-1'), named('v1', 'Secret', 'there', here), named('coordination.k8s.io/v1', 'Lease', 'there', here)],
		...['viola', 'editor', 'viewer', 'careless', 'nobody'].map(name => named('v1', 'ServiceAccount', name, { namespace: 'default' })),
		{ ...named('rbac.authorization.k8s.io/v1', 'ClusterRole', 'careless'), rules },
		{ ...job, metadata: { name: 'there', namespace } },
		named('v1', 'ServiceAccount', 'default', here),
		{ ...pod, metadata: { name: 'run-worker-1-x7k2p', namespace }, spec: { ...pod.spec, serviceAccountName: 'multinic-run' } },
	])
	await give('editor', 'edit', [account('editor')])
	await give('viewer', 'view', [account('viewer')])
	await give('careless', 'careless', [account('careless')])
}

async function signInAsEach(): Promise<Record<Account, KubeClient>> {
	const { metadata } = (await cluster.admin.raw({
		method: 'GET',
		path: `/api/v1/namespaces/${namespace}/pods/run-worker-1-x7k2p`,
	})) as typeof pod & {
		metadata: { uid: string }
	}
	const onNode = { name: 'run-worker-1-x7k2p', uid: metadata.uid }
	const other = async (name: string) => cluster.as(await tokenOf(cluster, name, 'default'))
	return {
		controller: cluster.as(await tokenOf(cluster, 'multinic-controller', namespace)),
		agent: cluster.as(await tokenOf(cluster, 'multinic-run', namespace, onNode), AGENT_MANAGER),
		viola: await other('viola'),
		editor: await other('editor'),
		viewer: await other('viewer'),
		careless: await other('careless'),
		nobody: await other('nobody'),
	}
}
