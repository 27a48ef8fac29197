import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crds } from '../../../contract/crds.ts'
import { waitForCrds } from '../../../lab/cluster/wait-for-crds.ts'
import { watchConfigs } from '../../../mgmt/watch.ts'
import { createLog } from '../../../runtime/log.ts'
import { differences } from '../differences.ts'
import { type Cluster, chart as bizChart, type Manifest, startCluster, tokenOf } from '../release.ts'
import { chart, namespace, podOf, render, setJson, type Values } from './rendered.ts'

/** Installs the chart on a real API server, in a namespace that enforces Pod Security `restricted`. */

let cluster: Cluster
beforeAll(async () => {
	const claims = 'persistentvolumeclaim-protection-controller' // removes the finalizer of a claim that is deleted
	cluster = await startCluster({ controllerManager: ['serviceaccount-controller', claims] })
	await cluster.kubectl(['create', 'namespace', namespace])
	await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
	for (const name of ['team-a', 'team-b', 'team-c']) await cluster.kubectl(['create', 'namespace', name])
}, 120_000)
afterAll(() => cluster?.stop())

const teams = { 'mgmt.namespaces': ['team-a', 'team-b'] }
const upgrade = (set: Values = {}, to = namespace) => cluster.helm('upgrade', '--install', 'm', chart, '-n', to, ...setJson(set))
const everything: Values = {
	...teams,
	'mgmt.replicas': 2,
	'mgmt.secretEndpointHosts': ['a.example.com'],
	'mgmt.allowedProviders': { 'team-a': ['p-1'] },
	'mgmt.ca.configMapName': 'authorities',
	'mgmt.extraEnv': [{ name: 'HTTPS_PROXY', value: 'http://proxy:3128' }],
	'mgmt.podAnnotations': { a: 'b' },
	'contrabass.endpoint': 'https://c.example.com',
	'contrabass.encryptKey.secretName': 'aes',
	'database.host': 'db.example.com',
	'database.secretName': 'account',
	'database.ca.secretName': 'authority',
	'viola.token.secretName': 'token',
	'viola.clients.secretName': 'clients',
	'viola.clusters.secretName': 'clusters',
	'viola.tls.secretName': 'tls',
	'inventory.clients.secretName': 'clients',
	'inventory.tls.secretName': 'tls',
	'networkPolicy.enabled': true,
	'networkPolicy.violaClients': [{ namespaceSelector: { matchLabels: { a: 'b' } } }],
}

describe.each<[title: string, set: Values]>([
	['default values', {}],
	['all values set', everything],
	['all namespaces, and the platform sets the user', { 'mgmt.allNamespaces': true, fixedUser: false }],
])('with %s', (_, set) => {
	let rendered: Manifest[]
	const apply = (...args: string[]) => cluster.kubectl(['apply', ...args, '-f', '-'], rendered)
	const stored = async () =>
		(JSON.parse((await cluster.kubectl(['get', '-o', 'json', '-f', '-'], rendered)).all) as { items: Stored[] }).items

	beforeAll(async () => {
		rendered = await render(set)
		expect((await apply()).all).not.toMatch(/[Ww]arning|[Ee]rror/)
	})

	test('every object contains what was rendered, and a second apply changes nothing', async () => {
		const before = await stored()
		expect(before).toHaveLength(rendered.length)
		expect(rendered.flatMap((one, at) => differences(one, before[at], `${one.kind}/${one.metadata.name}`))).toEqual([])
		const { all, exitCode } = await apply()
		expect(exitCode, all).toBe(0)
		expect(versions(await stored())).toEqual(versions(before))
	})

	test('a server-side apply by another tool causes no conflict', async () => {
		const { all, exitCode } = await apply('--server-side', '--dry-run=server', '--field-manager', 'another-tool')
		expect(exitCode, all).toBe(0)
		expect(all).not.toMatch(/[Ww]arning/)
	})

	test.each(['mgmt', 'viola'] as const)('the pod of %s is admitted under restricted Pod Security', async component => {
		const { metadata, spec } = podOf(rendered, component)
		const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'tried', namespace }, spec }
		expect((await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], [pod])).all).toContain('pod/tried created (server dry run)')
		const loose = { ...pod, spec: { ...spec, hostNetwork: true } }
		expect((await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], [loose])).all).toContain('violates PodSecurity "restricted')
	})

	test('no role has a wildcard, and no account more than one scope needs', async () => {
		const rules = rendered.filter(({ kind }) => /Role$/.test(kind)).flatMap(({ rules }) => rules as object[])
		expect(rules.filter(rule => JSON.stringify(rule).includes('"*"'))).toEqual([])
		expect(rules.length).toBeGreaterThan(4)
	})

	afterAll(() => cluster.kubectl(['delete', '--ignore-not-found', '-f', '-'], rendered.filter(isNotCrd)))
})

describe('the permissions of the accounts', () => {
	beforeAll(async () => {
		await cluster.kubectl(['delete', 'crd', 'openstackconfigs.multinic.example.com', '--ignore-not-found'])
		await cluster.kubectl(['delete', 'pvc', '--all', '-n', namespace])
		const { all, exitCode } = await upgrade(teams)
		expect(exitCode, all).toBe(0)
		await waitForCrds(
			cluster.admin,
			crds.filter(({ group }) => group === 'multinic.example.com'),
		)
	})

	test.each<[account: string, verb: string, resource: string, where: string, may: boolean]>([
		['mgmt', 'get', 'openstackconfigs.multinic.example.com', 'team-a', true],
		['mgmt', 'list', 'openstackconfigs.multinic.example.com', 'team-a', true],
		['mgmt', 'watch', 'openstackconfigs.multinic.example.com', 'team-b', true],
		['mgmt', 'patch', 'openstackconfigs.multinic.example.com', 'team-a', true],
		['mgmt', 'patch', 'openstackconfigs.multinic.example.com/status', 'team-a', true],
		['mgmt', 'get', 'secrets', 'team-a', true],
		['mgmt', 'create', 'leases.coordination.k8s.io', namespace, true],
		['mgmt', 'update', 'leases.coordination.k8s.io/multinic-mgmt', namespace, true],
		['mgmt', 'update', 'leases.coordination.k8s.io/other', namespace, false],
		['mgmt', 'list', 'openstackconfigs.multinic.example.com', 'team-c', false],
		['mgmt', 'create', 'openstackconfigs.multinic.example.com', 'team-a', false],
		['mgmt', 'delete', 'openstackconfigs.multinic.example.com', 'team-a', false],
		['mgmt', 'get', 'secrets', 'team-c', false],
		['mgmt', 'get', 'secrets', namespace, false],
		['mgmt', 'list', 'secrets', 'team-a', false],
		['mgmt', 'create', 'pods', namespace, false],
		['mgmt', 'create', 'tokenreviews.authentication.k8s.io', '', true],
		['viola', 'list', 'secrets', namespace, true],
		['viola', 'watch', 'secrets', namespace, true],
		['viola', 'list', 'secrets', 'team-a', false],
		['viola', 'patch', 'secrets', namespace, false],
		['viola', 'list', 'openstackconfigs.multinic.example.com', 'team-a', false],
		['viola', 'create', 'subjectaccessreviews.authorization.k8s.io', '', true],
	])('%s %s %s in %s: %s', async (...[account, verb, resource, where, may]) => {
		const user = `system:serviceaccount:${namespace}:multinic-${account}`
		const [kind = '', sub] = resource.split('/')
		const what = sub === 'status' ? [kind, '--subresource=status'] : [sub ? `${kind}/${sub}` : kind]
		const { all } = await cluster.kubectl(['auth', 'can-i', verb, ...what, '--as', user, ...(where ? ['-n', where] : [])])
		expect(all.trim().split('\n').at(-1)).toBe(may ? 'yes' : 'no')
	})

	test('are enough to watch the OpenstackConfigs of two namespaces, and those of no other', async () => {
		await cluster.kubectl(['apply', '-f', '-'], ['team-a', 'team-b', 'team-c'].map(openstackConfig))
		const stop = new AbortController()
		const client = cluster.as(await tokenOf(cluster, 'multinic-mgmt', namespace))
		const seen: string[] = []
		const configs = watchConfigs({
			...{ client, namespaces: ['team-a', 'team-b'], log: createLog('test', { level: 'error' }), signal: stop.signal },
			onChange: key => seen.push(key),
		})
		await expect.poll(configs.isSynced).toBe(true)
		expect(configs.values().map(({ metadata }) => metadata.namespace)).toEqual(['team-a', 'team-b'])
		stop.abort(new Error('end of the test'))
		await configs.done
		expect(seen.toSorted()).toEqual(['team-a/sample', 'team-b/sample'])
	})
})

describe('the notes', () => {
	test('say how to add a biz cluster, and do not warn in a restricted namespace', async () => {
		const { all } = await upgrade(teams)
		expect(all).toContain('multinic.io/provider-id=PROVIDER_ID')
		expect(all).toContain('in namespace team-a or team-b')
		expect(all).not.toContain('WARNING')
	})

	test.each<[title: string, set: Values, said: string]>([
		['viola without authentication', { 'viola.auth': 'none' }, 'viola accepts every request without authentication'],
		['an inventory without authentication', { 'inventory.auth': 'none' }, 'the inventory API accepts every request without'],
		['an inventory that does not last', { 'inventory.persistence.enabled': false }, 'the inventory is lost with the pod'],
	])('warn of %s', async (_, set, said) => {
		expect((await upgrade({ ...teams, ...set })).all).toContain(said)
	})

	test('name the Secrets that do not exist', async () => {
		await cluster.kubectl(['create', 'secret', 'generic', 'there', '-n', namespace])
		const set = { 'viola.token.secretName': 'there', 'viola.tls.secretName': 'b', 'contrabass.encryptKey.secretName': 'a' }
		expect((await upgrade({ ...teams, ...set })).all).toContain(`these Secrets exist in namespace ${namespace}: a, b.`)
	})

	test('warn of a namespace that allows privileged pods, with the command that fixes it', async () => {
		await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce-'])
		expect((await upgrade(teams)).all).toContain(`kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=restricted`)
	})
})

test('a second release in another namespace is refused, also with --take-ownership', async () => {
	const { all, exitCode } = await cluster.helm('install', 'm', chart, '-n', 'team-c', '--take-ownership')
	expect(exitCode).not.toBe(0)
	expect(all).toContain(`multinic-mgmt is already installed in namespace ${namespace}`)
})

test('both charts install in one namespace, with a warning', async () => {
	const { all, exitCode } = await cluster.helm('install', 'multinic', bizChart, '-n', namespace)
	expect(exitCode, all).toBe(0)
	const again = await upgrade(teams)
	expect(again.exitCode, again.all).toBe(0)
	expect(again.all).toContain('WARNING: charts/multinic is in this namespace too')
})

test('an uninstall keeps the claim, the CRD and its objects, and a new installation takes them over', async () => {
	const claim = async () => (await cluster.kubectl(['get', 'pvc', '-n', namespace, '-o', 'name'])).all
	await upgrade(teams)
	expect((await cluster.helm('uninstall', 'm', '-n', namespace)).exitCode).toBe(0)
	expect(await claim()).toContain('multinic-inventory')
	expect((await cluster.kubectl(['get', 'osc', '-n', 'team-a', '-o', 'name'])).all).toContain('sample')
	const { all, exitCode } = await upgrade(teams)
	expect(exitCode, all).toBe(0)
	expect(await claim()).toContain('multinic-inventory')
})

type Stored = Manifest & { metadata: { resourceVersion: string } }

const versions = (objects: readonly Stored[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`)

const isNotCrd = ({ kind }: Manifest) => kind !== 'CustomResourceDefinition'

function openstackConfig(of: string): object {
	const credentials = { authURL: 'https://keystone.example.com:5000/v3', projectID: 'p' }
	return {
		apiVersion: 'multinic.example.com/v1alpha1',
		kind: 'OpenstackConfig',
		metadata: { name: 'sample', namespace: of },
		spec: { vmNames: ['worker-1'], subnetName: 'test', credentials },
	}
}
