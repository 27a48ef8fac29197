import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NodeConfigStatus } from '../../../contract/node-config.ts'
import { condition } from '../../../contract/status.ts'
import { statusPatch } from '../../../controller/status/status-patch.ts'
import { decide } from '../../../controller/rules/decide.ts'
import { backoffMs, currentRun, isReported } from '../../../controller/model/runs.ts'
import type { Run, Snapshot } from '../../../controller/model/snapshot.ts'
import { pendingStatus, reportedStatus, startedStatus } from '../../../controller/status/build-status.ts'
import { ended, nicReport, now, report, run, alone, someNode, spec, startedFor, underWay, withStatus, world } from '../world.ts'

const succeeded = run({ report: report(), job: ended })
const configured = reportedStatus(world(), succeeded)
const orphan = run({ name: 'multinic-agent-worker-1-g1-7', uid: 'gone', job: ended })
const settled = withStatus(world({ runs: [succeeded] }), configured)

const missing = report({
	outcome: 'PartlyFailed',
	reason: 'PartlyFailed',
	interfaces: [nicReport({ state: 'Failed', reason: 'WaitingForDevice', message: 'no link has this MAC yet' })],
})
const failedRun = (attempt: number) => run({ attempt, report: { ...missing, attempt }, job: ended })
const failed = (attempt = 1): Snapshot => {
	const runs = Array.from({ length: attempt }, (_, index) => failedRun(index + 1))
	return withStatus(world({ runs }), reportedStatus(world(), failedRun(attempt)))
}
const later = (snapshot: Snapshot, ms: number): Snapshot => ({ ...snapshot, now: now + ms })

const silent: Snapshot['node'] = { ...someNode, ready: 'Unknown' }

describe('a node whose kubelet stops reporting during a run', () => {
	const lost = world({ runs: [run()], node: silent })
	const told = withStatus(lost, statusOf(lost))

	test('is reported once, as in progress', () => {
		expect(statusOf(lost)).toMatchObject({ state: 'InProgress', lastJobName: run().name })
		expect(decide(told)).toMatchObject({ act: 'nothing', why: 'NodeNotReady' })
	})

	test('is reported as in progress again when its kubelet returns', () => {
		expect(decide({ ...told, node: someNode })).toMatchObject({ act: 'setStatus', why: 'RunStarted' })
	})

	test('keeps the failure in the status while it is retried, so that the rollout stays stopped', () => {
		expect(decide({ ...withRun(failed(), run({ attempt: 2 })), node: silent })).toMatchObject({ act: 'wait', why: 'RunIsActive' })
	})

	test('gets its result when the run reports after all', () => {
		expect(decide({ ...told, runs: [run({ report: report() })] })).toMatchObject({ act: 'setStatus', why: 'AllInterfacesConfigured' })
	})
})

test('an answered request is removed, and the finalizer is kept', () => {
	expect(decide(answered())).toEqual({ act: 'updateMetadata', why: 'AskIsAnswered', finalizer: false, answered: ['retry'] })
})

test.each([
	['that is deleted', true, 'The node is not restored while spec.paused is true.'],
	['that is not deleted', false, 'No run starts while spec.paused is true.'],
])('the status of a paused node config %s explains what is held', (_, deleting, message) => {
	const paused = world({ spec: { value: { ...spec, paused: true } }, config: { deleting, status: { lastJobName: run().name } } })
	expect(condition(statusOf(paused), 'Ready')?.message).toBe(message)
})

test.each<[title: string, snapshot: Snapshot, said: string]>([
	[
		'whose name is too long',
		world({ config: { name: 'n'.repeat(64) } }),
		'spec.nodeName: 64 characters are too many; runs have a label with the node name, which is limited to 63',
	],
	['without a node', world({ node: undefined }), 'There is no Kubernetes node worker-1. The run starts when it joins.'],
])('the status of a node config %s explains this', (_, snapshot, said) => {
	expect(condition(statusOf(snapshot), 'Ready')?.message).toBe(said)
})

describe('the next decision is due', () => {
	const drifted = withStatus(settled, { ...configured, state: 'Failed', conditions: driftedConditions(configured) })
	const repaired = [10, 20, 30].map(minutes =>
		run({ generation: 0, attempt: minutes, uid: 'uid-1', cause: 'Drifted', created: now - minutes * 60_000, report: report(), job: ended }),
	)
	test.each<[title: string, snapshot: Snapshot, why: string, afterMs: number]>([
		['when the last run may be deleted', settled, 'Settled', 3_600_000],
		['in a second at the earliest', later(settled, 3_599_900), 'Settled', 1_000],
		['when a repair is allowed again', { ...drifted, runs: [succeeded, ...repaired] }, 'RepairedTooOften', 1_800_000],
		['in 5 s if no run may be created', world({ rollout: { ...alone, runSlots: 0 } }), 'TooManyRuns', 5_000],
	])('%s', (_, snapshot, why, afterMs) => {
		expect(decide(snapshot)).toEqual({ act: 'wait', why, afterMs })
	})
})

test('a failed run is retried when its back-off is over, and not a millisecond earlier', () => {
	const at = Date.parse(failed().config.status.lastProcessed ?? '') + 5_000
	expect(decide({ ...failed(), now: at - 1 })).toEqual({ act: 'wait', why: 'BackingOff', afterMs: 1 })
	expect(decide({ ...failed(), now: at }).act).toBe('start')
})

describe('what the controller decides about a node config', () => {
	test.each<[title: string, snapshot: Snapshot, act: string, why: string]>([
		['a run starts for a new node config', world(), 'start', 'SpecChanged'],
		[
			'no run starts without the finalizer, which is added first',
			world({ config: { finalizers: ['else/where'] } }),
			'updateMetadata',
			'FinalizerMissing',
		],
		['a ConfigMap without a Job gets its Job, with the same name', world({ runs: [run({ job: undefined })] }), 'start', 'JobMissing'],
		['a run in progress that is not in the status is reported', world({ runs: [run()] }), 'setStatus', 'RunStarted'],
		['a run in progress that is in the status is awaited', withStatus(world({ runs: [run()] }), startedFor(run())), 'wait', 'RunIsActive'],
		[
			'a report is the result, even while the Job still runs',
			world({ runs: [run({ report: report() })] }),
			'setStatus',
			'AllInterfacesConfigured',
		],
		['a settled node config needs no action until its run is obsolete', later(settled, 0), 'wait', 'Settled'],
		['a settled node config without runs needs no action', withStatus(world(), configured), 'nothing', 'Settled'],
		['a finished run is deleted after an hour', later(settled, 3_600_001), 'deleteRuns', 'RunsAreObsolete'],
		['a finished run is not deleted before an hour has passed', later(settled, 3_590_000), 'wait', 'Settled'],
		[
			'a run of a node config that no longer exists is deleted after an hour',
			withRun(later(settled, 3_590_002), orphan),
			'deleteRuns',
			'RunsAreObsolete',
		],
		[
			'a run of a node config that no longer exists is left to the garbage collector for an hour',
			withRun(later(settled, 3_000_000), orphan),
			'wait',
			'Settled',
		],
		['a run starts for a new generation although the old one was configured', gen(settled, 2), 'start', 'SpecChanged'],
		['the report of an old generation is not a result', gen(world({ runs: [succeeded] }), 2), 'start', 'SpecChanged'],
		['the run of an old generation is awaited before the new one starts', gen(world({ runs: [run()] }), 2), 'wait', 'RunIsActive'],
		[
			'the report of an old run is not enough while its pod has not ended',
			gen(world({ runs: [run({ report: report() })] }), 2),
			'wait',
			'RunIsActive',
		],
		['an old run is over when its pod has ended, even if its Job has not', gen(world({ runs: [podEnded()] }), 2), 'start', 'SpecChanged'],
		['a run of a deleted node config of the same name is awaited', world({ runs: [run({ uid: 'older' })] }), 'wait', 'RunIsActive'],
		[
			'the success of a deleted node config of the same name is ignored',
			world({ runs: [{ ...succeeded, uid: 'older' }] }),
			'start',
			'SpecChanged',
		],
		['a status of other interfaces, restored from a backup, is ignored', { ...settled, specHash: 'hash-2' }, 'start', 'ResultMissing'],
		['no run starts for a paused node config', world({ spec: { value: { ...spec, paused: true } } }), 'setStatus', 'Paused'],
		['a missing node is reported', world({ node: undefined }), 'setStatus', 'NodeNotFound'],
		['a kubelet that does not report is reported', world({ node: silent }), 'setStatus', 'NodeNotReady'],
		[
			'a kubelet that stops reporting during a run is reported, because the pod never ends',
			withStatus(world({ runs: [run()], node: silent }), startedFor(run())),
			'setStatus',
			'NodeNotReady',
		],
		[
			'a kubelet that stopped reporting during a run of an old generation is reported for the current one',
			gen({ ...settled, runs: [run({ report: report() })], node: silent }, 2),
			'setStatus',
			'NodeNotReady',
		],
		[
			'a kubelet that stopped reporting after the result of the run is not reported',
			{ ...settled, runs: [run({ report: report() })], node: silent },
			'wait',
			'RunIsActive',
		],
		[
			'a run starts on a node that is not Ready, because its CNI may wait for the NIC',
			world({ node: { ...someNode, ready: 'False' } }),
			'start',
			'SpecChanged',
		],
		['a settled node whose kubelet stops reporting needs no action', { ...settled, node: silent }, 'wait', 'Settled'],
		['no run starts while all slots are in use', world({ rollout: { ...alone, slots: 0 } }), 'queue', 'WaveIsFull'],
		['an invalid spec is reported', world({ spec: { fault: 'spec.interfaces[0].gateway: bad', listed: 1 } }), 'setStatus', 'InvalidConfig'],
		['a run starts for a node name of 63 characters', world({ config: { name: 'n'.repeat(63) } }), 'start', 'SpecChanged'],
		[
			'a run that changes its node does not wait for read-only runs',
			world({ rollout: { ...alone, activeVerifications: 10 } }),
			'start',
			'SpecChanged',
		],
		[
			'a run of a former node config does not answer a request',
			retry(world({ runs: [run({ uid: 'older', requests: { retry: 'x' }, job: ended })] }), 'x'),
			'start',
			'RetryAsked',
		],
		[
			'a configured node config with a reason of a later version needs no action',
			withStatus(settled, { ...configured, conditions: configured.conditions?.map(one => ({ ...one, reason: 'Later' })) }),
			'wait',
			'Settled',
		],
		['a node name that is too long for a label is reported', world({ config: { name: 'n'.repeat(64) } }), 'setStatus', 'InvalidConfig'],
	])('%s', (_, snapshot, act, why) => {
		expect(decide(snapshot)).toMatchObject({ act, why })
	})
})

describe('a node that may be another VM', () => {
	const instanceId = '1f2e3d4c-5b6a-4789-8abc-0123456789ab'
	const turned = '4C3D2E1F-6A5B-8947-8ABC-0123456789AB'
	const of = (systemUUID: string | undefined, over: Partial<Snapshot> = {}): Snapshot => ({
		...settled,
		...{ node: { ...someNode, systemUUID }, spec: { value: { ...spec, instanceId } } },
		...over,
	})

	test.each<[title: string, snapshot: Snapshot, act: string, why: string]>([
		['is no longer reported as Configured', of('9f2e3d4c-5b6a-4789-8abc-0123456789ab'), 'setStatus', 'NodeReplaced'],
		['is the same VM if its id is in upper case', of(instanceId.toUpperCase()), 'wait', 'Settled'],
		['is the same VM if the bytes of its id are swapped, as old firmware reports them', of(turned), 'wait', 'Settled'],
		['is not checked if the kubelet reports no id', of(undefined), 'wait', 'Settled'],
		['is not checked if the id has another format', of('ec2-0a1b2c'), 'wait', 'Settled'],
		[
			'is not checked if the setting checkInstanceId is false',
			of('9f2e3d4c-5b6a-4789-8abc-0123456789ab', { settings: { ...settled.settings, checkInstanceId: false } }),
			'wait',
			'Settled',
		],
	])('%s', (_, snapshot, act, why) => {
		expect(decide(snapshot)).toMatchObject({ act, why })
	})

	test('is not restored to the original state of another VM', () => {
		const snapshot = of('9f2e3d4c-5b6a-4789-8abc-0123456789ab')
		const deleted = { ...snapshot, config: { ...snapshot.config, deleting: true, generation: 2 } }
		expect(decide(deleted)).toMatchObject({ act: 'release', why: 'NodeReplaced' })
	})

	test('gets a new run after the node config and the node have the same instance ID', () => {
		const replaced = of('9f2e3d4c-5b6a-4789-8abc-0123456789ab')
		const told = withStatus(replaced, statusOf(replaced))
		expect(decide(told)).toMatchObject({ act: 'nothing', why: 'NodeReplaced' })
		expect(decide({ ...told, node: { ...someNode, systemUUID: instanceId } })).toMatchObject({ act: 'start' })
	})
})

describe('a failed run', () => {
	test.each<[title: string, snapshot: Snapshot, act: string, why: string]>([
		['is reported once', world({ runs: [failedRun(1)] }), 'setStatus', 'PartlyFailed'],
		['is not retried before 5 s', later(failed(), 4_000), 'wait', 'BackingOff'],
		['is retried after 5 s', later(failed(), 5_001), 'start', 'BackOffOver'],
		['is not retried for the third time before 20 s', later(failed(3), 19_000), 'wait', 'BackingOff'],
		['is retried for the third time after 20 s', later(failed(3), 20_001), 'start', 'BackOffOver'],
		['is retried for the fiftieth time after 300 s', later(onlyLast(50), 300_001), 'start', 'BackOffOver'],
		['is not retried for the fiftieth time before 300 s', later(onlyLast(50), 299_000), 'wait', 'BackingOff'],
		['is retried slightly later if it was reported by a clock that is slightly ahead', later(failed(), -4_000), 'wait', 'BackingOff'],
		['is retried immediately if it was reported by a clock that is hours ahead', later(failed(), -5 * 3_600_000), 'start', 'BackOffOver'],
		['is deleted if it is the oldest of more than five', later(failed(6), 1_000), 'deleteRuns', 'RunsAreObsolete'],
		['is retried immediately if a person requests it', retry(failed(), 'now'), 'start', 'RetryAsked'],
		['is not retried before a change if its reason does not heal', later(unhealable(), 400_000), 'nothing', 'Settled'],
		['is retried if a person requests it, even if its reason does not heal', retry(unhealable(), 'now'), 'start', 'RetryAsked'],
		[
			'that answers a request is reported before the annotation is removed',
			retry(withRun(failed(), run({ attempt: 2, requests: { retry: 'x' }, report: { ...missing, attempt: 2 }, job: ended })), 'x'),
			'setStatus',
			'PartlyFailed',
		],
		['that was requested again loses the annotation after the result is reported', answered(), 'updateMetadata', 'AskIsAnswered'],
		[
			'that was requested again loses the annotation as soon as a run has the request',
			answered({ report: undefined, job: begun }),
			'updateMetadata',
			'AskIsAnswered',
		],
		['that was requested again loses the annotation before the Job has ended', answered({ job: begun }), 'updateMetadata', 'AskIsAnswered'],
		[
			'that was requested again keeps the annotation while a run without the request is in progress',
			answered({ report: undefined, job: begun, requests: { retry: 'before' } }),
			'wait',
			'RunIsActive',
		],
		[
			'that finished without a report is lost',
			world({ runs: [run({ job: { ...ended, failure: 'DeadlineExceeded: too slow' } })] }),
			'setStatus',
			'RunLost',
		],
		[
			'whose pod finished without a report is lost only after its Job has failed',
			world({ runs: [run({ pod: deadPod })] }),
			'wait',
			'RunIsEnding',
		],
		[
			'whose pod never started on a node that was switched off is refused, not lost',
			world({ runs: [run({ job: { ...ended, failure: 'DeadlineExceeded' }, pod: silentPod })] }),
			'setStatus',
			'PodRefused',
		],
		[
			'whose report cannot be read is reported',
			world({ runs: [run({ job: ended, reportFault: 'it is not JSON' })] }),
			'setStatus',
			'RunFailed',
		],
		['whose pod is refused is reported while Kubernetes retries', world({ runs: [run({ pod: refused })] }), 'setStatus', 'PodRefused'],
		[
			'whose pod was evicted before it started is refused',
			world({ runs: [run({ job: ended, pod: { ...refused, ended: true } })] }),
			'setStatus',
			'PodRefused',
		],
	])('%s', (_, snapshot, act, why) => {
		expect(decide(snapshot)).toMatchObject({ act, why })
	})

	test('reports a refused pod only once, even when the message changes', () => {
		const snapshot = world({ runs: [run({ pod: refused })] })
		const told = withStatus(snapshot, statusOf(snapshot))
		expect(decide({ ...told, runs: [run({ pod: { ...refused, refused: 'ErrImagePull: not found' } })] })).toMatchObject({ act: 'wait' })
	})

	test('keeps the refusal as the cause when the deadline passes later', () => {
		const snapshot = world({ runs: [run({ pod: refused })] })
		const told = withStatus(snapshot, statusOf(snapshot))
		const after = { ...told, runs: [run({ job: { ...ended, failure: 'DeadlineExceeded' } })] }
		expect(ready(statusOf(after))).toMatchObject({ reason: 'PodRefused', message: expect.stringContaining('ImagePullBackOff') })
	})

	test('stays in the status during an automatic retry, but not during a requested one', () => {
		expect(decide(later(failed(), 5_001))).toMatchObject({ keepStatus: true, run: { attempt: 2, cause: 'BackOffOver' } })
		expect(decide(retry(failed(), 'now'))).toMatchObject({ keepStatus: false, run: { attempt: 2, requests: { retry: 'now' } } })
	})

	test('has a back-off that depends on consecutive failures; earlier successes do not lengthen it', () => {
		const good = run({ attempt: 7, report: report({ attempt: 7 }), job: ended })
		let snapshot = retry(withStatus(world({ runs: [good] }), reportedStatus(world(), good)), 'now')
		const waits = [8, 9, 10, 11, 12, 13, 14, 15].map(attempt => {
			const next = decide(later(snapshot, 400_000))
			if (next.act !== 'start') throw new Error(`${next.act} ${next.why}`)
			expect(next.run.attempt).toBe(attempt)
			const { runs } = snapshot
			snapshot = { ...withRun(snapshot, { ...failedRun(attempt), ...next.run }), config: { ...snapshot.config, requests: {} } }
			const status = statusOf(snapshot)
			snapshot = withStatus({ ...snapshot, runs: [...runs.slice(-4), ...snapshot.runs.slice(-1)] }, status)
			const decision = decide(snapshot)
			const said = /Next attempt in (.+)\.$/.exec(ready(status)?.message ?? '')?.[1]
			return [said, decision.act === 'wait' && decision.afterMs / 1_000]
		})
		const seconds = [5, 10, 20, 40, 80].map(count => [`${count} s`, count])
		expect(waits).toEqual([...seconds, ['3 min', 160], ['5 min', 300], ['5 min', 300]])
	})

	test('is followed by no status change while an automatic retry is in progress', () => {
		expect(decide(withRun(failed(), run({ attempt: 2 })))).toMatchObject({ act: 'wait', why: 'RunIsActive' })
	})
})

describe('a deleted node config', () => {
	const gone = (over: Partial<Snapshot> = {}): Snapshot => {
		const base = withStatus(world({ runs: [succeeded], ...over }), configured)
		return { ...base, config: { ...base.config, deleting: true, generation: 2 } }
	}
	const cleanup = run({ generation: 2, mode: 'Cleanup', report: report({ generation: 2, mode: 'Cleanup', interfaces: [] }), job: ended })

	test.each<[title: string, snapshot: Snapshot, act: string, why: string]>([
		['is cleaned up by a run', gone(), 'start', 'Deleted'],
		['is released after its node is cleaned up', gone({ runs: [succeeded, cleanup] }), 'release', 'Cleaned'],
		['is not released because of a successful run in mode Apply, regardless of its generation', sameGeneration(gone()), 'start', 'Deleted'],
		['waits for the run in progress', gone({ runs: [run()] }), 'wait', 'RunIsActive'],
		['is released if its node no longer exists', gone({ node: undefined }), 'release', 'NodeNotFound'],
		['is released if its node no longer exists, even if a Job hangs', gone({ node: undefined, runs: [run()] }), 'release', 'NodeNotFound'],
		['is released if no run was ever started', world({ config: { deleting: true, generation: 2 } }), 'release', 'NeverRun'],
		[
			'whose run is known only from its ConfigMap is cleaned up',
			world({ runs: [succeeded], config: { deleting: true, generation: 2 } }),
			'start',
			'Deleted',
		],
		['needs no action without the finalizer', world({ config: { deleting: true, finalizers: [] } }), 'nothing', 'Released'],
		['with a spec that cannot be read is cleaned up', gone({ spec: { fault: 'bad', listed: 1 } }), 'start', 'Deleted'],
		['whose clean-up could not be created is retried immediately', failedBefore(gone({ runs: [] })), 'start', 'BackOffOver'],
		['that is paused waits, and the status reports this', gone({ spec: { value: { ...spec, paused: true } } }), 'setStatus', 'Paused'],
		[
			'whose clean-up failed reports the failure',
			gone({
				runs: [{ ...cleanup, report: report({ generation: 2, mode: 'Cleanup', outcome: 'RolledBack', reason: 'ConnectivityLost' }) }],
			}),
			'setStatus',
			'ConnectivityLost',
		],
	])('%s', (_, snapshot, act, why) => {
		expect(decide(snapshot)).toMatchObject({ act, why })
	})

	test('is cleaned up by a run in mode Cleanup', () => {
		expect(decide(gone())).toMatchObject({ run: { mode: 'Cleanup', attempt: 1 } })
	})

	test('has a failed clean-up retried with back-off', () => {
		const bad = { ...cleanup, report: report({ generation: 2, mode: 'Cleanup', outcome: 'Failed', reason: 'CommandFailed' }) }
		const snapshot = gone({ runs: [bad] })
		const told = withStatus(snapshot, statusOf(snapshot))
		expect(decide(later(told, 4_000))).toMatchObject({ act: 'wait', why: 'BackingOff' })
		expect(decide(later(told, 5_001))).toMatchObject({ act: 'start', run: { mode: 'Cleanup', attempt: 2 } })
	})
})

describe('waiting', () => {
	test.each<[string, Partial<Snapshot>]>([
		['for a node', { node: undefined }],
		['for a kubelet', { node: { ...someNode, ready: 'Unknown' } }],
		['because a person paused it', { spec: { value: { ...spec, paused: true } } }],
		['for a valid spec', { spec: { fault: 'spec.interfaces[0].mtu: bad', listed: 1 } }],
	])('%s is reported once', (_, over) => {
		const snapshot = world(over)
		expect(decide(later(withStatus(snapshot, statusOf(snapshot)), 90_000))).toMatchObject({ act: 'nothing' })
	})

	test('ends when the node joins', () => {
		const waited = withStatus(world(), pendingStatus(world(), 'NodeNotFound', 'No Kubernetes node has the name worker-1.'))
		expect(decide(waited)).toMatchObject({ act: 'start', why: 'WaitIsOver' })
	})

	test('a run that is in the status but not in the cache is started with its own name, so that an existing one is found', () => {
		const unheard = withStatus(world(), startedStatus(world(), { name: 'multinic-agent-worker-1-g1-3', mode: 'Apply' }))
		expect(decide(unheard)).toMatchObject({ act: 'start', run: { attempt: 3 } })
	})

	test.each<[title: string, name: string, attempt: number]>([
		['its first run', 'multinic-agent-worker-1-g1', 2],
		['a further run', 'multinic-agent-worker-1-g1-4', 5],
		['a run of another generation', 'multinic-agent-worker-1-g7-4', 1],
	])('does not reuse the name after %s was deleted, because the result would be treated as reported', (_, lastJobName, attempt) => {
		const cleared = withStatus(world(), { ...configured, lastJobName })
		expect(decide(retry(cleared, 'now'))).toMatchObject({ act: 'start', why: 'RetryAsked', run: { attempt } })
	})

	test('a configured node that leaves and joins again gets another run', () => {
		const left = { ...settled, node: undefined }
		const back = { ...withStatus(left, statusOf(left)), node: someNode }
		expect(decide(back)).toMatchObject({ act: 'start', run: { attempt: 2 } })
	})
})

describe('mode Plan', () => {
	const plan = { ...spec, mode: 'Plan' as const }
	test('starts a run that changes nothing', () => {
		expect(decide(world({ spec: { value: plan } }))).toMatchObject({ act: 'start', run: { mode: 'Plan' } })
		const busy = (activeVerifications: number) => world({ spec: { value: plan }, rollout: { ...alone, activeVerifications } })
		expect(decide(busy(6))).toMatchObject({ act: 'start' })
		expect(decide(busy(7))).toMatchObject({ act: 'wait', why: 'TooManyRuns' })
	})
	test('is settled by its report and not reported as Configured', () => {
		const planned = run({ mode: 'Plan', report: report({ mode: 'Plan', reason: 'Planned' }), job: ended })
		const snapshot = world({ spec: { value: plan }, runs: [planned] })
		expect(statusOf(snapshot)).toMatchObject({ state: 'Pending' })
		expect(decide(withStatus(snapshot, statusOf(snapshot)))).toMatchObject({ act: 'wait', why: 'Settled' })
	})
})

describe('for any snapshot', () => {
	test('the status is written at most twice while nothing changes', () => {
		fc.assert(
			fc.property(worlds, snapshot => {
				let told = snapshot
				for (let writes = 0; writes < 2; writes++) {
					const decision = decide(told)
					if (decision.act === 'setStatus') told = withStatus(told, decision.status)
				}
				const last = decide(told)
				expect(last.act === 'setStatus' ? statusPatch(told.config.rawStatus, last.status) : undefined).toBeUndefined()
			}),
			{ numRuns: 2_000 },
		)
	})

	test('the state is Configured only after a report for this generation was read', () => {
		let seen = 0
		fc.assert(
			fc.property(worlds, snapshot => {
				const decision = decide(snapshot)
				if (decision.act !== 'setStatus' || decision.status.state !== 'Configured') return
				seen++
				const own = snapshot.runs.filter(one => one.generation === snapshot.config.generation && one.uid === snapshot.config.uid)
				expect(own.some(one => one.report?.outcome === 'Succeeded')).toBe(true)
			}),
			{ numRuns: 5_000, interruptAfterTimeLimit: 600_000 },
		)
		expect(seen).toBeGreaterThan(5)
	})

	test('no run starts before the result of the last one is reported', () => {
		let seen = 0
		fc.assert(
			fc.property(worlds, snapshot => {
				const last = currentRun(snapshot)
				if (decide(snapshot).act !== 'start' || !last) return
				seen++
				expect(isReported(snapshot, last) || !(last.job || last.pod || last.report)).toBe(true)
			}),
			{ numRuns: 10_000, interruptAfterTimeLimit: 600_000 },
		)
		expect(seen).toBeGreaterThan(10)
	})

	test('no run starts while another one may be active on the node', () => {
		fc.assert(
			fc.property(worlds, snapshot => {
				if (decide(snapshot).act !== 'start') return
				expect(snapshot.runs.some(one => one.job && one.job.finished === undefined && !one.pod?.ended)).toBe(false)
			}),
			{ numRuns: 2_000 },
		)
	})
})

test('the back-off is 5, 10, 20, 40 … 300 s', () => {
	expect(waits({ reason: 'WaitingForDevice' })).toEqual([5e3, 10e3, 20e3, 40e3, 300e3, 300e3, 300e3])
})

const harmed = { id: 0, name: 'multinic0', macAddress: 'fa:16:3e:37:c3:f1', message: '' }
test.each<[title: string, complaint: Parameters<typeof waits>[0]]>([
	['without blaming an interface', { reason: 'ConnectivityLost' }],
	[
		'because of one interface',
		{ reason: 'PartlyFailed', interfaceStatuses: [{ ...harmed, status: 'Failed', reason: 'ConnectivityLost' }] },
	],
])('the back-off of a run that disrupted the node, %s, is 1, 2, 4 … 60 min', (_, complaint) => {
	expect(waits(complaint)).toEqual([60e3, 120e3, 240e3, 480e3, 3_600e3, 3_600e3, 3_600e3])
})

function waits(complaint: Parameters<typeof backoffMs>[1]): number[] {
	return [1, 2, 3, 4, 7, 8, 1_000].map(failures => backoffMs(failures, complaint))
}

const rarely = fc.constantFrom(false, false, false, true)
/** Weighted so that a snapshot often leads to a start after another run. Each property counts how often it applied. */
const worlds = fc
	.record({
		generation: fc.constantFrom(1, 1, 2, 3),
		deleting: rarely,
		node: fc.constantFrom(undefined, 'True', 'True', 'False', 'Unknown'),
		paused: rarely,
		retry: fc.constantFrom(undefined, 'a'),
		runs: fc.array(
			fc.record({
				uid: fc.constantFrom('uid-1', 'uid-1', 'older'),
				generation: fc.constantFrom(1, 1, 2, 3),
				attempt: fc.integer({ min: 1, max: 3 }),
				mode: fc.constantFrom('Apply', 'Apply', 'Cleanup', 'Plan'),
				job: fc.constantFrom(undefined, ended, ended, underWay),
				pod: fc.constantFrom(
					undefined,
					{ hasStarted: true, ended: true, refused: undefined, terminationMessage: 'x' },
					{ hasStarted: false, ended: false, refused: 'ImagePullBackOff', terminationMessage: undefined },
				),
				report: fc.constantFrom(undefined, 'Succeeded', 'PartlyFailed', 'RolledBack'),
			}),
			{ maxLength: 4 },
		),
		before: fc.constantFrom<NodeConfigStatus>({}, configured, startedFor(run())),
		told: fc.boolean(),
		passed: fc.constantFrom(0, 400_000),
	})
	.map(({ generation, deleting, node, paused, retry, runs, before, told, passed }): Snapshot => {
		const all = runs.map(({ report: outcome, mode, ...one }) =>
			run({ ...one, mode, report: outcome && report({ outcome, mode, generation: one.generation, attempt: one.attempt }) }),
		)
		const unique = [...new Map(all.map(one => [one.name, one])).values()]
		const base = world({ runs: unique, node: node ? { ...someNode, ready: node } : undefined, spec: { value: { ...spec, paused } } })
		const stored = withStatus(base, before)
		const snapshot = { ...stored, config: { ...stored.config, generation, deleting, requests: retry ? { retry } : {} } }
		const decision = decide(snapshot)
		return later(told && decision.act === 'setStatus' ? withStatus(snapshot, decision.status) : snapshot, passed)
	})

const begun = underWay
const silentPod = { hasStarted: false, ended: false, refused: undefined, terminationMessage: undefined }
const deadPod = { hasStarted: true, ended: true, refused: undefined, terminationMessage: 'Segmentation fault' }
const refused = {
	hasStarted: false,
	ended: false,
	refused: 'ImagePullBackOff: Back-off pulling image "agent"',
	terminationMessage: undefined,
}

function statusOf(snapshot: Snapshot): NodeConfigStatus {
	const decision = decide(snapshot)
	if (decision.act !== 'setStatus') throw new Error(`no status was decided but ${decision.act} ${decision.why}`)
	return decision.status
}

function driftedConditions({ conditions = [] }: NodeConfigStatus): NodeConfigStatus['conditions'] {
	return conditions.map(one => (one.type === 'Ready' ? { ...one, status: 'False' as const, reason: 'Drifted' } : one))
}

/** Adds a new failure of this generation to the status. */
function failedBefore(snapshot: Snapshot): Snapshot {
	return withStatus(snapshot, { ...failed().config.status, observedGeneration: snapshot.config.generation })
}

function ready(status: NodeConfigStatus) {
	return condition(status, 'Ready')
}

function gen(snapshot: Snapshot, generation: number): Snapshot {
	return { ...snapshot, config: { ...snapshot.config, generation } }
}

function sameGeneration(snapshot: Snapshot): Snapshot {
	return gen(snapshot, 1)
}

function retry(snapshot: Snapshot, value: string): Snapshot {
	return { ...snapshot, config: { ...snapshot.config, requests: { retry: value } } }
}

function withRun(snapshot: Snapshot, one: ReturnType<typeof run>): Snapshot {
	return { ...snapshot, runs: [...snapshot.runs, one] }
}

function onlyLast(attempt: number): Snapshot {
	const all = failed(attempt)
	return { ...all, runs: all.runs.slice(-5) }
}

function podEnded() {
	return run({ report: report(), pod: { hasStarted: true, ended: true, refused: undefined, terminationMessage: undefined } })
}

function unhealable(): Snapshot {
	const one = run({
		report: { ...missing, interfaces: [nicReport({ state: 'Failed', reason: 'MtuRefused', message: 'the link supports 1500' })] },
		job: ended,
	})
	return withStatus(world({ runs: [one] }), reportedStatus(world(), one))
}

function answered(over: Partial<Run> = {}): Snapshot {
	const one = run({ attempt: 2, requests: { retry: 'x' }, report: report({ attempt: 2 }), job: ended, ...over })
	const snapshot = world({ runs: [failedRun(1), one] })
	return retry(withStatus(snapshot, one.report ? reportedStatus(snapshot, one) : startedFor(one, snapshot)), 'x')
}
