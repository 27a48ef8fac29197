import { describe, expect, test, vi } from 'vitest'
import { createRunIndex } from '../../../controller/cache/run-index.ts'
import type { Run } from '../../../controller/model/snapshot.ts'
import { podView } from '../../../controller/cache/projections.ts'
import { report } from '../world.ts'

/** Tests that three caches that are updated independently lead to the same result. */
const mark = { name: 'multinic-agent-worker-1-g1', node: 'worker-1', uid: 'uid-1', generation: 1, attempt: 1, mode: 'Apply' as const }
const configMap = {
	...mark,
	cause: 'SpecChanged',
	requests: {},
	bootID: undefined,
	podNetworks: undefined,
	failures: 0,
	created: 1,
	report: undefined,
}
const job = { ...mark, jobUid: 'job-1', created: 1, finished: undefined, failure: undefined, hasPods: true, suspended: false }
const pod = {
	...mark,
	pod: 'x',
	createdBy: 'job-1',
	boundTo: 'worker-1',
	hasStarted: true,
	ended: false,
	refused: undefined,
	terminationMessage: undefined,
}
const text = JSON.stringify(report())

describe('the result of a run', () => {
	test.each<[title: string, report: string | undefined, terminationMessage: string | undefined]>([
		['a report', text, undefined],
		['an invalid report', '[{},{}]', undefined],
		['a report in the termination message', undefined, text],
		['a termination message that is not a report', undefined, '{"version":1}'],
	])('is parsed only once for several requests: %s', (_, said, terminationMessage) => {
		const index = createRunIndex()
		index.job({ ...job, finished: 2 }, undefined)
		index.pod({ ...pod, ended: true, terminationMessage }, undefined)
		index.configMap({ ...configMap, report: said }, undefined)
		const parse = vi.spyOn(JSON, 'parse')
		for (let turn = 0; turn < 5; turn++)
			for (const run of index.runsOf('worker-1')) expect(run).toMatchObject({ hasConfigMap: true, ...readings(run) })
		expect(parse.mock.calls.length).toBeLessThanOrEqual(1)
		parse.mockRestore()
	})
})

function readings({ report, reportFault }: Run) {
	return { report, reportFault }
}

describe('the run index', () => {
	test('joins the parts of a run, in any order', () => {
		const index = createRunIndex()
		index.pod(pod, undefined)
		index.job(job, undefined)
		index.configMap({ ...configMap, report: text }, undefined)
		expect(index.runsOf('worker-1')).toMatchObject([
			{ name: mark.name, uid: mark.uid, hasConfigMap: true, report: { outcome: 'Succeeded' }, job: {}, pod: {} },
		])
		expect(index.runsOf('worker-2')).toEqual([])
	})

	test('removes a run when all its parts are deleted', () => {
		const index = createRunIndex()
		index.configMap(configMap, undefined)
		index.job(job, undefined)
		index.configMap(undefined, configMap)
		expect(index.runsOf('worker-1')).toHaveLength(1)
		index.job(undefined, job)
		expect(index.runsOf('worker-1')).toEqual([])
	})

	test('keeps the mode of a verification without a ConfigMap, from its Job and from its pod', () => {
		const index = createRunIndex()
		const mode = 'Verify' as const
		index.configMap({ ...configMap, mode }, undefined)
		index.job({ ...job, mode }, undefined)
		index.pod({ ...pod, mode, ended: true }, undefined)
		index.configMap(undefined, { ...configMap, mode })
		expect(index.runsOf('worker-1')).toMatchObject([{ mode: 'Verify', hasConfigMap: false }])
		index.job(undefined, { ...job, mode })
		expect(index.runsOf('worker-1')).toMatchObject([{ mode: 'Verify' }])
	})

	test('does not assign the report of a deleted predecessor to a successor of the same name', () => {
		const index = createRunIndex()
		index.configMap({ ...configMap, uid: 'older', report: text }, undefined)
		index.job({ ...job, uid: 'older' }, undefined)
		index.configMap(undefined, { ...configMap, uid: 'older' })
		index.configMap(configMap, undefined)
		expect(index.runsOf('worker-1').find(({ uid }) => uid === 'uid-1')).toMatchObject({ report: undefined, job: undefined })
	})

	test.each<[title: string, now: Partial<typeof mark>]>([
		['the run of a successor with the same names', { uid: 'uid-2' }],
		['a run with the labels of another node', { node: 'worker-2' }],
	])('removes all parts of a run that an update replaces, as after an interrupted watch, by %s', (_, other) => {
		const index = createRunIndex()
		index.configMap(configMap, undefined)
		index.job(job, undefined)
		index.pod(pod, undefined)
		index.configMap({ ...configMap, ...other }, configMap)
		index.job({ ...job, ...other, jobUid: 'job-2' }, job)
		index.pod({ ...pod, ...other, createdBy: 'job-2', boundTo: other.node ?? 'worker-1' }, pod)
		const { uid, node } = { ...mark, ...other }
		expect([...index.runsOf('worker-1'), ...index.runsOf('worker-2')]).toMatchObject([{ uid, hasConfigMap: true, job: {}, pod: {} }])
		expect(index.runsOf(node)).toHaveLength(1)
		expect(index.active(() => true)).toBe(1)
	})

	test('a recreated ConfigMap does not inherit a report', () => {
		const index = createRunIndex()
		index.configMap({ ...configMap, report: text }, undefined)
		index.job(job, undefined)
		index.configMap(undefined, configMap)
		index.configMap(configMap, undefined)
		expect(index.runsOf('worker-1')).toMatchObject([{ report: undefined }])
	})

	test('counts runs in progress and not finished ones', () => {
		const index = createRunIndex()
		index.job(job, undefined)
		index.job({ ...job, name: 'other', uid: 'uid-2', node: 'worker-2' }, undefined)
		expect(index.active(() => true)).toBe(2)
		index.pod({ ...pod, ended: true }, undefined)
		expect(index.active(() => true)).toBe(1)
		index.job(undefined, { ...job, name: 'other', uid: 'uid-2', node: 'worker-2' })
		expect(index.active(() => true)).toBe(0)
	})

	test('does not count an abandoned run, because its pod may exist forever', () => {
		let now = 0
		const index = createRunIndex(() => now, 300_000)
		index.job(job, undefined)
		now = 314_999
		expect(index.active(() => true)).toBe(1)
		now = 315_000
		expect(index.active(() => true)).toBe(0)
	})

	test('reads the termination message only of a run that has ended without a report', () => {
		const index = createRunIndex()
		index.configMap(configMap, undefined)
		index.pod({ ...pod, ended: true, terminationMessage: text }, undefined)
		index.job(job, undefined)
		expect(index.runsOf('worker-1')).toMatchObject([{ report: undefined }])
		index.job({ ...job, finished: 2 }, job)
		expect(index.runsOf('worker-1')).toMatchObject([{ report: { outcome: 'Succeeded' } }])
	})

	test.each<[title: string, forged: Partial<typeof pod>]>([
		['that no Job created', { createdBy: undefined as never }],
		['that another Job created', { createdBy: 'job-2' }],
		['that is bound to another node', { boundTo: 'worker-2' }],
		['that is bound to no node', { boundTo: undefined as never }],
	])('ignores a pod %s, regardless of its labels', (_, forged) => {
		const index = createRunIndex()
		index.configMap(configMap, undefined)
		index.job({ ...job, finished: 2 }, undefined)
		index.pod({ ...pod, ...forged, pod: 'forged', terminationMessage: text }, undefined)
		expect(index.runsOf('worker-1')).toMatchObject([{ report: undefined, pod: undefined }])
		expect(index.active(() => true)).toBe(0)
		index.pod({ ...pod, ended: true }, undefined)
		expect(index.runsOf('worker-1')).toMatchObject([{ pod: { pod: 'x' } }])
		index.pod(undefined, { ...pod, ...forged, pod: 'forged' })
		expect(index.runsOf('worker-1')).toMatchObject([{ pod: { pod: 'x' } }])
	})

	test('counts the pod of a deleted Job, which may still be running', () => {
		const index = createRunIndex()
		index.pod(pod, undefined)
		expect(index.active(() => true)).toBe(1)
		index.pod({ ...pod, createdBy: undefined as never }, pod)
		expect(index.active(() => true)).toBe(0)
	})

	test('a termination message that is not a report is not an invalid report: the run is lost', () => {
		const index = createRunIndex()
		index.configMap(configMap, undefined)
		index.job({ ...job, finished: 2 }, undefined)
		index.pod({ ...pod, ended: true, terminationMessage: 'Killed' }, undefined)
		expect(index.runsOf('worker-1')).toMatchObject([{ report: undefined, reportFault: undefined }])
	})
})

describe('the view of a pod', () => {
	const view = (status: object) =>
		podView({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' }, status })
	const waiting = (reason: string) => ({
		phase: 'Pending',
		containerStatuses: [{ name: 'agent', state: { waiting: { reason, message: 'why' } } }],
	})

	const startError = { exitCode: 128, reason: 'StartError', message: 'exec format error', startedAt: '1970-01-01T00:00:00Z' }
	const over = (terminated: object) => ({ phase: 'Failed', containerStatuses: [{ name: 'agent', state: { terminated } }] })
	const withInit = (state: object) => ({
		...{ phase: 'Pending', initContainerStatuses: [{ name: 'init', state }] },
		containerStatuses: [{ name: 'agent', state: { waiting: { reason: 'PodInitializing' } } }],
	})

	test.each<[title: string, status: object, hasStarted: boolean, ended: boolean]>([
		['the agent is running', { phase: 'Running', containerStatuses: [{ name: 'agent', state: { running: {} } }] }, true, false],
		['the program of the agent could not be started', over(startError), false, true],
		['the agent ran, and its exit status is unknown', over({ exitCode: 137, reason: 'ContainerStatusUnknown' }), true, true],
		['the agent ran, and its start time is unknown', over({ exitCode: 137, reason: null, startedAt: null }), true, true],
		[
			'the agent has ended, and another container is still running',
			{
				phase: 'Running',
				containerStatuses: [
					{ name: 'proxy', state: { running: {} } },
					{ name: 'agent', state: { terminated: { exitCode: 0, startedAt: '2026-01-01T12:00:00Z' } } },
				],
			},
			...([true, true] as const),
		],
		['an init container is running', withInit({ running: {} }), false, false],
	])('shows whether the agent has started and whether it has ended: %s', (_, status, hasStarted, ended) => {
		expect(view(status)).toMatchObject({ hasStarted, ended })
	})

	test.each<[title: string, status: object, refused: string | undefined]>([
		['the image cannot be pulled', waiting('ImagePullBackOff'), 'ImagePullBackOff: why'],
		['no reason while the container is being created', waiting('ContainerCreating'), undefined],
		['no reason if the agent is running', { phase: 'Running', containerStatuses: [{ name: 'agent', state: { running: {} } }] }, undefined],
		[
			'no reason if the agent ran and failed',
			{ phase: 'Failed', containerStatuses: [{ name: 'agent', state: { terminated: { exitCode: 1 } } }] },
			undefined,
		],
		['the kubelet did not admit the pod', { phase: 'Failed', reason: 'OutOfpods', message: 'Node is full' }, 'OutOfpods: Node is full'],
		['the pod was evicted before the agent ran', { phase: 'Failed', reason: 'Evicted' }, 'Evicted'],
		['the kubelet gave no reason', { phase: 'Failed' }, 'the kubelet gave no reason'],
		[
			'no reason if only a sidecar of a webhook waits',
			{
				phase: 'Running',
				containerStatuses: [
					{ name: 'proxy', state: { waiting: { reason: 'CrashLoopBackOff' } } },
					{ name: 'agent', state: { running: {} } },
				],
			},
			undefined,
		],
		[
			'the image cannot be pulled, and a sidecar of a webhook is running',
			{
				phase: 'Pending',
				containerStatuses: [{ name: 'proxy', state: { running: {} } }, ...waiting('ImagePullBackOff').containerStatuses],
			},
			'ImagePullBackOff: why',
		],
		['the program could not be started', over(startError), 'StartError: exec format error'],
		['the program could not be started, as reported by CRI-O', over({ exitCode: 128, reason: 'ContainerCannotRun' }), 'ContainerCannotRun'],
		['an init container fails', withInit({ terminated: { exitCode: 3, reason: 'Error' } }), 'container init: Error'],
		['the image of an init container cannot be pulled', withInit({ waiting: { reason: 'ErrImagePull' } }), 'container init: ErrImagePull'],
		['no reason if an init container has completed', withInit({ terminated: { exitCode: 0, reason: 'Completed' } }), undefined],
		['a message with terminal escape sequences, which are removed', waiting('Err\u001b[2J\u202e'), 'Err [2J : why'],
		['a very long message, which is truncated', waiting('x'.repeat(2_000)), 'x'.repeat(500)],
	])('shows why the pod is not started: %s', (_, status, refused) => {
		expect(view(status).refused).toBe(refused)
	})
})
