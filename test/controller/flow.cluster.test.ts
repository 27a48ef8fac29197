import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { NodeConfigSpec, NodeConfigStatus } from '../../contract/node-config.ts'
import { condition } from '../../contract/status.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { defineKind, type Kind, type KubeObject } from '../../runtime/kube/kind.ts'
import { ConfigMap, Event, Job, Namespace, Node, Pod } from '../../runtime/kube/kinds.ts'
import { reportFor } from '../../lab/cluster/fake-kubelet.ts'
import type { Fate } from './kubelet.ts'
import { nicOf } from './nics.ts'
import { eventually, namespace, type Stage, startStage } from './stage.ts'

/** Tests node config → Job → report → status on a real control plane, with the real ServiceAccounts. */
let stage: Stage
const admission = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false }
const Policy = defineKind<KubeObject & { spec: object }>({
	...admission,
	plural: 'validatingadmissionpolicies',
	kind: 'ValidatingAdmissionPolicy',
})
const Binding = defineKind<KubeObject & { spec: object }>({
	...admission,
	plural: 'validatingadmissionpolicybindings',
	kind: 'ValidatingAdmissionPolicyBinding',
})
const LimitRange = defineKind<KubeObject & { spec: object }>({
	...{ group: '', version: 'v1', namespaced: true, plural: 'limitranges', kind: 'LimitRange' },
})
const ResourceQuota = defineKind<KubeObject & { spec: object }>({
	...{ group: '', version: 'v1', namespaced: true, plural: 'resourcequotas', kind: 'ResourceQuota' },
})
const pause = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } }
const started = '1 InProgress 0/1 RunStarted'
const configured = '1 Configured 1/1 AllInterfacesConfigured'

beforeAll(async () => {
	stage = await startStage()
})
afterAll(() => stage?.stop())

describe('with a running controller', () => {
	let controller: ReturnType<Stage['controller']>
	beforeAll(() => {
		controller = stage.controller()
	})
	afterAll(() => controller?.stop())

	test('configures a node with two status writes, a finalizer, Events and columns', async () => {
		await newNode('plain')
		await create('plain')
		await tells('plain', configured)
		expect(stage.story('plain')).toEqual(['new', started, configured])
		const { metadata } = await stage.admin.get(NodeConfig, at('plain'))
		expect(metadata.finalizers).toEqual(['multinic.io/cleanup'])
		const { stdout } = await stage.kubectl('get', 'mnnc', 'plain', '-n', namespace, '--no-headers')
		expect(stdout.split(/\s+/).slice(0, 5)).toEqual(['plain', 'plain', 'Configured', '1/1', 'AllInterfacesConfigured'])
		await eventually(async () => expect(await reasonsOf('plain')).toEqual(['RunStarted', 'AllInterfacesConfigured']))
	})

	test('a spec that changes during a run waits for the end of the run, and then only the newest generation is run', async () => {
		await newNode('busy')
		const gate = Promise.withResolvers<void>()
		stage.kubelet.fate('busy', async input => {
			if (input.generation === 1) await gate.promise
			return { report: reportFor(input), end: 'Succeeded' }
		})
		await create('busy')
		await eventually(() => expect(inputsOf('busy')).toHaveLength(1))
		for (const mtu of [1400, 1300]) await patchSpec('busy', { interfaces: [{ ...nicOf('busy'), mtu }] })
		gate.resolve()
		await tells('busy', '3 Configured 1/1 AllInterfacesConfigured')
		expect(inputsOf('busy').map(({ generation, interfaces }) => [generation, interfaces[0]?.mtu])).toEqual([
			[1, 1450],
			[3, 1300],
		])
		expect(stage.story('busy')).not.toContain('2 Configured 1/1 AllInterfacesConfigured')
	})

	test('a missing NIC is Failed with a reason and retried, while the other NIC is configured', async () => {
		await newNode('late')
		let here = false
		stage.kubelet.fate('late', input => (here ? { report: reportFor(input), end: 'Succeeded' } : waiting(input)))
		await create('late', { interfaces: [nicOf('late'), { id: 1, macAddress: 'fa:16:3e:04:92:c6' }] })
		await tells('late', '1 Failed 1/2 WaitingForDevice')
		expect((await statusOf('late')).interfaceStatuses).toMatchObject([
			{ name: 'multinic0', status: 'Configured' },
			{ name: 'multinic1', status: 'Failed', reason: 'WaitingForDevice' },
		])
		expect(await readyMessage('late')).toMatch(/^multinic1: .*The other interface is configured\. Next attempt in 5 s\.$/)
		here = true
		await tells('late', '1 Configured 2/2 AllInterfacesConfigured')
		expect((await statusOf('late')).lastJobName).toBe('multinic-agent-late-g1-2')
		expect(stage.story('late').filter(line => line.includes('InProgress'))).toHaveLength(1)
	})

	test('a failure that is not retryable waits until a user requests a retry, which runs once', async () => {
		await newNode('stuck')
		stage.kubelet.fate('stuck', input => failing(input, 'MtuRefused'))
		await create('stuck')
		await tells('stuck', '1 Failed 0/1 MtuRefused')
		stage.kubelet.fate('stuck', input => ({ report: reportFor(input), end: 'Succeeded' }))
		await stage.admin.patch(NodeConfig, at('stuck'), { metadata: { annotations: { 'multinic.io/retry': 'please' } } })
		await tells('stuck', configured)
		await eventually(async () => expect((await stage.admin.get(NodeConfig, at('stuck'))).metadata.annotations).toBeUndefined())
		expect(inputsOf('stuck').map(({ attempt }) => attempt)).toEqual([1, 2])
	})

	test('waits for a node that does not exist and reports that', async () => {
		await create('nowhere')
		await tells('nowhere', '1 Pending 0/1 NodeNotFound')
		expect(await readyMessage('nowhere')).toBe('There is no Kubernetes node nowhere. The run starts when it joins.')
		await newNode('nowhere')
		await tells('nowhere', configured)
	})

	test('names the field of a route that the API server accepts and the controller rejects', async () => {
		await newNode('crooked')
		await create('crooked', { interfaces: [{ ...nicOf('crooked'), routes: [{ to: '10.9.0.0/16', via: 'fd00::1' }] }] })
		await tells('crooked', '1 Failed 0/1 InvalidConfig')
		expect(await readyMessage('crooked')).toContain('spec.interfaces[0].routes[0].via: via must be of the family (IPv4 or IPv6) of to')
		await patchSpec('crooked', { interfaces: [nicOf('crooked')] })
		await tells('crooked', '2 Configured 1/1 AllInterfacesConfigured')
	})

	test('reports a pod that Kubernetes cannot start while Kubernetes is still trying', async () => {
		await newNode('refused')
		stage.kubelet.fate('refused', () => ({ refused: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "agent"' } }))
		await create('refused')
		await tells('refused', '1 InProgress 0/1 PodRefused')
		expect(await readyMessage('refused')).toContain('ImagePullBackOff: Back-off pulling image "agent"')
	})

	test('reports a pod that ends without a report as RunLost', async () => {
		await newNode('lost')
		stage.kubelet.fate('lost', () => ({ end: 'Failed', lastWords: 'Segmentation fault' }))
		await create('lost')
		await tells('lost', '1 Failed 0/1 RunLost')
		expect(await readyMessage('lost')).toContain('Segmentation fault')
		await create('after-lost')
		await newNode('after-lost')
		await tells('after-lost', '1 Pending 0/1 Waiting')
		expect(await readyMessage('after-lost')).toMatch(/^The rollout is stopped by lost \(RunLost\)/)
		await patchSpec('lost', { paused: true })
		await tells('after-lost', configured)
	})

	test('reads the report from the pod of a run that could not reach the API server', async () => {
		await newNode('cut')
		stage.kubelet.fate('cut', input => ({ end: 'Succeeded', lastWords: JSON.stringify(reportFor(input)) }))
		await create('cut')
		await tells('cut', configured)
	})

	test('reports a run that the API server denies, and creates it under the same name once it is allowed', async () => {
		await newNode('denied')
		const policy = { metadata: { name: 'no-jobs-for-denied' } }
		await stage.admin.create(Policy, { ...policy, spec: denial('denied') })
		await stage.admin.create(Binding, { ...policy, spec: { policyName: policy.metadata.name, validationActions: ['Deny'] } })
		const probe = { metadata: { name: 'probe', namespace, labels: { 'multinic.io/node-name': 'denied' } }, spec: { template: pause } }
		await eventually(() => expect(stage.admin.create(Job, probe, { dryRun: true })).rejects.toMatchObject({ code: 'INVALID' }))
		await create('denied')
		await tells('denied', '1 Failed 0/1 PodRefused')
		expect(await readyMessage('denied')).toMatch(/no Jobs today\. Next attempt in 30 s\.$/)
		expect(await statusOf('denied')).not.toHaveProperty('lastJobName')
		await stage.admin.delete(Binding, policy.metadata)
		await eventually(() => stage.admin.create(Job, probe, { dryRun: true }))
		await stage.admin.patch(NodeConfig, at('denied'), { metadata: { labels: { look: 'again' } } })
		await tells('denied', configured)
		expect((await statusOf('denied')).history?.map(({ job }) => job)).toEqual(['multinic-agent-denied-g1'])
		expect(inputsOf('denied')).toHaveLength(1)
	})

	const small = { spec: { limits: [{ type: 'Container', max: { memory: '16Mi' } }] }, metadata: { name: 'small', namespace } }
	const noPods = { spec: { hard: { pods: '0' } }, metadata: { name: 'no-pods', namespace } }
	const enforce = (level: string | null) =>
		stage.admin.patch(Namespace, { name: namespace }, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } as never } })

	test.each<[what: string, said: RegExp, forbid: () => Promise<unknown>, allow: () => Promise<unknown>]>([
		[
			'quota',
			/exceeded quota: no-pods/,
			() => stage.admin.create(ResourceQuota, noPods),
			() => stage.admin.delete(ResourceQuota, noPods.metadata),
		],
		[
			'limitrange',
			/maximum memory usage per Container is 16Mi/,
			() => stage.admin.create(LimitRange, small),
			() => stage.admin.delete(LimitRange, small.metadata),
		],
		['podsecurity', /violates PodSecurity "baseline:latest"/, () => enforce('baseline'), () => enforce(null)],
	])(
		'reports the message of Kubernetes for a pod that %s rejects, and continues once the pod is allowed',
		async (node, said, forbid, allow) => {
			await newNode(node)
			await forbid()
			const probe = {
				metadata: { name: 'probe', namespace },
				spec: { hostNetwork: true, containers: [{ name: 'a', image: 'a', resources: { limits: { memory: '1Gi' } } }] },
			}
			await eventually(() => expect(stage.admin.create(Pod, probe, { dryRun: true })).rejects.toMatchObject({ code: 'FORBIDDEN' }))
			await create(node)
			await tells(node, '1 InProgress 0/1 PodRefused')
			const message = await readyMessage(node)
			expect(message).toContain(`The pod of Job multinic-agent-${node}-g1 has not started: `)
			expect(message).toMatch(said)
			await allow()
			await tells(node, configured)
		},
	)

	test('skips a run name that another object already has', async () => {
		await newNode('blocked')
		await stage.admin.create(ConfigMap, { metadata: { name: 'multinic-agent-blocked-g1', namespace }, data: { not: 'ours' } })
		await create('blocked')
		await tells('blocked', configured)
		expect((await statusOf('blocked')).lastJobName).toBe('multinic-agent-blocked-g1-2')
	})

	test('reports drift that a verification finds, and repairs it', async () => {
		await newNode('drifting')
		await create('drifting')
		await tells('drifting', configured)
		stage.kubelet.fate('drifting', input => (input.mode === 'Verify' ? drifted(input) : { report: reportFor(input), end: 'Succeeded' }))
		await stage.admin.patch(NodeConfig, at('drifting'), { metadata: { annotations: { 'multinic.io/verify': 'please' } } })
		await eventually(() => expect(stage.story('drifting').slice(-2)).toEqual(['1 Failed 0/1 Drifted', configured]))
		expect(inputsOf('drifting').map(({ mode, attempt }) => `${mode} ${attempt}`)).toEqual(['Apply 1', 'Verify 2', 'Apply 3'])
		expect((await statusOf('drifting')).history?.[0]).toMatchObject({ cause: 'Drifted', result: 'Configured' })
		expect(await reasonsOf('drifting')).toContain('Drifted')
	})

	test('a requested plan is computed by a run with the request in its annotations, and the status stays unchanged', async () => {
		await newNode('planned')
		await create('planned')
		await tells('planned', configured)
		const before = await statusOf('planned')
		await stage.admin.patch(NodeConfig, at('planned'), { metadata: { annotations: { 'multinic.io/plan': 'q1' } } })
		await eventually(async () => expect((await stage.admin.get(NodeConfig, at('planned'))).metadata.annotations).toBeUndefined())
		const run = await stage.admin.get(ConfigMap, at('multinic-agent-planned-g1-2'))
		expect(run.metadata).toMatchObject({ annotations: { 'multinic.io/plan': 'q1' }, labels: { 'multinic.io/mode': 'Plan' } })
		await eventually(async () => expect((await stage.admin.get(ConfigMap, at(run.metadata.name))).data).toHaveProperty(['report.json']))
		expect(await statusOf('planned')).toEqual(before)
	})

	test('verifies a rebooted node and stores its boot ID', async () => {
		await newNode('booted')
		const bootOf = (bootID: string) => stage.admin.patchStatus(Node, { name: 'booted' }, { nodeInfo: { ...nodeInfo, bootID } })
		let bootID = 'boot-1'
		const machine = { os: 'x', kernel: 'x', virtualization: 'kvm', cpus: 1, memoryMiB: 1 }
		stage.kubelet.fate('booted', input => ({ report: reportFor(input, { machine: { ...machine, bootID } }), end: 'Succeeded' }))
		await bootOf(bootID)
		await create('booted')
		await tells('booted', configured)
		bootID = 'boot-2'
		await bootOf(bootID)
		await eventually(async () => expect(await statusOf('booted')).toMatchObject({ bootID: 'boot-2', state: 'Configured' }))
		expect(inputsOf('booted').map(({ mode }) => mode)).toEqual(['Apply', 'Verify'])
	})

	test('verifies a node that got its pod networks after its run, and passes them to the verification', async () => {
		await newNode('pods-later')
		await create('pods-later')
		await tells('pods-later', configured)
		await stage.admin.patch(Node, { name: 'pods-later' }, { spec: { podCIDR: '10.244.7.0/24', podCIDRs: ['10.244.7.0/24'] } })
		await eventually(() => expect(inputsOf('pods-later').map(({ mode }) => mode)).toEqual(['Apply', 'Verify']))
		expect(inputsOf('pods-later').map(({ podNetworks }) => podNetworks?.at(-1))).toEqual([undefined, '10.244.7.0/24'])
		await tells('pods-later', configured)
	})

	test('configures an interface on another node after the first node releases its MAC', async () => {
		for (const name of ['from', 'to']) await newNode(name)
		const port = nicOf('from')
		await create('from')
		await tells('from', configured)
		await create('to', { interfaces: [port] })
		await tells('to', '1 Pending 0/1 Conflict')
		expect(await readyMessage('to')).toContain('is already used by node config from')
		await patchSpec('from', { interfaces: [] })
		await tells('to', configured)
		await tells('from', '2 Configured 0/0 NoInterfaces')
	})

	test('a paused rollout continues when it is resumed', async () => {
		const settings = at('multinic-rollout')
		await newNode('paused')
		await stage.admin.patch(ConfigMap, settings, { data: { paused: 'true' } })
		await create('paused')
		await tells('paused', '1 Pending 0/1 Waiting')
		expect(await readyMessage('paused')).toContain('The rollout is paused')
		await stage.admin.patch(ConfigMap, settings, { data: { paused: 'false' } })
		await tells('paused', configured)
	})

	test('restores the node of a deleted node config, then removes the node config with its ConfigMap and Job', async () => {
		await newNode('leaving')
		await create('leaving')
		await tells('leaving', configured)
		await stage.admin.delete(NodeConfig, at('leaving'))
		await eventually(() => expect(stage.story('leaving').at(-1)).toBe('gone'))
		expect(inputsOf('leaving').map(({ mode, interfaces }) => [mode, interfaces.length])).toEqual([
			['Apply', 1],
			['Cleanup', 0],
		])
		await eventually(async () => expect(await namesOf(Job, 'leaving')).toEqual([]))
		await eventually(async () => expect(await namesOf(ConfigMap, 'leaving')).toEqual([]))
	})

	test('configures a node config again after it is deleted and created again under the same name', async () => {
		await newNode('again')
		await create('again')
		await tells('again', configured)
		const before = (await stage.admin.get(NodeConfig, at('again'))).metadata.uid
		await stage.admin.delete(NodeConfig, at('again'))
		await eventually(() => expect(stage.story('again').at(-1)).toBe('gone'))
		await create('again')
		await tells('again', configured)
		expect(inputsOf('again').map(({ mode, uid }) => [mode, uid === before])).toEqual([
			['Apply', true],
			['Cleanup', true],
			['Apply', false],
		])
	})

	test('a node that no longer exists does not block the deletion of its node config', async () => {
		await newNode('dead')
		await create('dead')
		await tells('dead', configured)
		await stage.admin.delete(Node, { name: 'dead' })
		await stage.admin.delete(NodeConfig, at('dead'))
		await eventually(() => expect(stage.story('dead').at(-1)).toBe('gone'))
	})
})

describe('a controller that stops', () => {
	test.each([1, 2, 3, 4, 5])('after %i writes is continued by the next one: nothing is lost or done twice', async writes => {
		const name = `crash-${writes}`
		await newNode(name)
		const first = stage.controller({ crashAfter: writes })
		onTestFinished(() => first.stop())
		await create(name, {}, [])
		await first.crashed
		const second = stage.controller()
		onTestFinished(() => second.stop())
		await tells(name, configured)
		expect(await namesOf(Job, name)).toEqual([`multinic-agent-${name}-g1`])
		expect(inputsOf(name)).toHaveLength(1)
	})

	test('writes nothing when it restarts in a settled cluster', async () => {
		const all = (await stage.admin.list(NodeConfig, { namespace })).items.filter(settled).length
		const before = stage.controller()
		await eventually(async () => expect((await stage.admin.list(NodeConfig, { namespace })).items.every(settledOrTrying)).toBe(true))
		await before.stop()
		for (const name of ['refused', 'lost']) await stage.admin.patch(NodeConfig, at(name), { metadata: { finalizers: null } })
		for (const name of ['refused', 'lost']) await stage.admin.delete(NodeConfig, at(name))
		const seen: string[] = []
		const after = stage.controller({ onDecision: ({ act }) => seen.push(act) })
		onTestFinished(() => after.stop())
		await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(all))
		expect(new Set(seen)).toEqual(new Set(['wait']))
		expect(after.writes()).toBe(0)
	})

	test('deletes runs and verifications after their retention time, and the garbage collector deletes their Jobs', async () => {
		await lookAt('plain')
		const told = stage.story('plain').length
		const controller = stage.controller({ keepRunMs: 1 })
		onTestFinished(() => controller.stop())
		await eventually(async () => expect(await namesOf(Job, 'plain')).toEqual([]))
		expect(stage.story('plain').slice(told)).toEqual([])
		expect(await statusOf('plain')).toMatchObject({ state: 'Configured' })
	})
})

function settled({ status }: { status?: NodeConfigStatus | Readonly<Record<string, unknown>> }): boolean {
	return status?.state === 'Configured'
}

function settledOrTrying({ metadata, status }: { metadata: { name: string }; status?: Readonly<Record<string, unknown>> }): boolean {
	return status?.state === 'Configured' || metadata.name === 'refused' || metadata.name === 'lost'
}

/** Returns an admission policy that denies the Jobs of one node. */
function denial(node: string): object {
	return {
		matchConstraints: { resourceRules: [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }] },
		validations: [{ expression: `object.metadata.?labels['multinic.io/node-name'].orValue('') != '${node}'`, message: 'no Jobs today' }],
	}
}

/** Node info as a kubelet reports it; the API server requires every field. */
const nodeInfo = {
	...{ machineID: '', systemUUID: '', kernelVersion: '', osImage: '', containerRuntimeVersion: '', kubeletVersion: '' },
	...{ kubeProxyVersion: '', operatingSystem: '', architecture: '' },
}

function at(name: string) {
	return { name, namespace }
}

function newNode(name: string): Promise<void> {
	return stage.kubelet.addNode(name)
}

async function create(name: string, spec: Partial<NodeConfigSpec> = {}, finalizers = ['multinic.io/cleanup']): Promise<void> {
	const metadata = { name, namespace, finalizers }
	await stage.admin.create(NodeConfig, { metadata, spec: { nodeName: name, interfaces: [nicOf(name)], ...spec } })
}

async function patchSpec(name: string, spec: Partial<NodeConfigSpec>): Promise<void> {
	await stage.admin.patch(NodeConfig, at(name), { spec })
}

async function tells(name: string, line: string): Promise<void> {
	await eventually(() => expect(stage.story(name).at(-1)).toBe(line))
}

async function statusOf(name: string): Promise<NodeConfigStatus> {
	return (await stage.admin.get(NodeConfig, at(name))).status as NodeConfigStatus
}

async function readyMessage(name: string): Promise<string | undefined> {
	return condition(await statusOf(name), 'Ready')?.message
}

async function namesOf(kind: Kind, node: string): Promise<string[]> {
	const { items } = await stage.admin.list<KubeObject>(kind, { namespace, labelSelector: `multinic.io/node-name=${node}` })
	return items.map(({ metadata }) => metadata.name)
}

async function reasonsOf(name: string): Promise<(string | undefined)[]> {
	const { items } = await stage.admin.list(Event, { namespace, fieldSelector: `involvedObject.name=${name}` })
	return items.sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion)).map(({ reason }) => reason)
}

/** Runs a verification that finds nothing new, with a controller that does not delete the run. */
async function lookAt(name: string): Promise<void> {
	const controller = stage.controller()
	await stage.admin.patch(NodeConfig, at(name), { metadata: { annotations: { 'multinic.io/verify': 'please' } } })
	const run = at(`multinic-agent-${name}-g1-2`)
	await eventually(async () => expect((await stage.admin.get(ConfigMap, run)).data).toHaveProperty(['report.json']))
	await controller.stop()
}

function inputsOf(name: string) {
	return stage.kubelet.inputs.filter(input => input.nodeName === name)
}

function waiting(input: Parameters<typeof reportFor>[0]): Fate {
	const whole = reportFor(input)
	const interfaces = whole.interfaces.map(one =>
		one.id === 1 ? { ...one, state: 'Failed' as const, reason: 'WaitingForDevice' as const, message: 'no link has this MAC yet' } : one,
	)
	return { report: { ...whole, outcome: 'PartlyFailed', reason: 'PartlyFailed', interfaces }, end: 'Failed' }
}

function drifted(input: Parameters<typeof reportFor>[0]): Fate {
	const whole = reportFor(input)
	const interfaces = whole.interfaces.map(one => ({
		...one,
		state: 'Failed' as const,
		reason: 'Drifted' as const,
		message: 'mtu 1400, wanted 1450',
	}))
	return { report: { ...whole, outcome: 'Failed', reason: 'Drifted', message: 'In sync 0/1.', interfaces }, end: 'Failed' }
}

function failing(input: Parameters<typeof reportFor>[0], reason: 'MtuRefused'): Fate {
	const whole = reportFor(input)
	const interfaces = whole.interfaces.map(one => ({ ...one, state: 'Failed' as const, reason, message: 'the link carries 1500 at most' }))
	return { report: { ...whole, outcome: 'Failed', reason, interfaces }, end: 'Failed' }
}
