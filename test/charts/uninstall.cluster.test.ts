import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { FINALIZER } from '../../contract/names.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { keep, restore, type Uninstall } from '../../controller/uninstall/main.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { Deployment, Job, Pod } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import { endJob } from './end-job.ts'
import { type Cluster, chart, type Manifest, manifests, startCluster, tokenOf } from './release.ts'
import { type Rule, waitForRights } from './rights.ts'

/** Tests what the pre-delete hook does, with exactly the permissions of the chart. */
const namespace = 'multinic-system'
let cluster: Cluster

beforeAll(async () => {
	cluster = await startCluster()
	const { all, exitCode } = await cluster.helm('install', 'multinic', chart, '-n', namespace, '--create-namespace')
	expect(exitCode, all).toBe(0)
	await waitForCrds(cluster.admin, [nodeConfigCrd])
}, 120_000)
afterAll(() => cluster?.stop())

beforeEach(async () => {
	for (const name of ['worker-1', 'worker-2']) {
		const metadata = { name, namespace, finalizers: ['example.org/other', FINALIZER] }
		await cluster.admin.apply(NodeConfig, { metadata, spec: { nodeName: name, interfaces: [] } })
	}
})

test('Keep stops the controller, waits for its pod and the runs in progress, and removes only the finalizer of MultiNIC', async () => {
	await cluster.admin.create(Pod, pod('multinic-controller-1', 'multinic-controller'))
	await cluster.admin.create(Pod, pod('of-a-kubelet', 'multinic-controller', 'multinic-run'))
	await cluster.admin.create(Job, job('running'))
	const { hook, where, lines } = await signedInAsHook('Keep')
	const done = keep(hook, where)
	await expect.poll(replicas).toBe(0)
	await expect.poll(() => lines.join()).toContain('pods of the controller')
	expect(await finalizers()).toEqual([both, both])
	await cluster.admin.delete(Pod, { name: 'multinic-controller-1', namespace }, { graceSeconds: 0 })
	await expect.poll(() => lines.join()).toContain('runs in progress')
	expect(await finalizers()).toEqual([both, both])
	await endJob(cluster.admin, { name: 'running', namespace })
	await done
	expect(await finalizers()).toEqual([['example.org/other'], ['example.org/other']])
	await keep(hook, where)
})

test('Keep reports what it was waiting for when it is stopped', async () => {
	await cluster.admin.create(Job, job('endless'))
	const { hook, where, stop } = await signedInAsHook('Keep')
	setTimeout(stop, 200)
	await expect(keep(hook, where)).rejects.toMatchObject({
		code: 'STOPPED',
		message: 'stopped while waiting for runs in progress; 1 left: endless',
	})
	await endJob(cluster.admin, { name: 'endless', namespace })
})

test('Keep reports what it was waiting for when helm has timed out and removed its permissions', async () => {
	await cluster.admin.create(Job, job('long'))
	const { hook, where, lines } = await signedInAsHook('Keep')
	const done = keep(hook, where)
	await Promise.all([
		expect(done).rejects.toMatchObject({
			code: 'STOPPED',
			message: expect.stringMatching(/^stopped while waiting for runs in progress; 1 left: long\. helm timed out/),
		}),
		expect
			.poll(() => lines.join())
			.toContain('runs in progress')
			.then(() => cluster.kubectl(['delete', 'role,rolebinding', 'multinic-uninstall', '-n', namespace])),
	])
	await endJob(cluster.admin, { name: 'long', namespace })
})

test('Restore deletes every node config and returns when the controller has released the last one', async () => {
	const { hook, where, lines } = await signedInAsHook('Restore')
	let returned = false
	const done = restore(hook, where).then(() => {
		returned = true
	})
	await expect.poll(deleting).toEqual(['worker-1', 'worker-2'])
	await letGo('worker-1')
	await expect.poll(() => lines.join()).toContain('"left":1')
	expect(returned).toBe(false)
	await letGo('worker-2')
	await done
	expect((await cluster.admin.list(NodeConfig, { namespace })).items).toEqual([])
})

/** Without a kubelet, the program of the hook runs in this process, authenticated as its pod would be. */
test('helm uninstall runs the hook first, then removes everything except the CRD and the objects of users', async () => {
	const uninstalled = cluster.helm('uninstall', 'multinic', '-n', namespace, '--timeout', '60s')
	const at = { name: 'multinic-uninstall', namespace }
	await expect.poll(() => cluster.admin.find(Job, at)).toBeDefined()
	await waitForRights(cluster.admin, namespace, 'multinic-uninstall', rulesIn(await rightsOf('Keep')))
	const hook = cluster.as(await tokenOf(cluster, 'multinic-uninstall', namespace))
	const signal = new AbortController().signal
	const where = { namespace, controller: 'multinic-controller', pollMs: 20, signal, log: createLog('uninstall', { level: 'silent' }) }
	await keep(hook, where)
	expect(await replicas()).toBe(0)
	await endJob(cluster.admin, at, 'Complete')
	const { all, exitCode } = await uninstalled
	expect(exitCode, all).toBe(0)
	expect(await finalizers()).toEqual([['example.org/other'], ['example.org/other']])
	const kinds = 'deployment,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,validatingadmissionpolicy'
	const left = await cluster.kubectl(['get', kinds, '-A', '-l', 'app.kubernetes.io/part-of=multinic', '-o', 'name'])
	expect(left.all).toBe('')
})

const both = ['example.org/other', FINALIZER]

type SignedIn = { hook: KubeClient; where: Uninstall; lines: string[]; stop: () => void }

async function signedInAsHook(onUninstall: 'Keep' | 'Restore'): Promise<SignedIn> {
	const rights = await rightsOf(onUninstall)
	expect(rights.map(one => one.kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding'])
	const { all, exitCode } = await cluster.kubectl(['apply', '-f', '-'], rights)
	expect(exitCode, all).toBe(0)
	await waitForRights(cluster.admin, namespace, 'multinic-uninstall', rulesIn(rights))
	const hook = cluster.as(await tokenOf(cluster, 'multinic-uninstall', namespace))
	const end = new AbortController()
	const lines: string[] = []
	const log = createLog('uninstall', { to: { write: line => void lines.push(line) } })
	const where = { namespace, controller: 'multinic-controller', pollMs: 20, signal: end.signal, log }
	return { hook, where, lines, stop: () => end.abort() }
}

async function rightsOf(onUninstall: 'Keep' | 'Restore'): Promise<Manifest[]> {
	const rendered = await cluster.helm('template', 'multinic', chart, '-n', namespace, '--set', `onUninstall=${onUninstall}`)
	return manifests(rendered.all).filter(one => one.metadata.name === 'multinic-uninstall' && one.kind !== 'Job')
}

function rulesIn(rights: readonly Manifest[]): Rule[] {
	return rights.flatMap(one => (one.kind === 'Role' ? (one.rules as Rule[]) : []))
}

async function replicas(): Promise<number | undefined> {
	return (await cluster.admin.get(Deployment, { name: 'multinic-controller', namespace })).spec?.replicas
}

async function finalizers(): Promise<(string[] | undefined)[]> {
	return (await cluster.admin.list(NodeConfig, { namespace })).items.map(({ metadata }) => metadata.finalizers)
}

async function deleting(): Promise<string[]> {
	const { items } = await cluster.admin.list(NodeConfig, { namespace })
	return items.filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name)
}

async function letGo(name: string): Promise<void> {
	await cluster.admin.patch(NodeConfig, { name, namespace }, { metadata: { finalizers: null } })
}

function pod(name: string, app: string, serviceAccountName = app): Pod {
	return {
		metadata: { name, namespace, labels: { 'app.kubernetes.io/name': app } },
		spec: { serviceAccountName, nodeName: 'worker-1', containers: [{ name: 'a', image: 'a' }] },
	}
}

function job(name: string): Job {
	const labels = { 'app.kubernetes.io/name': 'multinic-run' }
	return {
		metadata: { name, namespace, labels },
		spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } } },
	}
}
