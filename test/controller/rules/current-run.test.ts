import { describe, expect, test } from 'vitest'
import type { Run, Snapshot } from '../../../controller/model/snapshot.ts'
import {
	whenKubeletSilent,
	whenReported,
	whenRunActive,
	whenRunEnding,
	whenRunLost,
	whenRunOutOfSight,
} from '../../../controller/rules/current-run.ts'
import { lostStatus, pendingStatus, reportedStatus } from '../../../controller/status/build-status.ts'
import { ended, nicReport, now, report, run, someNode, startedFor, underWay, withStatus, world } from '../world.ts'

/** The rules for a run that is in progress or has just ended, one by one. */

const known = (one: Run, over: Partial<Snapshot> = {}): Snapshot => withStatus(world({ runs: [one], ...over }), startedFor(one))
const silent = { ...someNode, ready: 'Unknown' as const }
/** A run that has exceeded its deadline. */
const overdue: Partial<Run> = { firstSeenAt: now - 400_000 }
const invalid = { fault: 'spec.interfaces: too many', listed: 11 }

describe('the next decision about a run in progress is due', () => {
	test.each<[title: string, over: Partial<Run>, afterMs: number]>([
		['in 30 seconds', {}, 30_000],
		['when the run is given up, if that is sooner', { firstSeenAt: now - 310_000 }, 5_000],
		['in 30 seconds if it is given up now', { firstSeenAt: now - 315_000 }, 30_000],
		['in 30 seconds if it was already given up', overdue, 30_000],
		['in 10 seconds if its Job has no pod yet', { job: { ...underWay, hasPods: false } }, 10_000],
		['when it is given up, even without a pod', { job: { ...underWay, hasPods: false }, firstSeenAt: now - 310_000 }, 5_000],
	])('%s', (_, over, afterMs) => {
		expect(whenRunActive(known(run(over)))).toEqual({ act: 'wait', why: 'RunIsActive', afterMs })
	})
})

test('the deadline of a run that has ended does not affect the next decision', () => {
	const second = run({ attempt: 2 })
	const both = withStatus(world({ runs: [run({ job: ended, firstSeenAt: now - 310_000 }), second] }), startedFor(second))
	expect(whenRunActive(both)).toEqual({ act: 'wait', why: 'RunIsActive', afterMs: 30_000 })
})

test('one run without a pod is enough for a decision in 10 seconds', () => {
	const podless = run({ attempt: 2, job: { ...underWay, hasPods: false } })
	const both = withStatus(world({ runs: [run(), podless] }), startedFor(podless))
	expect(whenRunActive(both)).toEqual({ act: 'wait', why: 'RunIsActive', afterMs: 10_000 })
})

describe('a run may still act on its node', () => {
	test.each<[title: string, over: Partial<Run>, bootID: string | undefined, mayAct: boolean]>([
		['before it is given up', {}, 'boot-1', true],
		['before it is given up, even on a node that has rebooted', {}, 'boot-2', true],
		['after it is given up', overdue, 'boot-1', true],
		['unless its node has rebooted', overdue, 'boot-2', false],
		['if its boot is unknown', { ...overdue, bootID: undefined }, 'boot-2', true],
		['if the boot of the node is unknown', overdue, undefined, true],
		['unless it has ended', { job: ended }, 'boot-1', false],
	])('%s', (_, over, bootID, mayAct) => {
		expect(whenRunActive(known(run(over), { node: { ...someNode, bootID } })) !== undefined).toBe(mayAct)
	})
})

describe('a run in progress', () => {
	test('is reported once', () => {
		expect(whenRunActive(world({ runs: [run()] }))).toMatchObject({ act: 'setStatus', why: 'RunStarted', result: false })
		expect(whenRunActive(known(run()))).toMatchObject({ act: 'wait' })
	})

	test.each<[title: string, status: Partial<Snapshot['config']['status']>]>([
		['an earlier run', { lastJobName: 'multinic-agent-worker-1-g1-7' }],
		['an earlier generation', { observedGeneration: 0 }],
	])('is reported if the status is about %s', (_, status) => {
		const told = withStatus(known(run()), { ...startedFor(run()), ...status })
		expect(whenRunActive(told)).toMatchObject({ act: 'setStatus', why: 'RunStarted' })
	})

	const refused = { ...known(run({ job: { ...underWay, hasPods: false } })), noPod: 'quota exceeded' }
	test('whose pod is refused is reported once', () => {
		const decision = whenRunActive(refused)
		expect(decision).toMatchObject({ act: 'setStatus', why: 'PodRefused', result: false })
		expect(decision?.act === 'setStatus' && whenRunActive(withStatus(refused, decision.status))).toMatchObject({ act: 'wait' })
	})

	test('keeps a failure of this generation in the status, but not one of another generation', () => {
		const failed = lostStatus(world(), run(), 'RunLost', 'cause unknown')
		const second = world({ runs: [run({ attempt: 2 })] })
		expect(whenRunActive(withStatus(second, failed))).toMatchObject({ act: 'wait' })
		expect(whenRunActive(withStatus(second, { ...failed, observedGeneration: 0 }))).toMatchObject({ act: 'setStatus', why: 'RunStarted' })
	})
})

describe('an earlier run that does not end', () => {
	const stuck = run({ ...overdue, generation: 1 })
	const next = world({ runs: [stuck], config: { generation: 2 } })
	const message = (snapshot: Snapshot) => {
		const decision = whenRunActive(snapshot)
		return decision?.act === 'setStatus' ? decision.status.conditions?.find(({ type }) => type === 'Ready')?.message : decision?.act
	}
	const failed = { ...lostStatus(next, run({ generation: 2 }), 'RunLost', 'cause unknown') }

	test.each<[title: string, snapshot: Snapshot, said: string]>([
		[
			'is reported together with how to end it',
			next,
			`Job ${stuck.name} of an earlier run has not finished in time. The run starts when its pod has finished or the node has rebooted.`,
		],
		[
			'is reported as a Job without a pod',
			{ ...next, runs: [{ ...stuck, job: { ...underWay, hasPods: false } }] },
			`Job ${stuck.name} of an earlier run has not finished in time. The run starts when that Job is deleted.`,
		],
		['is not reported before its deadline', { ...next, runs: [run({ generation: 1 })] }, 'wait'],
		['is not reported while the kubelet does not report', { ...next, node: silent }, 'wait'],
		['is not reported instead of a failure', withStatus(next, failed), 'wait'],
		['is not reported instead of a failure of other interfaces', { ...withStatus(next, failed), specHash: 'hash-2' }, 'wait'],
	])('%s', (_, snapshot, said) => {
		expect(message(snapshot)).toBe(said)
	})

	test('is reported instead of a failure of an earlier generation', () => {
		expect(message(withStatus(next, { ...failed, observedGeneration: 1 }))).toContain('has not finished in time')
	})
})

describe('a report is read', () => {
	const done = run({ report: report(), job: ended })
	const cleanup = run({ mode: 'Cleanup', report: report({ mode: 'Cleanup' }) })
	test.each<[title: string, snapshot: Snapshot, isRead: boolean]>([
		['when it arrives', world({ runs: [done] }), true],
		['only once', withStatus(world({ runs: [done] }), reportedStatus(world(), done)), false],
		['not with an invalid spec', world({ runs: [done], spec: invalid }), false],
		['with an invalid spec if the node config is deleted', world({ runs: [cleanup], spec: invalid, config: { deleting: true } }), true],
		['not if there is none', world({ runs: [run()] }), false],
	])('%s', (_, snapshot, isRead) => {
		expect(whenReported(snapshot)).toEqual(isRead ? expect.objectContaining({ act: 'setStatus', result: true }) : undefined)
	})

	test('only once, although an earlier run was given up', () => {
		const [first] = lostStatus(world(), run({ attempt: 2 }), 'RunLost', 'cause unknown').history ?? []
		const status = reportedStatus(world(), done)
		const told = withStatus(world({ runs: [done] }), { ...status, history: [...(status.history ?? []), ...(first ? [first] : [])] })
		expect(whenReported(told)).toBeUndefined()
	})

	test('after the run was given up, unless its reason is RunLost', () => {
		const late = world({ runs: [done] })
		const lost = withStatus(late, lostStatus(late, run(), 'RunLost', 'cause unknown'))
		expect(whenReported(lost)).toMatchObject({ act: 'setStatus', why: 'AllInterfacesConfigured' })
		const saysLost = run({
			job: ended,
			report: report({ outcome: 'Failed', reason: 'RunLost' as never, interfaces: [nicReport({ state: 'Failed' })] }),
		})
		expect(whenReported({ ...lost, runs: [saysLost] })).toBeUndefined()
	})
})

describe('a run without a report', () => {
	const over = { bootID: 'boot-1', job: ended }
	const words = (snapshot: Snapshot) => {
		const decision = whenRunLost(snapshot)
		const ready = decision?.act === 'setStatus' && decision.status.conditions?.find(({ type }) => type === 'Ready')
		if (decision) expect(decision).toMatchObject({ act: 'setStatus', result: true })
		return ready ? `${decision.why}: ${ready.message?.replace(/\. .*/, '')}` : undefined
	}
	const { name } = run()
	test.each<[title: string, one: Partial<Run>, more: Partial<Snapshot>, said: string | undefined]>([
		['has an unknown cause', over, {}, `RunLost: Job ${name} ended without a report: cause unknown`],
		[
			'has the cause that its Job reports',
			{ job: { ...ended, failure: 'DeadlineExceeded' } },
			{},
			`RunLost: Job ${name} ended without a report: DeadlineExceeded`,
		],
		[
			'has all known causes',
			{
				job: { ...ended, failure: 'BackoffLimitExceeded' },
				pod: { hasStarted: true, ended: true, refused: 'evicted', terminationMessage: 'killed' } as never,
			},
			{ noPod: 'quota exceeded' },
			`RunLost: Job ${name} ended without a report: BackoffLimitExceeded; quota exceeded; evicted; killed`,
		],
		[
			'did not start if its Job had no pod',
			{ job: { ...ended, hasPods: false } },
			{},
			`PodRefused: Job ${name} ended before its agent started: cause unknown`,
		],
		[
			'has a report that cannot be read',
			{ ...over, reportFault: 'not JSON' },
			{},
			`RunFailed: The report of Job ${name} cannot be read: not JSON`,
		],
		['is not lost while it is in progress', {}, {}, undefined],
		['is not lost if it has a report', { ...over, report: report() }, {}, undefined],
	])('%s', (_, one, more, said) => {
		expect(words(world({ runs: [run(one)], ...more }))).toBe(said)
	})

	test('keeps the message about its refused pod, but not one about another run', () => {
		const one = run({ job: { ...ended, hasPods: false } })
		const settled = whenRunActive({ ...known(run({ job: { ...underWay, hasPods: false } })), noPod: 'quota exceeded' })
		const status = settled?.act === 'setStatus' ? settled.status : {}
		expect(words(withStatus(world({ runs: [one] }), status))).toMatch(/^PodRefused: .*quota exceeded/)
		expect(words(withStatus(world({ runs: [one] }), { ...status, lastJobName: 'another' }))).toMatch(/cause unknown$/)
	})
})

describe('a node whose kubelet does not report', () => {
	const failed = lostStatus(world(), run(), 'RunLost', 'cause unknown')
	const lost = world({ runs: [run()], node: silent })
	test.each<[title: string, snapshot: Snapshot, why: string | undefined]>([
		['is reported during a run', lost, 'NodeNotReady'],
		['is reported during a run of another generation', { ...lost, runs: [run({ generation: 0 })] }, 'NodeNotReady'],
		['is not reported by this rule without a run', { ...lost, runs: [] }, undefined],
		['is not reported if the kubelet reports', { ...lost, node: someNode }, undefined],
		['is not reported instead of a failure', withStatus(lost, failed), undefined],
		['is reported instead of a failure of another generation', withStatus(lost, { ...failed, observedGeneration: 0 }), 'NodeNotReady'],
		[
			'is reported instead of a status that is not a failure',
			withStatus(lost, pendingStatus(lost, 'WaveIsFull' as never, 'queued')),
			'NodeNotReady',
		],
	])('%s', (_, snapshot, why) => {
		expect(whenRunOutOfSight(snapshot)?.why).toBe(why)
	})

	test('is distinguished from a missing node', () => {
		const decision = whenKubeletSilent(lost)
		expect(decision).toMatchObject({ act: 'setStatus', why: 'NodeNotReady', status: { state: 'Pending' } })
		expect(decision?.act === 'setStatus' && decision.status.conditions?.find(({ type }) => type === 'Ready')?.message).toBe(
			'The kubelet of node worker-1 does not report. The run starts when it does.',
		)
		expect(whenKubeletSilent(world())).toBeUndefined()
		expect(whenKubeletSilent(world({ node: undefined }))).toBeUndefined()
	})
})

describe('the end of a run is awaited for 30 seconds', () => {
	const ending = { pod: { hasStarted: true, ended: true } as never, job: underWay }
	test.each<[title: string, one: Run, isAwaited: boolean]>([
		['if its pod has ended without a report', run(ending), true],
		['if its Job still has to create a pod', run(), true],
		['not if its report exists', run({ ...ending, report: report() }), false],
		['not if its Job has ended', run({ job: ended }), false],
		['not if it was never created', run({ job: undefined }), false],
	])('%s', (_, one, isAwaited) => {
		expect(whenRunEnding(world({ runs: [one] }))).toEqual(isAwaited ? { act: 'wait', why: 'RunIsEnding', afterMs: 30_000 } : undefined)
	})
})
