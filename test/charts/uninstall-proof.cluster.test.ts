import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { FINALIZER } from '../../contract/names.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { readSettings, uninstall } from '../../controller/uninstall/main.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { wordsOf } from '../../runtime/errors.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/kind.ts'
import { Deployment, Job, Secret } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import { endJob } from './end-job.ts'
import { type Cluster, chart, manifests, type Said, startCluster, tokenOf } from './release.ts'
import { type Rule, waitForRights } from './rights.ts'

/**
 * Tests when the hook acts, on a real API server with the real helm. Without a kubelet, the program of the hook runs in this
 * process.
 */
const namespace = 'multinic-system'
const hook = { name: 'multinic-uninstall', namespace }
const Role = defineKind<KubeObject & { rules: Rule[] }>({
	...{ group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles' },
	...{ kind: 'Role', namespaced: true },
})
const done = 'done'
let cluster: Cluster

beforeAll(async () => {
	cluster = await startCluster()
	succeeded(await cluster.kubectl(['create', 'namespace', namespace]))
}, 120_000)
afterAll(() => cluster?.stop())

beforeEach(async () => {
	await cluster.kubectl(['delete', 'job,role,rolebinding', hook.name, '-n', namespace, '--ignore-not-found'])
	succeeded(await cluster.helm('upgrade', '--install', 'multinic', chart, '-n', namespace))
	await waitForCrds(cluster.admin, [nodeConfigCrd])
	const metadata = { name: 'worker-1', namespace, finalizers: [FINALIZER] }
	await cluster.admin.apply(NodeConfig, { metadata, spec: { nodeName: 'worker-1', interfaces: [] } })
	return async () => {
		await cluster.admin.patch(NodeConfig, { name: 'worker-1', namespace }, { metadata: { finalizers: null } })
		for (const helm of [cluster.helm, cluster.helmInConfigMaps])
			await helm('uninstall', 'multinic', '-n', namespace, '--no-hooks', '--ignore-not-found')
	}
})

test.each(['Keep', 'Restore'])('kubectl apply of the output of helm template changes nothing (%s)', async onUninstall => {
	succeeded(await cluster.helm('uninstall', 'multinic', '-n', namespace, '--no-hooks'))
	await applyRendered('template', 'multinic', chart, '--set', `onUninstall=${onUninstall}`)
	const said = await runHook()
	expect(said).toContain('namespace multinic-system has no Secret sh.helm.release.v1.multinic.v1 to v101. Nothing was changed.')
	expect(said).toContain('kubectl annotate deployment multinic-controller -n multinic-system multinic.io/uninstall=confirmed')
	await nothingIsChanged()
	await deleteRendered()
})

test('kubectl apply of the hooks of an installed release changes nothing', async () => {
	await applyRendered('get', 'hooks', 'multinic')
	expect(await runHook()).toMatch(/Secret sh\.helm\.release\.v1\.multinic\.v\d has status deployed\. Nothing was changed/)
	await nothingIsChanged()
})

test('the hook acts on helm uninstall', async () => {
	const uninstalled = cluster.helm('uninstall', 'multinic', '-n', namespace)
	expect(await runHook()).toBe(done)
	succeeded(await uninstalled)
	expect((await cluster.admin.get(NodeConfig, { name: 'worker-1', namespace })).metadata.finalizers).toBeUndefined()
})

test('the hook acts on helm uninstall after a rollback, with the hooks of the first revision', async () => {
	succeeded(await cluster.helm('upgrade', 'multinic', chart, '-n', namespace, '--set', 'logLevel=debug'))
	succeeded(await cluster.helm('rollback', 'multinic', '1', '-n', namespace))
	const uninstalled = cluster.helm('uninstall', 'multinic', '-n', namespace)
	expect(await runHook()).toBe(done)
	succeeded(await uninstalled)
})

test('the revision of a failed and rolled back uninstall still has status uninstalling, and is not accepted as proof', async () => {
	await cluster.admin.create(Job, runningRun)
	const failing = cluster.helm('uninstall', 'multinic', '-n', namespace)
	expect(await runHook(AbortSignal.timeout(500))).toContain('stopped while waiting for runs in progress')
	expect((await failing).all).toContain('failed')
	await endJob(cluster.admin, runningRun.metadata)
	expect(await secretsThatSay('uninstalling')).toContain('sh.helm.release.v1.multinic.v1')
	succeeded(await cluster.helm('rollback', 'multinic', '1', '-n', namespace))
	await applyRendered('get', 'hooks', 'multinic')
	expect(await runHook()).toContain('Secret sh.helm.release.v1.multinic.v2 has status deployed')
	await nothingIsChanged()
})

test('the Secret of a failed uninstall is not accepted as proof by a Job that is applied later', async () => {
	await cluster.admin.create(Job, { ...runningRun, metadata: { ...runningRun.metadata, name: 'running-again' } })
	const failing = cluster.helm('uninstall', 'multinic', '-n', namespace)
	expect(await runHook(AbortSignal.timeout(500))).toContain('stopped while waiting for runs in progress')
	expect((await failing).all).toContain('failed')
	await endJob(cluster.admin, { name: 'running-again', namespace })
	succeeded(await cluster.kubectl(['scale', 'deployment', 'multinic-controller', '--replicas=1', '-n', namespace]))
	const [newest = ''] = (await secretsThatSay('uninstalling')).slice(-1)
	await setTime(newest, '2026-01-01T00:00:00Z')
	await applyRendered('get', 'hooks', 'multinic')
	expect(await runHook()).toContain(`Secret ${newest} has status uninstalling, but from before this Job was created. Nothing was changed.`)
	await nothingIsChanged()
})

test('with releases in ConfigMaps, uninstall stops before anything is deleted until a user confirms', async () => {
	succeeded(await cluster.helm('uninstall', 'multinic', '-n', namespace, '--no-hooks'))
	succeeded(await cluster.helmInConfigMaps('install', 'multinic', chart, '-n', namespace))
	const refused = cluster.helmInConfigMaps('uninstall', 'multinic', '-n', namespace)
	const said = await runHook()
	expect((await refused).exitCode).not.toBe(0)
	await nothingIsChanged()
	const command = /kubectl (annotate .*)$/.exec(said)?.[1] ?? ''
	succeeded(await cluster.kubectl(command.split(' ')))
	const uninstalled = cluster.helmInConfigMaps('uninstall', 'multinic', '-n', namespace)
	expect(await runHook()).toBe(done)
	succeeded(await uninstalled)
	expect(await cluster.admin.find(Deployment, { name: 'multinic-controller', namespace })).toBeUndefined()
})

test('the hook in the output of helm template acts without a release after a confirmation, as documented in install.md for GitOps', async () => {
	succeeded(await cluster.helm('uninstall', 'multinic', '-n', namespace, '--no-hooks'))
	await applyRendered('template', 'multinic', chart, '--no-hooks')
	succeeded(await cluster.kubectl(['annotate', 'deployment', 'multinic-controller', 'multinic.io/uninstall=confirmed', '-n', namespace]))
	await applyRendered('template', 'multinic', chart, '-s', 'templates/uninstall.yaml')
	expect(await runHook()).toBe(done)
	expect((await cluster.admin.get(NodeConfig, { name: 'worker-1', namespace })).metadata.finalizers).toBeUndefined()
	await deleteRendered()
})

test('another value of the annotation is not accepted as a confirmation', async () => {
	succeeded(await cluster.kubectl('annotate deployment multinic-controller multinic.io/uninstall=false -n'.split(' ').concat(namespace)))
	await applyRendered('get', 'hooks', 'multinic')
	expect(await runHook()).toContain('Nothing was changed')
	await nothingIsChanged()
})

test.each(['Keep', 'Restore'])(
	'the hook may read only the Secrets of the first 101 revisions of its release, by name (%s)',
	async onUninstall => {
		const { all } = await cluster.helm('template', 'multinic', chart, '-n', namespace, '--set', `onUninstall=${onUninstall}`)
		const role = manifests(all).find(one => one.kind === 'Role' && one.metadata.name === hook.name)
		const rules = (role?.rules ?? []) as Rule[]
		const [secrets, ...more] = rules.filter(({ resources }) => resources.includes('secrets'))
		const names = Array.from({ length: 101 }, (_, at) => `sh.helm.release.v1.multinic.v${at + 1}`)
		expect(secrets).toEqual({ apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: names })
		expect(more).toEqual([])
	},
)

/** Runs the Job of the hook as it was created, with its environment and its account; then ends it as the Job controller does. */
async function runHook(signal = new AbortController().signal): Promise<string> {
	const job = await expect.poll(unfinishedHook).toBeDefined().then(unfinishedHook)
	const { rules } = await cluster.admin.get(Role, hook)
	await waitForRights(cluster.admin, namespace, hook.name, rules)
	const client = cluster.as(await tokenOf(cluster, hook.name, namespace))
	const env = job?.spec?.template.spec?.containers.flatMap(one => one.env ?? []) ?? []
	const settings = readSettings({ ...Object.fromEntries(env.map(({ name, value }) => [name, value])), POLL_MS: '20' })
	const said = await uninstall(client, settings, { signal, log: createLog('uninstall', { level: 'silent' }) }).then(() => done, wordsOf)
	await endJob(cluster.admin, hook, said === done ? 'Complete' : 'Failed')
	return said
}

async function unfinishedHook(): Promise<Job | undefined> {
	const job = await cluster.admin.find(Job, hook)
	return job?.status?.conditions ? undefined : job
}

async function secretsThatSay(status: string): Promise<string[]> {
	const { items } = await cluster.admin.list(Secret, { namespace, labelSelector: `owner=helm,status=${status}` })
	return items.map(({ metadata }) => metadata.name)
}

/** Sets the time at which a Secret was written; the API server accepts another time only with another field manager. */
async function setTime(name: string, time: string): Promise<void> {
	const { managedFields = [] } = (await cluster.admin.get(Secret, { name, namespace })).metadata
	const of = managedFields.map(one => ({ ...one, manager: 'helm-of-then', time }))
	const { metadata } = await cluster.admin.patch(Secret, { name, namespace }, { metadata: { managedFields: of } })
	expect(metadata.managedFields?.map(one => one.time)).toEqual([time])
}

async function nothingIsChanged(): Promise<void> {
	const { metadata } = await cluster.admin.get(NodeConfig, { name: 'worker-1', namespace })
	expect(metadata.finalizers).toEqual([FINALIZER])
	expect(metadata.deletionTimestamp).toBeUndefined()
	expect((await cluster.admin.get(Deployment, { name: 'multinic-controller', namespace })).spec?.replicas).toBe(1)
}

async function applyRendered(...args: string[]): Promise<void> {
	const { all } = await cluster.helm(...args, '-n', namespace)
	await cluster.kubectl(['delete', 'job', hook.name, '-n', namespace, '--ignore-not-found'])
	succeeded(await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], manifests(all)))
}

/** Deletes everything except the CRD, because its node configs would be deleted with it. */
async function deleteRendered(): Promise<void> {
	const { all } = await cluster.helm('template', 'multinic', chart, '-n', namespace)
	const rendered = manifests(all).filter(({ kind }) => kind !== 'CustomResourceDefinition')
	succeeded(await cluster.kubectl(['delete', '-n', namespace, '--ignore-not-found', '-f', '-'], rendered))
}

function succeeded({ exitCode, all }: Said): void {
	expect(exitCode, all).toBe(0)
}

const runningRun: Job = {
	metadata: { name: 'running', namespace, labels: { 'app.kubernetes.io/name': 'multinic-run' } },
	spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } } },
}
