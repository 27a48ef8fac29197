import { describe, expect, test } from 'vitest'
import { NodeConfig } from '../../../cli/model/kinds.ts'
import type { AgentReport } from '../../../contract/agent-run.ts'
import { ConfigMap, Event, Job, Node, Pod } from '../../../runtime/kube/kinds.ts'
import { answering, runOfLook, clusterOf, namespace, putRunPod, type Stage, startStage } from '../cluster.ts'
import { ago, command, configured, now, running } from '../fixtures.ts'

/** Tests commands that request a run, and the output of runs. */

const run = runOfLook
const nic = { id: 0, name: 'multinic0', macAddress: 'fa:16:3e:37:c3:f1', changes: 0, warnings: [] }

function report(more: Partial<AgentReport>): AgentReport {
	return {
		...{ nodeName: 'worker-1', uid: 'u', generation: 1, attempt: 2, version: 1, mode: 'Verify', backend: 'netplan-networkd' },
		...{ outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: 'In sync 1/1.', changes: 0, milliseconds: {} },
		persistent: { status: 'True', message: '' },
		...{ started: ago(2), finished: '2026-03-01T12:00:00Z' },
		interfaces: [{ ...nic, state: 'Configured', reason: 'Configured', message: 'as wanted' }],
		probes: { before: [], after: [] },
		...more,
	} as AgentReport
}

async function stage(): Promise<Stage> {
	const made = await startStage()
	made.put('worker-1', configured, { status: { lastJobName: 'multinic-agent-worker-1-g1' } })
	return made
}

describe('diff', () => {
	test('exits with 0 if nothing differs', async () => {
		const one = await stage()
		answering(one, JSON.stringify(report({})))
		expect(await command('diff worker-1', { cluster: one.cluster })).toEqual({
			code: 0,
			err: '',
			out: `worker-1 matches generation 1 of its node config (checked by Job ${run})\n`,
		})
		expect(one.server.objects.get(NodeConfig, { namespace, name: 'worker-1' })?.metadata.annotations).toEqual({
			'multinic.io/verify': 'fresh-1',
		})
	})

	test('prints desired and observed values, and exits with 1', async () => {
		const one = await stage()
		const drift = [
			{ attribute: 'mtu' as const, wanted: '1450', found: '1500' },
			{ attribute: 'address' as const, wanted: '10.0.0.23/24', found: 'missing' },
			{ attribute: 'sysctl' as const, of: 'rp_filter', wanted: '2', found: '1' },
			{ attribute: 'file' as const, of: '/etc/netplan/90-multinic.yaml', wanted: 'there', found: 'missing' },
		]
		const late = { ...nic, id: 1, name: 'multinic1', macAddress: 'fa:16:3e:04:92:c6', state: 'Failed' as const }
		const answer = report({
			...{ outcome: 'Failed', reason: 'Drifted', message: 'mtu is 1500, not 1450' },
			interfaces: [
				{ ...nic, state: 'Failed', reason: 'Drifted', message: '', drift },
				{ ...late, reason: 'WaitingForDevice', message: 'no link has this MAC' },
			],
			drift: [{ attribute: 'rule', link: 'ens9', wanted: 'none', found: 'from 10.0.9.1 table 109 priority 10009' }],
			notes: ['NetworkManager did not answer'],
		})
		answering(one, JSON.stringify(answer))
		expect(await command('diff worker-1', { cluster: one.cluster })).toEqual({
			code: 1,
			err: '',
			out: `--- worker-1, generation 1, desired
+++ worker-1, observed by Job ${run} at 2026-03-01T12:00:00Z
@@ multinic0 fa:16:3e:37:c3:f1 @@
-mtu 1450
+mtu 1500
-address 10.0.0.23/24
-sysctl rp_filter 2
+sysctl rp_filter 1
-file /etc/netplan/90-multinic.yaml
@@ multinic1 fa:16:3e:04:92:c6 @@
 WaitingForDevice: no link has this MAC
@@ leftover @@
+ens9: rule from 10.0.9.1 table 109 priority 10009
# NetworkManager did not answer
`,
		})
	})

	test('prints drift outside single interfaces separately from leftovers', async () => {
		const one = await stage()
		const drift: AgentReport['drift'] = [
			{ attribute: 'file', of: '/var/lib/multinic/record.json', wanted: 'there', found: 'missing' },
			{ attribute: 'file', of: '/etc/netplan/99-multinic4.yaml', wanted: 'none', found: 'there' },
			{ attribute: 'name', link: 'multinic4', wanted: 'ens9', found: 'multinic4' },
		]
		answering(one, JSON.stringify(report({ outcome: 'Failed', reason: 'Drifted', drift })))
		expect((await command('diff worker-1', { cluster: one.cluster })).out).toMatch(
			/@@ leftover @@\n\+file \/etc\/netplan\/99-multinic4.yaml\n-multinic4: name ens9\n\+multinic4: name multinic4\n@@ host files @@\n-file \/var\/lib\/multinic\/record.json\n$/,
		)
	})

	test('as JSON prints the whole report', async () => {
		const one = await stage()
		answering(one, JSON.stringify(report({})))
		expect(JSON.parse((await command('diff worker-1 -o json', { cluster: one.cluster })).out)).toEqual(report({}))
	})

	test.each<[title: string, text: string, err: string]>([
		['not JSON', '{', `^error: the report of run ${run} cannot be read: it is not JSON\n$`],
		[
			'invalid',
			'{"version":2}',
			`^error: the report of run ${run} cannot be read: nodeName: Invalid input: expected string, received undefined; .*; and \\d+ more\n$`,
		],
	])('rejects a report that is %s', async (_, text, err) => {
		const one = await stage()
		answering(one, text)
		expect(await command('diff worker-1', { cluster: one.cluster })).toEqual({ code: 1, out: '', err: expect.stringMatching(err) })
	})

	test('reports a run that ends without a report', async () => {
		const one = await stage()
		const conditions = [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded' }]
		one.server.objects.create(Job, { metadata: { name: run, namespace } })
		one.server.objects.patchStatus(Job, { name: run, namespace }, { conditions })
		answering(one, undefined)
		const { code, err } = await command('diff worker-1', { cluster: one.cluster })
		expect({ code, err }).toEqual({
			code: 1,
			err: `error: Job ${run} finished without a report; see: kubectl multinic logs worker-1 --run ${run}\n`,
		})
	})

	test('does not wait for a paused node', async () => {
		const one = await startStage()
		one.put('worker-1', { reason: 'Paused' }, { spec: { paused: true } })
		expect(await command('diff worker-1', { cluster: one.cluster })).toEqual({
			code: 1,
			out: '',
			err: 'error: worker-1 is paused, so no read-only run starts either. Resume with: kubectl multinic resume worker-1\n',
		})
	})

	test('reports the visible causes if no run reports in time, and withdraws the request', async () => {
		const one = await startStage({ lease: {} })
		one.put('worker-1', { reason: 'NodeNotReady', message: 'The kubelet of node worker-1 does not report.' })
		one.server.objects.create(Node, { metadata: { name: 'worker-1' } })
		one.server.objects.patchStatus(Node, { name: 'worker-1' }, { conditions: [{ type: 'Ready', status: 'Unknown' }] })
		one.server.objects.create(Event, {
			metadata: { name: 'e', namespace },
			involvedObject: { kind: 'MultiNicNodeConfig', name: 'worker-1', namespace },
			...{ type: 'Warning', reason: 'PodRefused', message: 'ImagePullBackOff', lastTimestamp: ago(40) },
		} as never)
		const { code, err } = await command('diff worker-1 --timeout 3s', { cluster: one.cluster, now: hurried() })
		expect(code).toBe(1)
		expect(err.replace(/\d+s ago/, '40s ago')).toBe(`error: timed out after 3 s waiting for a run on worker-1; nothing was changed
  the node config is Pending (NodeNotReady): The kubelet of node worker-1 does not report.
  no controller holds Lease multinic-controller; check that it is running: kubectl get pods -n multinic-system -l app.kubernetes.io/name=multinic-controller
  its kubelet is not reporting, so no pod can start there
  Event 40s ago: PodRefused: ImagePullBackOff
  more: kubectl multinic get worker-1; kubectl get events -n multinic-system; kubectl get pods -n multinic-system
`)
		expect(one.server.objects.get(NodeConfig, { namespace, name: 'worker-1' })?.metadata.annotations ?? {}).toEqual({})
	})
})

/** Returns a clock that advances 2 s on every reading. */
function hurried(): () => number {
	let asked = 0
	return () => now + 2_000 * asked++
}

test.each<[title: string, spec: object, said: string]>([
	[
		'that released its Lease',
		{ holderIdentity: '', renewTime: ago(1) },
		'no controller holds Lease multinic-controller; check that it is running:',
	],
	[
		'that stopped renewing its Lease',
		{ holderIdentity: 'a', renewTime: ago(600) },
		'was renewed 10m ago; check that the controller is running:',
	],
	['that is the leader', { holderIdentity: 'a', renewTime: ago(1) }, ''],
])('checks for a controller %s if no run reports in time', async (_, spec, said) => {
	const { cluster, put } = await startStage({ lease: spec })
	put('worker-1', configured)
	const { err } = await command('plan worker-1 --timeout 3s', { cluster, now: hurried() })
	expect(err).toContain(said)
	expect(err.includes('Lease')).toBe(said !== '')
})

describe('plan', () => {
	test('prints every command, every file and the disruption', async () => {
		const one = await stage()
		const plan: AgentReport['plan'] = {
			commands: ['ip link set if7 name multinic0', 'ip address add 10.0.0.23/24 dev if7'],
			links: { if7: 'ens7' },
			files: [{ path: '/etc/netplan/90-multinic.yaml', action: 'create', mode: '600', bytes: 8, content: 'a: 1\nb: 2\n' }],
			disruption: { class: 'Blip', because: 'ens7 is up and renamed' },
		}
		const disruption = { class: 'Blip' as const, because: 'ens7 is up and renamed' }
		const interfaces = [{ ...nic, state: 'Pending' as const, reason: 'Planned' as const, message: 'planned', disruption }]
		answering(one, JSON.stringify(report({ mode: 'Plan', reason: 'Planned', interfaces, plan })))
		expect(await command('plan worker-1', { cluster: one.cluster })).toEqual({
			code: 0,
			err: '',
			out: `worker-1, generation 1, backend netplan-networkd: planned changes
Computed by Job ${run} at 2026-03-01T12:00:00Z; nothing was changed
multinic0   fa:16:3e:37:c3:f1   Planned   Blip: ens7 is up and renamed

Commands
  ip link set if7 name multinic0
  ip address add 10.0.0.23/24 dev if7
  (if7 is ens7)

Files
  create  /etc/netplan/90-multinic.yaml  mode 600  8 bytes
      | a: 1
      | b: 2

Disruption
  Blip: ens7 is up and renamed
`,
		})
	})

	test('without changes prints "no changes"', async () => {
		const one = await stage()
		const plan: AgentReport['plan'] = { commands: [], links: {}, files: [], disruption: { class: 'None', because: '' } }
		answering(one, JSON.stringify(report({ mode: 'Plan', reason: 'Planned', plan })))
		const { code, out } = await command('plan worker-1', { cluster: one.cluster })
		expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('no changes, the node is up to date\n') })
	})

	const refusal = { ...nic, state: 'Failed' as const, reason: 'InUse' as const, message: 'vlan5 is on top of it' }
	const none: AgentReport['plan'] = { commands: [], links: {}, files: [], disruption: { class: 'None', because: '' } }
	const blip = { class: 'Blip' as const, because: 'ens7 is up and renamed' }
	const some: AgentReport['plan'] = { commands: ['ip link set if7 up'], links: {}, files: [], disruption: blip }
	const kept = { name: 'multinic4', macAddress: 'fa:16:3e:00:00:04', reason: 'NameTaken' as const, message: 'ens4 is there' }
	test.each<[title: string, more: Partial<AgentReport>, end: string]>([
		[
			'no interface can be configured',
			{ outcome: 'Failed', interfaces: [refusal], plan: none },
			'\nno changes\nmultinic0 cannot be configured (InUse)\n',
		],
		[
			'one interface cannot be configured, and others can',
			{
				outcome: 'PartlyFailed',
				interfaces: [refusal, { ...nic, name: 'multinic1', state: 'Pending', reason: 'Planned', message: '' }],
				plan: some,
			},
			'  Blip: ens7 is up and renamed\n\nmultinic0 cannot be configured (InUse)\n',
		],
		[
			'one interface cannot be removed',
			{ outcome: 'PartlyFailed', notRemoved: [kept], plan: none },
			'\nno changes\nmultinic4 cannot be removed (NameTaken): ens4 is there\n',
		],
	])('reports that %s and exits with 1', async (_, more, end) => {
		const one = await stage()
		answering(one, JSON.stringify(report({ mode: 'Plan', reason: 'InUse', ...more })))
		const { code, out } = await command('plan worker-1', { cluster: one.cluster })
		expect([code, out.slice(-end.length)]).toEqual([1, end])
		expect(out).not.toContain('nothing to do')
	})

	test('that cannot be computed prints the message of the run and exits with 1', async () => {
		const one = await stage()
		answering(
			one,
			JSON.stringify(report({ mode: 'Plan', outcome: 'Failed', reason: 'UnknownBackend', message: 'nobody manages this host' })),
		)
		const { code, out } = await command('plan worker-1', { cluster: one.cluster })
		expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('no plan: nobody manages this host\n') })
	})
})

describe('logs', () => {
	const ended = { phase: 'Succeeded', containerStatuses: [{ name: 'agent', state: { terminated: { exitCode: 0 } } }] }

	/** The fake API server has no logs; it returns the requested path instead. */
	function saying({ server }: Stage): void {
		server.onRequest(({ path, query }) =>
			path.endsWith('/log') ? { fault: 'answer', status: 200, body: `${path.split('/').at(-2)} ${query}\n` } : undefined,
		)
	}

	function putPod(one: Stage, name: string, seconds: number, status: object): void {
		putRunPod(one, { node: 'worker-1', name, created: ago(seconds), status })
	}

	test('ignores a pod that only its node labelled as the pod of a run', async () => {
		const one = await stage()
		saying(one)
		putPod(one, 'run-1-a', 60, ended)
		const labels = { 'multinic.io/node-name': 'worker-1', 'batch.kubernetes.io/job-name': 'run-1' }
		const mirror = { 'kubernetes.io/config.mirror': 'x' }
		one.server.objects.create(Pod, {
			metadata: { name: 'forged', namespace, labels, annotations: mirror, creationTimestamp: ago(1) },
			spec: { nodeName: 'worker-1', containers: [] },
		} as never)
		one.server.objects.patchStatus(Pod, { name: 'forged', namespace }, ended as never)
		expect((await command('logs worker-1', { cluster: clusterOf(one.server.credentials) })).out).toBe('run-1-a container=agent\n')
	})

	test('prints the log of the last run, or of the run in --run', async () => {
		const one = await stage()
		saying(one)
		putPod(one, 'run-1-a', 60, ended)
		putPod(one, 'run-2-b', 30, ended)
		expect(await command('logs worker-1 --run run-1', { cluster: clusterOf(one.server.credentials) })).toEqual({
			code: 0,
			out: 'run-1-a container=agent\n',
			err: '',
		})
		expect((await command('logs worker-1 -f --run run-2', { cluster: clusterOf(one.server.credentials) })).out).toBe(
			'run-2-b container=agent&follow=true\n',
		)
	})

	test('prints a note before the log of a run that is not the last one', async () => {
		const one = await startStage()
		saying(one)
		const refused = { state: 'Failed' as const, reason: 'PodRefused', message: 'pods are forbidden: exceeded quota.' }
		one.put('worker-1', refused, { status: { lastJobName: 'multinic-agent-worker-1-g2' } })
		one.server.objects.patch(NodeConfig, { name: 'worker-1', namespace }, { spec: { paused: false } })
		const { generation = 0 } = one.server.objects.get(NodeConfig, { name: 'worker-1', namespace })?.metadata ?? {}
		one.server.objects.patchStatus(NodeConfig, { name: 'worker-1', namespace }, { observedGeneration: generation })
		const labels = { 'multinic.io/generation': '1' }
		putRunPod(one, { node: 'worker-1', name: 'multinic-agent-worker-1-g1-a', labels, created: ago(60), status: ended })
		expect([generation, await command('logs worker-1', { cluster: one.cluster })]).toEqual([
			2,
			{
				code: 0,
				out: 'multinic-agent-worker-1-g1-a container=agent\n',
				err: `note: run multinic-agent-worker-1-g1 belongs to generation 1, not to the current generation 2, which is Failed (PodRefused): pods are forbidden: exceeded quota. See its current state with: kubectl multinic get worker-1
`,
			},
		])
	})

	test('prints the log of the later of two runs that started in the same second', async () => {
		const one = await stage()
		saying(one)
		for (const end of ['g1-9', 'g1-10', 'g1-8']) putPod(one, `multinic-agent-worker-1-${end}-a`, 60, ended)
		expect(await command('logs worker-1', { cluster: one.cluster })).toEqual({
			code: 0,
			out: 'multinic-agent-worker-1-g1-10-a container=agent\n',
			err: '',
		})
	})

	test('prints a note if the node config was deleted', async () => {
		const one = await startStage()
		saying(one)
		putPod(one, 'run-1-a', 60, ended)
		expect((await command('logs worker-1', { cluster: one.cluster })).err).toBe(
			'note: run run-1 belongs to a deleted node config; node config worker-1 no longer exists.\n',
		)
	})

	test('with -f waits for a pod that is not started, otherwise prints the reason', async () => {
		const one = await stage()
		saying(one)
		const waiting = {
			phase: 'Pending',
			containerStatuses: [{ name: 'agent', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }],
		}
		putPod(one, 'run-1-a', 60, waiting)
		expect(await command('logs worker-1', { cluster: clusterOf(one.server.credentials) })).toEqual({
			code: 1,
			out: '',
			err: 'error: pod run-1-a has no log yet: ImagePullBackOff: no such image; use -f to wait for it\n',
		})
		const following = command('logs worker-1 -f', { cluster: clusterOf(one.server.credentials) })
		one.server.objects.patchStatus(Pod, { name: 'run-1-a', namespace }, ended)
		expect((await following).out).toBe('run-1-a container=agent&follow=true\n')
	})

	test('prints the report if the pod no longer exists', async () => {
		const one = await stage()
		const warnings = [{ reason: 'GatewaySilent' as const, message: '10.0.0.1 did not answer' }]
		const interfaces = [{ ...nic, state: 'Configured' as const, reason: 'Configured' as const, message: 'as wanted', warnings }]
		one.server.objects.create(ConfigMap, {
			metadata: { name: 'multinic-agent-worker-1-g1', namespace, labels: { 'multinic.io/node-name': 'worker-1' } },
			data: { 'report.json': JSON.stringify(report({ mode: 'Apply', interfaces, changes: 9, message: 'Configured 1/1.' })) },
		})
		expect(await command('logs worker-1', { cluster: one.cluster })).toEqual({
			code: 0,
			err: 'the pod of run multinic-agent-worker-1-g1 no longer exists; showing its report\n',
			out: `worker-1, generation 1, mode Apply, backend netplan-networkd
multinic0   fa:16:3e:37:c3:f1   Configured   Configured   as wanted
warning         multinic0: GatewaySilent: 10.0.0.1 did not answer
started         ${ago(2)}
finished        2026-03-01T12:00:00Z, 9 changes
Succeeded       AllInterfacesConfigured: Configured 1/1.
`,
		})
	})

	test.each<[title: string, line: string, err: string]>([
		[
			'neither the pod nor the report exists',
			'logs worker-1',
			'run multinic-agent-worker-1-g1 on worker-1 no longer has a pod or a report; see: kubectl multinic history worker-1',
		],
		[
			'Kubernetes has not started its pod',
			'logs worker-3',
			'run multinic-agent-worker-3-g1 on worker-3 has no pod yet; see: kubectl multinic get worker-3',
		],
		['there was no run', 'logs worker-2', 'no run has started on worker-2 yet; see: kubectl multinic get worker-2'],
		[
			'the node config does not exist',
			'logs worker-11',
			'there is no node config worker-11 in namespace multinic-system; did you mean worker-1 or worker-2 or worker-3?',
		],
	])('exits with 1 if %s', async (_, line, err) => {
		const one = await stage()
		one.put('worker-2')
		one.put('worker-3', running, { status: { lastJobName: 'multinic-agent-worker-3-g1' } })
		expect(await command(line, { cluster: one.cluster })).toEqual({ code: 1, out: '', err: `error: ${err}\n` })
	})
})

test('Ctrl-C while a command waits exits with 130, withdraws the request and prints no error', async () => {
	const one = await startStage()
	one.put('worker-1', running)
	const stop = new AbortController()
	one.server.onRequest(({ verb, plural }) => {
		if (verb === 'list' && plural === 'configmaps') stop.abort(new Error('SIGINT received'))
		return undefined
	})
	expect(await command('diff worker-1', { cluster: one.cluster, signal: stop.signal })).toEqual({ code: 130, out: '', err: '' })
	expect(one.server.objects.get(NodeConfig, { namespace, name: 'worker-1' })?.metadata.annotations ?? {}).toEqual({})
})
