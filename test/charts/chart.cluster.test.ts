import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { access } from '../../controller/access.ts'
import { readConfig } from '../../controller/config.ts'
import { type Cluster, chart, type Manifest, manifests, startCluster } from './release.ts'

let cluster: Cluster
beforeAll(async () => {
	cluster = await startCluster()
}, 120_000)
afterAll(() => cluster?.stop())

const namespace = 'multinic-system'
const install = ['install', 'multinic', chart, '-n', namespace]

async function rendered(...args: string[]): Promise<Manifest[]> {
	const { all, exitCode } = await cluster.helm('template', 'multinic', chart, '-n', namespace, ...args)
	expect(exitCode, all).toBe(0)
	return manifests(all)
}

test('helm lint accepts the chart', async () => {
	expect((await cluster.helm('lint', '--strict', chart)).all).toContain('0 chart(s) failed')
})

test.each<[title: string, set: string, said: string]>([
	['an invalid pull policy', 'agent.image.pullPolicy=Sometimes', 'agent.image.pullPolicy'],
	['an unknown value', 'controler.replicas=2', "additional properties 'controler' not allowed"],
	['an onUninstall that is neither Keep nor Restore', 'onUninstall=Forget', 'onUninstall'],
	['a count below its minimum', 'runs.maxConcurrent=0', 'runs.maxConcurrent'],
	['a ServiceAccount without a namespace', 'specWriters[0].kind=ServiceAccount,specWriters[0].name=viola', 'specWriters.0'],
	['an empty repository', 'controller.image.repository=', 'controller.image.repository'],
	['a repository with a tag', 'agent.image.repository=registry.example.com/multinic-agent:1.2.3', 'agent.image.repository'],
	['a repository with a digest', `agent.image.repository=a/b@sha256:${'a'.repeat(64)}`, 'agent.image.repository'],
	['a misspelled field of resources', 'controller.resources.limit.memory=1Gi', "additional properties 'limit' not allowed"],
	['an unknown resource', 'controller.resources.limits.memry=1Gi', "additional properties 'memry' not allowed"],
	['an invalid quantity', 'controller.resources.limits.memory=lots', 'controller.resources.limits.memory'],
	['a CPU number that is not a multiple of 1m', 'agent.resources.requests.cpu=0.0015', 'agent.resources.requests.cpu'],
	['a CPU string that is not a multiple of 1m', 'agent.resources.requests.cpu=0.5m', 'agent.resources.requests.cpu'],
	['CPU in microcores', 'agent.resources.limits.cpu=1500u', 'agent.resources.limits.cpu'],
	['a misspelled field of an affinity', 'controller.affinity.nodeAfinity=x', "additional properties 'nodeAfinity' not allowed"],
	[
		'an affinity with an incomplete term',
		'controller.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].a=b',
		'topologyKey',
	],
	['a misspelled field of a toleration', 'controller.tolerations[0].kye=x', "additional properties 'kye' not allowed"],
	['a tolerationSeconds without effect NoExecute', 'controller.tolerations[0].tolerationSeconds=1', 'controller.tolerations.0'],
	['an invalid label value', 'monitoring.labels.a=b c', 'monitoring.labels.a'],
	['a user with a namespace', 'specWriters[0].kind=User,specWriters[0].name=a,specWriters[0].namespace=b', 'specWriters.0'],
	['enabled=false outside an umbrella chart', 'enabled=false', "at '.enabled': value must be true"],
])('%s is rejected with the name of the field', async (_, set, said) => {
	const { all, exitCode } = await cluster.helm(...install, '--dry-run=server', '--set', set)
	expect(exitCode).not.toBe(0)
	expect(all.replaceAll('/', '.')).toContain(said)
})

/** Helm removes a default, such as a limit, if a user sets it to null. */
test.each(['requests', 'limits'])('the %s of the agent can be removed with null', async kind => {
	const objects = await rendered('--set', `agent.resources.${kind}=null`)
	const jobs = objects.find(({ metadata }) => metadata.name === 'multinic-controller-jobs')
	expect(JSON.stringify(jobs)).toContain(`{"name":"${kind}Given","expression":"{}"}`)
	const others = kind === 'limits' ? 'requests' : 'limits'
	expect(resourcesIn(objects)).toEqual({ [others]: expect.anything() })
})

test('any other value that is set to null is either optional or rejected with its name', async () => {
	const paths = everyPath(parse(readFileSync(`${chart}/values.yaml`, 'utf8')) as object)
	const said = await Promise.all(paths.map(path => cluster.helm('template', 'm', chart, '-n', namespace, '--set', `${path}=null`)))
	const unclear = said.filter(
		({ exitCode, all }) => exitCode !== 0 && !/values don't meet the specifications|failed parsing --set/.test(all),
	)
	expect(unclear.map(({ all }) => all)).toEqual([])
	expect(said.filter(({ exitCode }) => exitCode === 0).length).toBeGreaterThan(10)
})

test.each([
	'multinic-agent',
	'registry:5000/a/b__c',
	'registry.example.com/team/multinic-agent',
	'[fd00::1]:5000/multinic',
	'localhost/a.b-c',
])('%s is a valid repository', async repository => {
	const sets = ['--set', `controller.image.repository=${repository},controller.image.tag=a`]
	const deployment = (await rendered(...sets)).find(({ kind }) => kind === 'Deployment')
	expect(JSON.stringify(deployment)).toContain(`"${repository}:a"`)
})

test.each<[title: string, set: readonly string[], said: object]>([
	['a fixed one by default', [], { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532 }],
	['none with fixedUser=false, because the platform assigns one', ['--set', 'controller.fixedUser=false'], { runAsNonRoot: true }],
])('the pods of Deployment and Job have a user: %s', async (_, set, user) => {
	const workloads = (await rendered(...set)).filter(({ kind }) => ['Deployment', 'Job'].includes(kind))
	const contexts = workloads.map(one => (template(one).spec as unknown as { securityContext: object }).securityContext)
	const wanted = { ...user, seccompProfile: { type: 'RuntimeDefault' } }
	expect(contexts).toEqual([wanted, wanted])
})

test('the pods of Deployment and Job run on Linux nodes, also with an additional node selector', async () => {
	const workloads = (await rendered('--set', 'controller.nodeSelector.zone=a')).filter(({ kind }) => ['Deployment', 'Job'].includes(kind))
	const selectors = workloads.map(one => (template(one).spec as unknown as { nodeSelector: object }).nodeSelector)
	const wanted = { 'kubernetes.io/os': 'linux', zone: 'a' }
	expect(selectors).toEqual([wanted, wanted])
})

test('a cluster that is too old is rejected', async () => {
	const { all, exitCode } = await cluster.helm('template', 'multinic', chart, '--kube-version', '1.31.9')
	expect(exitCode).not.toBe(0)
	expect(all).toContain('requires kubeVersion: >=1.32.0-0')
})

describe('the controller has exactly the permissions that it declares', () => {
	type Rule = { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }
	const flat = ({ apiGroups, resources, verbs, resourceNames = [] }: Rule) =>
		apiGroups.flatMap(group => resources.map(resource => `${group}/${resource} ${resourceNames}: ${verbs}`))

	test.each([
		['namespace', 'Role'],
		['cluster', 'ClusterRole'],
	] as const)('in the %s', async (scope, kind) => {
		const roles = (await rendered()).filter(one => one.kind === kind && one.metadata.name === 'multinic-controller')
		const given = roles.flatMap(role => (role.rules as Rule[]).flatMap(flat))
		const wanted = access.filter(one => one.scope === scope).map(one => `${one.apiGroup}/${one.resource} ${one.names ?? []}: ${one.verbs}`)
		expect(given.sort()).toEqual(wanted.sort())
	})

	test('the agent may only patch ConfigMaps', async () => {
		const role = (await rendered()).find(one => one.kind === 'Role' && one.metadata.name === 'multinic-run')
		expect(role?.rules).toEqual([{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }])
	})
})

test('the controller accepts the environment of the Deployment and reads every variable in it', async () => {
	const values = [
		'runs.keepSeconds=60',
		'imagePullSecrets[0].name=one',
		'imagePullSecrets[1].name=two',
		'agent.image.digest=sha256:'.padEnd(90, 'a'),
	]
	const deployment = (await rendered(...values.flatMap(set => ['--set', set]))).find(one => one.kind === 'Deployment')
	const env = Object.fromEntries(
		template(deployment).spec.containers.flatMap(({ env }) => env.map(({ name, value }) => [name, value ?? 'pod'])),
	)
	const config = readConfig(env)
	expect(config).toMatchObject({
		namespace,
		runs: { keepRunMs: 60_000 },
		agent: {
			image: `localhost/multinic-agent@sha256:${'a'.repeat(64)}`,
			imagePullSecrets: ['one', 'two'],
			serviceAccount: 'multinic-run',
		},
		listen: { port: 8080 },
		lease: { holder: 'pod' },
	})
	const readers = ['controller/config.ts', 'runtime/process.ts'].map(path => readFileSync(path, 'utf8')).join()
	expect(Object.keys(env).filter(name => !readers.includes(`\t${name}: `))).toEqual([])
})

describe('an installation', () => {
	test('succeeds with one command in a namespace that helm creates', async () => {
		const { all, exitCode } = await cluster.helm(...install, '--create-namespace')
		expect(exitCode, all).toBe(0)
		expect(all).toContain(`kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged`)
		await waitForCrds(cluster.admin, [nodeConfigCrd])
		expect((await cluster.kubectl(['get', 'mnnc', '-n', namespace])).all).toContain('No resources found')
	})

	test('does not print the command for the namespace label if the namespace has the label', async () => {
		await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=privileged'])
		const { all, exitCode } = await cluster.helm('upgrade', 'multinic', chart, '-n', namespace)
		expect(exitCode, all).toBe(0)
		expect(all).not.toContain('kubectl label')
	})

	test('is rejected in a namespace whose Pod Security would reject every run, with the command that fixes it', async () => {
		await cluster.kubectl(['create', 'namespace', 'strict'])
		await cluster.kubectl(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted'])
		const { all, exitCode } = await cluster.helm('upgrade', '--install', 'multinic', chart, '-n', 'strict')
		expect(exitCode).not.toBe(0)
		expect(all).toContain('kubectl label namespace strict pod-security.kubernetes.io/enforce=privileged --overwrite')
	})

	test.each([
		['Deployment', 'true'],
		['Deployment', 'false'],
		['Job', 'true'],
		['Job', 'false'],
	])('the pod of the %s is admitted under restricted Pod Security (fixedUser: %s)', async (kind, fixedUser) => {
		const workloads = await rendered('--set', `controller.fixedUser=${fixedUser}`)
		const { metadata, spec } = template(workloads.find(one => one.kind === kind))
		const pod = {
			apiVersion: 'v1',
			kind: 'Pod',
			metadata: { ...metadata, name: 'tried', namespace: 'strict' },
			spec: { ...spec, serviceAccountName: 'default' },
		}
		await cluster.kubectl(['create', 'serviceaccount', 'default', '-n', 'strict'])
		const said = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], [pod])
		expect(said.all).toContain('pod/tried created (server dry run)')
		const loose = { ...pod, spec: { ...pod.spec, hostNetwork: true } }
		expect((await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], [loose])).all).toContain('violates PodSecurity "restricted')
	})

	test('keeps the CRD and its objects if it is uninstalled without the hook and installed again', async () => {
		const nodeConfig = {
			apiVersion: 'multinic.io/v1',
			kind: 'MultiNicNodeConfig',
			metadata: { name: 'worker-1', namespace },
			spec: { nodeName: 'worker-1', interfaces: [] },
		}
		expect((await cluster.kubectl(['create', '-f', '-'], [nodeConfig])).all).toContain('created')
		expect((await cluster.helm('uninstall', 'multinic', '-n', namespace, '--no-hooks')).exitCode).toBe(0)
		expect((await cluster.kubectl(['get', 'mnnc', '-n', namespace, '-o', 'name'])).all).toContain('worker-1')
		const again = await cluster.helm(...install)
		expect(again.exitCode, again.all).toBe(0)
	})
})

type Template = { metadata: object; spec: { containers: { env: { name: string; value?: string }[] }[] } }

function template(workload: Manifest | undefined): Template {
	if (!workload) throw new Error('the chart renders no such workload')
	return (workload.spec as { template: Template }).template
}

/** Returns the agent resources that the Deployment passes to the controller. */
function resourcesIn(objects: readonly Manifest[]): unknown {
	const found = /"AGENT_RESOURCES","value":("(?:[^"\\]|\\.)*")/.exec(JSON.stringify(objects))?.[1] ?? '""'
	return JSON.parse(JSON.parse(found) as string)
}

function everyPath(values: object, at = ''): string[] {
	return Object.entries(values).flatMap(([key, value]) => {
		const path = `${at}${key.replaceAll('.', '\\.')}`
		const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value)
		return isBranch ? [path, ...everyPath(value, `${path}.`)] : [path]
	})
}
