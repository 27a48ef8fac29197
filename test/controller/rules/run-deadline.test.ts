import { condition } from '../../../contract/status.ts'
import { describe, expect, test } from 'vitest'
import { decide } from '../../../controller/rules/decide.ts'
import { isChanging } from '../../../controller/rollout/participation.ts'
import { nextAttempt } from '../../../controller/model/runs.ts'
import type { Run, Snapshot } from '../../../controller/model/snapshot.ts'
import { rejectedRunStatus, reportedStatus } from '../../../controller/status/build-status.ts'
import { ended, now, report, run, startedFor, someNode, underWay, withStatus, world } from '../world.ts'

/** Runs that do not end, or whose agent never starts. The deadline is 300 s, and the controller waits another 15 s. */
const old = { firstSeenAt: now - 315_000 }
const podless = { ...underWay, hasPods: false }
const suspended = { ...podless, suspended: true }
const failedTarget = { hasStarted: true, ended: true, refused: undefined, terminationMessage: undefined }
const stuck = { hasStarted: true, ended: false, refused: undefined, terminationMessage: undefined }
const pulling = { hasStarted: false, ended: false, refused: 'ImagePullBackOff: Back-off pulling image', terminationMessage: undefined }
const late = { job: { ...podless, finished: now - 1_000, failure: 'DeadlineExceeded: Job was active longer than specified deadline' } }
const quota = 'pods "multinic-agent-worker-1-g1-x7k2p" is forbidden: exceeded quota: nopods'

const underWayWith = (over: Partial<Run>, more: Partial<Omit<Snapshot, 'config'>> = {}) => {
	const one = run(over)
	return withStatus(world({ runs: [one], ...more }), startedFor(one))
}

describe('a run is given up', () => {
	test.each<[title: string, snapshot: Snapshot, why: string, words: RegExp]>([
		[
			'whose Job is suspended',
			underWayWith({ ...old, job: suspended }),
			'PodRefused',
			/created no pod within 5 min: the Job is suspended \(spec.suspend\)/,
		],
		[
			'whose pod a quota refuses',
			underWayWith({ ...old, job: podless }, { noPod: quota }),
			'PodRefused',
			/created no pod within 5 min: pods .* exceeded quota/,
		],
		[
			'whose Job is suspended and whose pod a quota refuses',
			underWayWith({ ...old, job: suspended }, { noPod: quota }),
			'PodRefused',
			/: the Job is suspended \(spec.suspend\); pods .* exceeded quota/,
		],
		['whose pod never starts', underWayWith({ ...old, pod: pulling }), 'PodRefused', /did not start within 5 min: ImagePullBackOff/],
		[
			'whose agent reports nothing',
			underWayWith({ ...old, pod: stuck }),
			'RunLost',
			/left no report within 5 min. The next run on the node starts when its pod has ended/,
		],
		[
			'whose pod has ended, but whose Job does not end',
			underWayWith({ ...old, pod: failedTarget }),
			'RunLost',
			/finished without a report/,
		],
		[
			'even if its kubelet does not report',
			underWayWith({ ...old, pod: stuck }, { node: { ...someNode, ready: 'Unknown' } }),
			'RunLost',
			/left no report/,
		],
		['if only its pod exists', underWayWith({ ...old, job: undefined, pod: pulling }), 'PodRefused', /did not start/],
	])('%s', (_, snapshot, why, words) => {
		const decision = decide(snapshot)
		expect(decision).toMatchObject({ act: 'setStatus', why, result: true, status: { state: 'Failed', lastJobName: run().name } })
		expect('status' in decision && condition(decision.status, 'Ready')?.message).toMatch(words)
	})

	test.each<[title: string, snapshot: Snapshot]>([
		['before its deadline', underWayWith({ firstSeenAt: now - 314_000, pod: stuck })],
		['because the clock is set forward', { ...underWayWith({ firstSeenAt: now - 10_000, pod: stuck }), now: now + 18_000_000 }],
		['that has reported', underWayWith({ ...old, pod: stuck, report: report() })],
		[
			'that was created before this controller started and is only now detected',
			underWayWith({ created: now - 9_000_000, firstSeenAt: now, pod: stuck }),
		],
	])('but not one %s', (_, snapshot) => {
		expect(['RunLost', 'PodRefused']).not.toContain(decide(snapshot).why)
	})
})

describe('after a run is given up', () => {
	const given = (over: Partial<Run>, more: Partial<Omit<Snapshot, 'config'>> = {}) => {
		const before = underWayWith({ ...old, ...over }, more)
		const decision = decide(before)
		if (decision.act !== 'setStatus') throw new Error(`it is not given up: ${decision.why}`)
		return withStatus(before, decision.status)
	}

	test('no other run starts while its pod may still be active', () => {
		expect(decide({ ...given({ pod: stuck }), now: now + 90_000_000 })).toMatchObject({ act: 'wait', why: 'RunIsActive' })
	})

	test.each<[title: string, change: (before: Snapshot) => Partial<Snapshot>]>([
		['has ended', ({ runs }) => ({ runs: runs.map(one => ({ ...one, pod: failedTarget, job: { ...underWay, finished: now } })) })],
		['has ended, even if its Job has not', ({ runs }) => ({ runs: runs.map(one => ({ ...one, pod: failedTarget })) })],
		['no longer exists, like its Job', ({ runs }) => ({ runs: runs.map(one => ({ ...one, pod: undefined, job: undefined })) })],
		['started before its node was rebooted', () => ({ node: { ...someNode, bootID: 'boot-2' } })],
	])('the next run starts when its pod %s', (_, change) => {
		const before = given({ pod: stuck })
		expect(decide({ ...before, ...change(before), now: now + 90_000_000 })).toMatchObject({ act: 'start' })
	})

	test('the status reports once what the next run waits for if the spec changes', () => {
		const { config, ...rest } = given({ pod: stuck })
		const changed = { ...rest, config: { ...config, generation: 2 } }
		const decision = decide(changed)
		const words = `Job ${run().name} of an earlier run has not finished in time. The run starts when its pod has finished or the node has rebooted.`
		expect(decision).toMatchObject({ act: 'setStatus', why: 'PreviousRunActive', status: { state: 'Pending' } })
		if (decision.act !== 'setStatus') return
		expect(condition(decision.status, 'Ready')?.message).toBe(words)
		expect(decide(withStatus(changed, decision.status))).toMatchObject({ act: 'nothing' })
	})

	test('a verification that does not end is not reported while no run is due', () => {
		const applied = run({ report: report(), job: ended })
		const told = withStatus(world({ runs: [applied] }), reportedStatus(world(), applied))
		const look = run({ ...old, attempt: 2, mode: 'Verify', pod: stuck })
		expect(decide({ ...told, runs: [...told.runs, look] })).toMatchObject({ act: 'wait', why: 'RunIsActive' })
		const changed = { ...told, runs: [...told.runs, look], config: { ...told.config, generation: 2 } }
		expect(decide(changed)).toMatchObject({ act: 'setStatus', why: 'PreviousRunActive' })
	})

	test('its slot in the rollout is free', () => {
		expect(isChanging(underWayWith({ ...old, pod: stuck }))).toBe(true)
		expect(isChanging(given({ pod: stuck }))).toBe(false)
	})

	test('its slot in the rollout is free even if the spec has changed since', () => {
		const { config, ...rest } = given({ pod: stuck })
		expect(isChanging({ ...rest, config: { ...config, generation: 2 } })).toBe(false)
	})

	test('a Job without a pod is deleted with its ConfigMap, and the next run has another name', () => {
		const before = given({ job: suspended })
		expect(decide(before)).toMatchObject({ act: 'deleteRuns', why: 'RunMadeNoPod', runs: [run().name] })
		expect(nextAttempt({ ...before, runs: [] })).toBe(2)
	})

	test('a Job without a pod is deleted even if other runs exist, but not if another run has its name', () => {
		const before = given({ job: suspended })
		expect(decide({ ...before, runs: [...before.runs, run({ generation: 0, job: ended })] })).toMatchObject({ why: 'RunMadeNoPod' })
		const twin = run({ uid: 'older', job: ended })
		expect(decide({ ...before, runs: [...before.runs, twin] }).act).not.toBe('deleteRuns')
	})

	test('a Job without a pod of an older node config of the same name is left to the garbage collector', () => {
		expect(decide(world({ runs: [run({ ...old, uid: 'older', job: suspended })] }))).toMatchObject({
			...{ act: 'setStatus', why: 'PreviousRunActive' },
			status: { state: 'Pending' },
		})
	})

	test('a late report is read and replaces the loss in the history', () => {
		const before = given({ pod: stuck })
		const decision = decide({ ...before, runs: [run({ ...old, pod: stuck, report: report() })] })
		expect(decision).toMatchObject({
			act: 'setStatus',
			status: { state: 'Configured', history: [{ job: run().name, result: 'Configured' }] },
		})
		expect('status' in decision && decision.status.history).toHaveLength(1)
	})

	test('a repair that the API server refuses does not report an earlier success again', () => {
		const done = run({ report: report(), job: ended })
		const told = withStatus(world({ runs: [done] }), reportedStatus(world(), done))
		const refused = withStatus(told, rejectedRunStatus(told, 'denied'))
		expect(decide({ ...refused, now: now + 1_000 }).act).not.toBe('setStatus')
	})

	test('a report with reason RunLost is not reported repeatedly', () => {
		const before = given({ pod: stuck })
		const lost = report({ outcome: 'Failed', reason: 'RunLost' })
		expect(decide({ ...before, runs: [run({ ...old, pod: stuck, report: lost })] }).act).not.toBe('setStatus')
	})
})

test.each<[title: string, over: Partial<Run>, why: string]>([
	['and never had a pod is refused, not lost', late, 'PodRefused'],
	['and had a pod whose state is unknown is lost', { job: { ...late.job, hasPods: true } }, 'RunLost'],
])('a Job that has ended %s', (_, over, why) => {
	expect(decide(underWayWith(over))).toMatchObject({ act: 'setStatus', why })
})

test('reports a run in progress without a pod once, with the message of Kubernetes', () => {
	const before = underWayWith({ job: podless }, { noPod: quota })
	const decision = decide(before)
	expect(decision).toMatchObject({ act: 'setStatus', why: 'PodRefused', result: false, status: { state: 'InProgress' } })
	expect(decide(withStatus(before, 'status' in decision ? decision.status : {}))).toMatchObject({ act: 'wait', why: 'RunIsActive' })
})
