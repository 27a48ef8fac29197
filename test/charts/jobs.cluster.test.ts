import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readConfig } from '../../controller/config.ts'
import { type AgentSettings, runJob } from '../../controller/act/job.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { Job } from '../../runtime/kube/kinds.ts'
import { world } from '../controller/world.ts'
import { changesOf } from './changed.ts'
import { type Cluster, chart, manifests, startCluster, tokenOf } from './release.ts'

/** Tests which Jobs the controller may create, with its credentials. Nothing is written; every attempt is a dry run. */
const namespace = 'multinic-system'
const chartLabels = { team: 'network', 'example.org/cost-centre': '42' }
const chartAnnotations = { 'sidecar.istio.io/inject': 'false', odd: '$(NAMESPACE) $$ "q" \\ <b> é: #1\n  {{ two }} \u2028 \'' }
const run = { attempt: 1, mode: 'Apply', cause: 'SpecChanged', requests: {}, failures: 0 } as const
const owner = { name: 'multinic-agent-worker-1-g1', uid: '0c497169-a104-4448-afde-f27b79fca904' }
let cluster: Cluster
let controller: KubeClient

beforeAll(async () => {
	cluster = await startCluster()
}, 120_000)
afterAll(() => cluster?.stop())

describe.each([
	['privileged', []],
	['hardened', ['--set', 'agent.privileged=false']],
	[
		'pulled from a private registry by its digest',
		[
			...['--set', `agent.image.repository=registry:5000/a/agent,agent.image.digest=sha256:${'a'.repeat(64)}`],
			...['--set', 'agent.image.pullPolicy=Always,imagePullSecrets[0].name=pull,runs.activeDeadlineSeconds=77'],
		],
	],
	[
		'configured with resources, labels, annotations, tolerations and a priority class',
		[
			...['--set-json', 'agent.resources={"requests":{"cpu":0.5,"memory":"1024Mi"},"limits":{"cpu":1,"memory":"2e9"}}'],
			...['--set-json', `agent.podLabels=${JSON.stringify(chartLabels)}`],
			...['--set-json', `agent.podAnnotations=${JSON.stringify(chartAnnotations)}`],
			...['--set-json', 'agent.tolerations=[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":3600},{"key":"b"}]'],
			...['--set', 'agent.priorityClassName=system-node-critical'],
		],
	],
])('with an agent that is %s', (_, values) => {
	let ours: Job

	beforeAll(async () => {
		const { all, exitCode } = await cluster.helm(
			...'upgrade --install multinic'.split(' '),
			chart,
			'-n',
			namespace,
			'--create-namespace',
			...values,
		)
		expect(exitCode, all).toBe(0)
		controller = cluster.as(await tokenOf(cluster, 'multinic-controller', namespace), 'multinic-controller')
		const { config } = world({ config: { namespace } })
		ours = runJob(config, run, owner, await settingsOf(values))
		const isInForce = async () => {
			expect(await answer(withAgent(ours, { image: 'strange' }))).toContain('the image of a run must be')
			expect(await answer(ours)).toBe('done')
		}
		await vi.waitFor(isInForce, { timeout: 120_000, interval: 200 })
	}, 180_000)

	test('the controller may create the Job that it generates', async () => {
		expect(await answer(ours)).toBe('done')
	})

	test('every change to the Job that gives its pod another permission, program, account or node is denied', async () => {
		const whole = await withDefaults(ours)
		expect(await answer(whole)).toBe('done')
		const same = shapeOf(await made(whole))
		const taken: string[] = []
		for (const { path, changed } of changesOf(whole)) {
			if (/^metadata(\.name(space)?)?$/.test(path)) continue
			const job = await made(changed as object)
			if (typeof job === 'object' && !isDeepStrictEqual(shapeOf(job), same)) taken.push(path)
		}
		expect(taken.filter(path => !isHarmless(path))).toEqual([])
		expect(taken.length).toBeGreaterThan(5)
	})

	test.each<[title: string, more: object, said: string]>([
		['an additional label', { labels: { added: 'a' } }, 'must have the labels of its Job and of the chart'],
		['a label of another run', { labels: { 'multinic.io/generation': '9' } }, 'must have the labels of its Job'],
		[
			'the label of another application',
			{ labels: { 'app.kubernetes.io/name': 'multinic-controller' } },
			'must have the labels of its Job',
		],
		['an additional annotation', { annotations: { added: 'a' } }, 'must have the annotations of the chart'],
	])('a pod template with %s is denied', async (_, { labels, annotations }: { labels?: object; annotations?: object }, said) => {
		const { metadata } = ours.spec?.template ?? {}
		const marks = { labels: { ...metadata?.labels, ...labels }, annotations: { ...metadata?.annotations, ...annotations } }
		expect(await answer(withMarks(ours, marks))).toContain(said)
	})

	test.each<[title: string, more: object, said: string]>([
		['another priority', { priorityClassName: 'system-cluster-critical' }, 'must have the priority class of the chart'],
		['another toleration', { tolerations: [{ key: 'c', operator: 'Exists' }] }, 'must have the tolerations of the chart'],
		['an init container', { initContainers: [{ name: 'a', image: 'a' }] }, 'must not set initContainers'],
		['the PID namespace of the node', { hostPID: true }, 'must not set hostPID'],
		['the user namespace of the node', { hostUsers: true }, 'must not set hostUsers'],
		['another runtime class', { runtimeClassName: 'a' }, 'must not set runtimeClassName'],
		['another nameserver', { dnsConfig: { nameservers: ['10.0.0.9'] } }, 'must not set dnsConfig'],
		['host aliases', { hostAliases: [{ ip: '10.0.0.9', hostnames: ['kubernetes'] }] }, 'must not set hostAliases'],
	])('a pod with %s is denied', async (_, more, said) => {
		expect(await answer(withPod(ours, more))).toContain(said)
	})

	test.each<[title: string, more: object, said: string]>([
		['a command', { command: ['sh'] }, 'the agent container must not set command'],
		['arguments', { args: ['-c'] }, 'the agent container must not set args'],
		[
			'a secret in its environment',
			{ env: [{ name: 'RUN', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }] },
			'must be RUN, with a literal value',
		],
		['all keys of a secret in its environment', { envFrom: [{ secretRef: { name: 'a' } }] }, 'must not set envFrom'],
		['a variable that Node.js reads', { env: [{ name: 'NODE_OPTIONS', value: '--import=x' }] }, 'must be RUN, with a literal value'],
		['a preStop hook', { lifecycle: { preStop: { exec: { command: ['sh'] } } } }, 'must not set lifecycle'],
		['a probe', { livenessProbe: { exec: { command: ['sh'] } } }, 'must not set livenessProbe'],
		[
			'more memory',
			{ resources: { requests: { cpu: '10m' }, limits: { memory: '64Gi' } } },
			'must be those of the chart (agent.resources)',
		],
		['no limit', { resources: {} }, 'must be those of the chart (agent.resources)'],
		['another termination message path', { terminationMessagePath: '/host/etc/shadow' }, 'default terminationMessagePath'],
	])('an agent with %s is denied', async (_, more, said) => {
		expect(await answer(withAgent(ours, more))).toContain(said)
	})
})

test.each<[title: string, values: readonly string[], said: string]>([
	['by which MultiNIC finds runs', ['--set', 'agent.podLabels.multinic\\.io/node-name=a'], 'agent/podLabels/multinic.io~1node-name'],
	[
		'with the name of the application',
		['--set', 'agent.podLabels.app\\.kubernetes\\.io/name=a'],
		'agent/podLabels/app.kubernetes.io~1name',
	],
	['that Kubernetes sets on pods of Jobs', ['--set', 'agent.podLabels.job-name=a'], 'agent/podLabels/job-name'],
])('the chart rejects a label %s', async (_, values, said) => {
	const { all, exitCode } = await cluster.helm('template', 'multinic', chart, ...values)
	expect(exitCode).not.toBe(0)
	expect(all).toContain(said)
})

test('the policy does not limit Jobs that MultiNIC does not manage', async () => {
	const containers = [{ name: 'a', image: 'a' }]
	const theirs = { metadata: { name: 'theirs', namespace }, spec: { template: { spec: { restartPolicy: 'Never', containers } } } }
	await expect(cluster.admin.create(Job, theirs as Job, { dryRun: true })).resolves.toBeDefined()
})

/** Fields that grant no permission: duration and repetition, resource use, and hints for the scheduler and the garbage collector. */
function isHarmless(path: string): boolean {
	const ofJob = /^spec\.(ttlSecondsAfterFinished|activeDeadlineSeconds|suspend|podReplacementPolicy|completionMode)$/
	const ofPod =
		/^spec\.template\.spec\.(terminationGracePeriodSeconds|schedulerName|enableServiceLinks|imagePullSecrets.*|containers\.0\.env\.0\.value)$/
	const ofLabels = /^(metadata\.labels|spec\.template\.metadata\.labels)\b/
	const ofOwner = /^metadata\.ownerReferences\.0\.(uid|apiVersion|controller)$/
	return [ofJob, ofPod, ofLabels, ofOwner].some(one => one.test(path))
}

async function settingsOf(values: readonly string[]): Promise<AgentSettings> {
	const { all } = await cluster.helm('template', 'multinic', chart, '-n', namespace, ...values)
	type Pod = { spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } } }
	const deployment = manifests(all).find(({ kind }) => kind === 'Deployment') as unknown as Pod
	const env = deployment.spec.template.spec.containers.flatMap(one => one.env.map(({ name, value }) => [name, value ?? 'pod']))
	return readConfig(Object.fromEntries(env)).agent
}

/** Returns the Job with the defaults of the API server, without what the API server must set itself. */
async function withDefaults(job: Job): Promise<object> {
	const { spec } = await controller.create(Job, job, { dryRun: true })
	const { selector: _, ...rest } = spec ?? {}
	return { ...job, spec: { ...rest, template: { metadata: job.spec?.template.metadata, spec: spec?.template.spec } } }
}

function withMarks(job: Job, metadata: object): object {
	return { ...job, spec: { ...job.spec, template: { ...job.spec?.template, metadata } } }
}

function withPod(job: Job, more: object): object {
	return { ...job, spec: { ...job.spec, template: { ...job.spec?.template, spec: { ...job.spec?.template.spec, ...more } } } }
}

function withAgent(job: Job, more: object): object {
	return withPod(job, { containers: job.spec?.template.spec?.containers.map(one => ({ ...one, ...more })) })
}

async function answer(job: object): Promise<string> {
	const said = await made(job)
	return typeof said === 'string' ? said : 'done'
}

/** @returns the Job as it would be created, or the reason of the denial */
async function made(job: object): Promise<Job | string> {
	try {
		return await controller.create(Job, job as Job, { dryRun: true })
	} catch (error) {
		if (isFailure(error)) return error.message
		throw error
	}
}

/** Returns a Job without the labels of the Job controller, because a field that is omitted and defaulted again is not a change. */
function shapeOf(job: Job | string): object {
	if (typeof job === 'string') return {}
	const { labels, ownerReferences } = job.metadata
	const { selector: _, ...spec } = job.spec ?? {}
	const ofRun = Object.entries(labels ?? {}).filter(([key]) => !isOfBatch(key))
	return JSON.parse(JSON.stringify({ labels: ofRun, ownerReferences, spec }, (key, value) => (isOfBatch(key) ? undefined : value)))
}

function isOfBatch(key: string): boolean {
	return key.startsWith('batch.kubernetes.io/') || key === 'job-name' || key === 'controller-uid'
}
