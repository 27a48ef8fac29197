import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RunConfig, RunMark } from '../../../contract/agent-run.ts'
import { Interfaces } from '../../../contract/interface.ts'
import { CONFIG_KEY } from '../../../contract/names.ts'
import { DEFAULT_POD } from '../../../controller/act/agent-pod.ts'
import { decide } from '../../../controller/rules/decide.ts'
import type { NewRun } from '../../../controller/model/decision.ts'
import { type AgentSettings, runConfigMap, runInput, runJob } from '../../../controller/act/job.ts'
import { eventOf, statusNote } from '../../../controller/act/events.ts'
import { readReport } from '../../../controller/cache/read-report.ts'
import { validTime } from '../../../controller/model/format.ts'
import { reportedStatus } from '../../../controller/status/build-status.ts'
import { readSpec } from '../../../controller/model/read-spec.ts'
import { whenRunLost } from '../../../controller/rules/current-run.ts'
import { ended, nic, nicReport, report, run, someNode, spec, world } from '../world.ts'

const agent: AgentSettings = {
	image: 'registry/agent:1',
	imagePullPolicy: 'IfNotPresent',
	imagePullSecrets: ['pull'],
	serviceAccount: 'multinic-run',
	activeDeadlineSeconds: 300,
	waitForDeviceSeconds: 5,
	commitTimeoutSeconds: 120,
	routeTableBase: 200,
	rulePriorityBase: 20_000,
	privileged: true,
	limits: {
		allowMainTableRoutes: ['10.50.0.0/16'],
		allowDefaultRoute: true,
		protectedNetworks: ['10.96.0.0/12'],
		podNetworks: ['10.245.0.0/16'],
	},
	pod: DEFAULT_POD,
}
const first: NewRun = { attempt: 1, mode: 'Apply', cause: 'SpecChanged', requests: {}, failures: 0 }
const { config, node } = world()
const input = runInput(config, first, { interfaces: [nic], node, agent })
const configMap = runConfigMap(config, first, input)
const job = runJob(config, first, { name: configMap.metadata.name, uid: 'cm-uid' }, agent)
const pod = job.spec?.template.spec

test('the ConfigMap of a run contains the boot ID and the pod networks of the node at that time', () => {
	const { metadata } = runConfigMap(config, first, input, { ...someNode, bootID: 'boot-7', podNetworks: ['10.244.1.0/24', 'fd00::/64'] })
	expect(metadata.annotations).toMatchObject({ 'multinic.io/boot-id': 'boot-7', 'multinic.io/pod-networks': '10.244.1.0/24,fd00::/64' })
})

describe('the objects of a run', () => {
	test('all have the labels of the run', () => {
		const labels = {
			'multinic.io/node-name': 'worker-1',
			'multinic.io/config-uid': 'uid-1',
			'multinic.io/generation': '1',
			'multinic.io/attempt': '1',
			'multinic.io/mode': 'Apply',
		}
		expect(configMap.metadata.labels).toMatchObject(labels)
		expect(job.metadata.labels).toMatchObject(labels)
		expect(job.spec?.template.metadata?.labels).toMatchObject(labels)
	})

	test('the node config owns the ConfigMap, which owns the Job', () => {
		expect(configMap.metadata.ownerReferences).toMatchObject([{ kind: 'MultiNicNodeConfig', uid: 'uid-1' }])
		expect(job.metadata.ownerReferences).toMatchObject([{ kind: 'ConfigMap', uid: 'cm-uid' }])
	})

	test('the run gets the complete input with defaults', () => {
		const told = RunConfig.parse(JSON.parse(configMap.data?.[CONFIG_KEY] ?? ''))
		expect(told).toMatchObject({
			...{ mode: 'Apply', nodeName: 'worker-1', uid: 'uid-1', generation: 1, attempt: 1, nodeAddresses: ['192.168.0.11'] },
			...{ routeTableBase: 200, rulePriorityBase: 20_000, allowMainTableRoutes: ['10.50.0.0/16'], allowDefaultRoute: true },
			...{ protectedNetworks: ['10.96.0.0/12'], podNetworks: ['10.245.0.0/16', '10.244.1.0/24'] },
			interfaces: [{ ...nic, name: 'multinic0', policyRouting: true, connectedRoute: true, defaultRoute: false }],
			report: { namespace: 'multinic-system', configMap: 'multinic-agent-worker-1-g1' },
		})
	})

	test('the pod gets the identity of the run, so that the agent can check its config against it', () => {
		const told = RunMark.parse(JSON.parse(pod?.containers[0]?.env?.find(({ name }) => name === 'RUN')?.value ?? ''))
		expect(input).toMatchObject(told)
	})

	test('a clean-up gets no interfaces, even if the spec has some', () => {
		expect(runInput(config, { ...first, mode: 'Cleanup' }, { interfaces: [nic], node, agent }).interfaces).toEqual([])
	})

	test.each<[title: string, said: unknown, wanted: unknown]>([
		['the pod is assigned to its node without the scheduler', pod?.nodeName, 'worker-1'],
		['the Job does not retry its pod', [job.spec?.backoffLimit, pod?.restartPolicy], [0, 'Never']],
		['the Job has a deadline', job.spec?.activeDeadlineSeconds, 300],
		['the Job has no TTL, because the controller deletes it', job.spec?.ttlSecondsAfterFinished, undefined],
		[
			'the pod uses the network namespace of the host, but not its PID and IPC namespaces',
			[pod?.hostNetwork, pod?.hostPID, pod?.hostIPC],
			[true, undefined, undefined],
		],
		['the pod tolerates all taints', pod?.tolerations, [{ operator: 'Exists' }]],
		['the pod uses the ServiceAccount of runs', pod?.serviceAccountName, 'multinic-run'],
		['the container has a termination message path', pod?.containers[0]?.terminationMessagePath, '/dev/termination-log'],
		['the pod has the image pull secrets', pod?.imagePullSecrets, [{ name: 'pull' }]],
	])('%s', (_, said, wanted) => {
		expect(said).toEqual(wanted)
	})

	test('the pod has the resources, labels, annotations, tolerations and priority of the chart, and keeps the labels of MultiNIC', () => {
		const pod = {
			resources: { limits: { memory: '1Gi' } },
			labels: { team: 'network', 'multinic.io/node-name': 'worker-9' },
			annotations: { note: 'kept' },
			tolerations: [{ key: 'a', operator: 'Exists' as const, tolerationSeconds: 9 }],
			priorityClassName: 'high',
		}
		const { template } = runJob(config, first, { name: 'a', uid: 'b' }, { ...agent, pod }).spec ?? {}
		expect(template?.metadata).toEqual({ labels: { ...job.metadata.labels, team: 'network' }, annotations: { note: 'kept' } })
		expect(template?.spec).toMatchObject({ tolerations: pod.tolerations, priorityClassName: 'high' })
		expect(template?.spec?.containers[0]?.resources).toEqual({ limits: { memory: '1Gi' } })
	})

	test('the pod has no annotations and no priority unless the chart sets them', () => {
		expect(Object.keys(job.spec?.template.metadata ?? {})).toEqual(['labels'])
		expect(pod).not.toHaveProperty('priorityClassName')
	})

	const account = '/var/run/secrets/kubernetes.io/serviceaccount'

	test('the pod mounts the host at /host, the input at /etc/multinic, and its token', () => {
		expect(pod?.volumes?.map(one => one.hostPath?.path ?? one.configMap?.name ?? one.name)).toEqual([
			'/',
			'multinic-agent-worker-1-g1',
			'token',
		])
		expect(pod?.containers[0]?.volumeMounts?.map(one => one.mountPath)).toEqual(['/host', '/etc/multinic', account])
		expect(pod?.containers[0]?.securityContext).toEqual({ privileged: true })
	})

	test('the only token of the pod expires after ten minutes', () => {
		expect(pod?.automountServiceAccountToken).toBe(false)
		const tokens = pod?.volumes?.flatMap(({ projected }) => projected?.sources ?? []).flatMap(one => one.serviceAccountToken ?? [])
		expect(tokens).toEqual([{ path: 'token', expirationSeconds: 600 }])
	})

	test('a hardened pod has four capabilities and write access only to the host paths that a run writes', () => {
		const spec = runJob(config, first, { name: configMap.metadata.name, uid: 'cm-uid' }, { ...agent, privileged: false }).spec?.template
			.spec
		const [container] = spec?.containers ?? []
		expect(container?.securityContext).toMatchObject({
			privileged: false,
			allowPrivilegeEscalation: false,
			readOnlyRootFilesystem: true,
			capabilities: { drop: ['ALL'], add: ['CHOWN', 'NET_ADMIN', 'NET_RAW', 'SYS_CHROOT'] },
			seccompProfile: { type: 'RuntimeDefault' },
		})
		expect([spec?.hostNetwork, spec?.hostPID, spec?.hostIPC]).toEqual([true, undefined, undefined])
		const paths = new Map(spec?.volumes?.map(({ name, hostPath }) => [name, hostPath?.path]))
		const written = container?.volumeMounts?.filter(({ readOnly }) => !readOnly)
		expect(written?.map(({ name, mountPath }) => [paths.get(name), mountPath])).toEqual([
			['/etc', '/host/etc'],
			['/run', '/host/run'],
			['/var/lib/multinic', '/host/var/lib/multinic'],
			['/proc/sys/net', '/host/proc/sys/net'],
		])
	})
})

describe('the report of a run', () => {
	const mark = { name: 'r', node: 'worker-1', uid: 'uid-1', generation: 1, attempt: 1, mode: 'Apply' as const }
	test.each<[title: string, text: string, result: unknown]>([
		['is parsed', JSON.stringify(report()), { report: { outcome: 'Succeeded' } }],
		['that is truncated is rejected', JSON.stringify(report()).slice(0, 100), { fault: 'it is not JSON' }],
		['of another generation is rejected', JSON.stringify(report({ generation: 2 })), { fault: expect.stringContaining('generation 2') }],
		[
			'of another node config of the same name is rejected',
			JSON.stringify(report({ uid: 'other' })),
			{ fault: expect.stringContaining('not to this run') },
		],
		[
			'of another node is rejected',
			JSON.stringify(report({ nodeName: 'worker-2' })),
			{ fault: expect.stringContaining('on worker-2, not to this run') },
		],
		[
			'with an invalid field is rejected with the name of the field',
			JSON.stringify({ ...report(), outcome: 'Fine' }),
			{ fault: expect.stringContaining('outcome') },
		],
	])('%s', (_, text, result) => {
		expect(readReport(text, mark)).toMatchObject(result as object)
	})
})

/** `npm run check` tests a tenth of them. */
const SPECS = (5_000 * Number(process.env.NODES ?? 2_000)) / 2_000

test('a random spec leads to a run or to a message about the invalid field, and never to an exception', () => {
	const seen = { good: 0, bad: 0 }
	fc.assert(
		fc.property(interfaceLists, raw => {
			const parsed = Interfaces.safeParse(raw)
			const snapshot = world({ spec: readSpec({ ...spec, interfaces: raw }).spec })
			const decision = decide(snapshot)
			seen[parsed.success ? 'good' : 'bad']++
			expect(decision).toMatchObject(parsed.success ? { act: 'start' } : { act: 'setStatus', why: 'InvalidConfig' })
			if (!parsed.success || decision.act !== 'start') return
			const told = runInput(snapshot.config, decision.run, { interfaces: parsed.data, node, agent })
			expect(RunConfig.safeParse(told).error).toBeUndefined()
			expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(100_000)
			expect(reportedStatus(snapshot, run({ report: report() })).interfaceStatuses).toHaveLength(parsed.data.length)
		}),
		{ numRuns: SPECS, interruptAfterTimeLimit: 600_000 },
	)
	expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(SPECS / 50)
})

const octet = fc.integer({ min: 0, max: 255 })
const ip = fc.oneof(
	{ arbitrary: fc.tuple(octet, octet, octet, octet).map(parts => parts.join('.')), weight: 5 },
	fc.ipV6(),
	fc.string({ maxLength: 20 }),
)
const cidr = fc.oneof(
	{ arbitrary: fc.tuple(ip, fc.integer({ min: 0, max: 33 })).map(([a, length]) => `${a}/${length}`), weight: 5 },
	fc.string(),
)
const interfaceLists = fc.array(
	fc.record(
		{
			id: fc.integer({ min: -1, max: 10 }),
			name: fc.constantFrom('multinic0', 'multinic1', 'eth0'),
			macAddress: fc.oneof(
				{
					arbitrary: fc.tuple(octet, octet).map(pair => `fa:16:3e:00:${pair.map(part => part.toString(16).padStart(2, '0')).join(':')}`),
					weight: 9,
				},
				fc.string(),
			),
			address: ip,
			cidr,
			mtu: fc.integer({ min: 20, max: 70_000 }),
			addresses: fc.array(cidr, { maxLength: 9 }),
			gateway: ip,
			routes: fc.array(fc.record({ to: cidr, via: ip, metric: fc.integer() }, { requiredKeys: ['to'] }), { maxLength: 17 }),
			defaultRoute: fc.boolean(),
			policyRouting: fc.boolean(),
			connectedRoute: fc.boolean(),
		},
		{ requiredKeys: ['macAddress'] },
	),
	{ maxLength: 11 },
)

const unfitText = /\\u00[01]|\\u007f|\\u00[89]|\\ud[89a-f]|[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/

describe('text that a node controls', () => {
	const mark = { name: 'r', node: 'worker-1', uid: 'uid-1', generation: 1, attempt: 1, mode: 'Apply' as const }
	const unfit = fc.constantFrom('\u001b[31m', '\u0000', '\r\n', '\u009b', '\u202e', '\u2066', '\u200b', '\ud800', '\u2028', '\u007f')
	const words = fc.array(fc.oneof(unfit, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 20 }).map(parts => parts.join(''))

	test('reaches the status from a report without control characters, direction overrides and lone surrogates', () => {
		fc.assert(
			fc.property(words, words, (message, backend) => {
				const nic = nicReport({ message, observed: { link: 'ens7', addresses: [] }, warnings: [{ reason: 'GatewaySilent', message }] })
				const said = report({ message, backend, interfaces: [nic], milliseconds: { [message]: 1 } })
				const reading = readReport(JSON.stringify(said), mark)
				const text = JSON.stringify(reading)
				expect('report' in reading).toBe(true)
				expect(text).not.toMatch(unfitText)
			}),
		)
	})

	test('reaches the status or an Event from pod and Job messages without such characters', () => {
		fc.assert(
			fc.property(words, words, (terminationMessage, refused) => {
				const pod = { hasStarted: terminationMessage.length % 2 === 0, ended: true, refused, terminationMessage }
				const decision = whenRunLost(world({ runs: [run({ job: { ...ended, failure: terminationMessage }, pod })] }))
				if (decision?.act !== 'setStatus') throw new Error('it is not told')
				const text = JSON.stringify(decision.status)
				expect(text).not.toMatch(unfitText)
				const note = { ...statusNote(decision.status), message: refused }
				expect(JSON.stringify(eventOf(world().config, note, { now: 0, secret: 's' }))).not.toMatch(unfitText)
			}),
		)
	})

	test.each([
		['2026-02-28T23:59:59Z', true],
		['2024-02-29T00:00:00.123+05:30', true],
		['2026-02-29T00:00:00Z', false],
		['2026-02-30T00:00:00Z', false],
		['2026-13-01T00:00:00Z', false],
		['2026-00-10T00:00:00Z', false],
		['2026-01-01T24:00:00Z', false],
		['2026-01-01T00:60:00Z', false],
		['2026-01-01T00:00:60Z', false],
		['2026-01-01T00:00:00+24:00', false],
		['2026-01-01', false],
		['2026-01-01T00:00:00z', false],
	])('the time %s is valid: %s', (text, isOne) => {
		expect(validTime(text)).toBe(isOne ? text : undefined)
	})
})
