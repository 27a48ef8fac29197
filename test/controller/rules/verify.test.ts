import { describe, expect, test } from 'vitest'
import type { AgentReport } from '../../../contract/agent-run.ts'
import type { NodeConfigStatus } from '../../../contract/node-config.ts'
import type { Reason } from '../../../contract/reasons.ts'
import { rolloutOf } from '../../../contract/rollout.ts'
import { condition } from '../../../contract/status.ts'
import { decide } from '../../../controller/rules/decide.ts'
import type { Run, Snapshot } from '../../../controller/model/snapshot.ts'
import { reportedStatus } from '../../../controller/status/build-status.ts'
import { alone, ended, nicReport, now, report, run, someNode, spec, withStatus, world } from '../world.ts'
import { nextVerificationAt, whenVerificationDue, whenVerified } from '../../../controller/rules/verify.ts'

const hour = 3_600_000
const machine = { os: 'x', kernel: 'x', virtualization: 'kvm', cpus: 1, memoryMiB: 1, bootID: 'boot-1' }
const applied = run({ report: report({ machine }), job: ended })
const settings = (data: Record<string, string> = {}) => ({ ...alone, settings: rolloutOf(data, undefined) })
const settled = withStatus(world({ runs: [applied], rollout: settings() }), reportedStatus(world(), applied))
const settledBefore = (podNetworks: string | undefined): Snapshot => ({ ...settled, runs: [{ ...applied, podNetworks }] })
const later = (snapshot: Snapshot, ms: number): Snapshot => ({ ...snapshot, now: snapshot.now + ms })

const wrong = nicReport({ state: 'Failed', reason: 'Drifted', message: 'mtu is 1400, not 1450' })
const drift: Partial<AgentReport> = {
	outcome: 'Failed',
	reason: 'Drifted',
	message: 'In sync 0/1. multinic0: mtu is 1400, not 1450.',
	interfaces: [wrong],
}

/** Returns a verification run and its report. */
function look(found: Partial<AgentReport>, over: Partial<Run> = {}): Run {
	const attempt = over.attempt ?? 2
	const said = report({ mode: 'Verify', attempt, machine, interfaces: [nicReport({ reason: 'AlreadyConfigured', changes: 0 })], ...found })
	return run({ attempt, mode: 'Verify', cause: 'TimeToVerify', report: said, job: ended, failures: 0, created: now, ...over })
}

function seen(one: Run, snapshot = settled): Snapshot {
	return { ...snapshot, runs: [...snapshot.runs, one] }
}

function statusOf(snapshot: Snapshot): NodeConfigStatus {
	const decision = decide(snapshot)
	if (decision.act !== 'setStatus') throw new Error(`no status was decided but ${decision.act} ${decision.why}`)
	return decision.status
}

function told(snapshot: Snapshot): Snapshot {
	return withStatus(snapshot, statusOf(snapshot))
}

describe('a node is verified', () => {
	test.each<[title: string, snapshot: Snapshot, act: string, why: string]>([
		['within the interval, at a time that depends on the node config', later(settled, hour), 'start', 'TimeToVerify'],
		['but not immediately after it was configured', settled, 'wait', 'Settled'],
		['never if the interval is 0', later({ ...settled, rollout: settings({ verifyIntervalSeconds: '0' }) }, hour / 2), 'wait', 'Settled'],
		['when it has rebooted', { ...settled, node: { ...someNode, bootID: 'boot-2' } }, 'start', 'NodeRebooted'],
		['when its pod networks have changed since its last run', settledBefore(''), 'start', 'PodNetworksChanged'],
		['but not if its pod networks are those of its last run', settledBefore('10.244.1.0/24'), 'wait', 'Settled'],
		['but not because of its pod networks if those of the last run are unknown', settledBefore(undefined), 'wait', 'Settled'],
		[
			'once for each change of its pod networks',
			seen(look({}, { report: undefined, podNetworks: '10.244.1.0/24' }), settledBefore('')),
			'wait',
			'Settled',
		],
		[
			'but not before it is Ready after a reboot',
			{ ...settled, node: { ...someNode, bootID: 'boot-2', ready: 'Unknown' } },
			'wait',
			'Settled',
		],
		[
			'only once per boot, even if the verification has no result',
			{ ...seen(look({}, { report: undefined })), node: { ...someNode, bootID: 'boot-2' } },
			'wait',
			'Settled',
		],
		[
			'only once per boot, even if the clock of the API server is hours behind',
			{ ...seen(look({}, { report: undefined, created: now - 5 * hour })), node: { ...someNode, bootID: 'boot-2' } },
			'wait',
			'Settled',
		],
		['when a person requests it', { ...settled, config: { ...settled.config, requests: { verify: 'x' } } }, 'start', 'VerifyAsked'],
		['when a person requests a plan', { ...settled, config: { ...settled.config, requests: { plan: 'x' } } }, 'start', 'PlanAsked'],
		['but not before it is configured', { ...world({ rollout: settings() }), now: now + hour }, 'start', 'SpecChanged'],
		[
			'but not if the maximum number of verifications is in progress',
			{ ...settled, node: { ...someNode, bootID: 'boot-2' }, rollout: { ...settings(), activeVerifications: 5 } },
			'wait',
			'Settled',
		],
		[
			'immediately at the request of a person, even if the maximum number is in progress',
			{ ...settled, config: { ...settled.config, requests: { plan: 'x' } }, rollout: { ...settings(), activeVerifications: 5 } },
			'start',
			'PlanAsked',
		],
		[
			'but a quarter of the run slots is reserved for changes, even if a person requests it',
			{ ...settled, config: { ...settled.config, requests: { plan: 'x' } }, rollout: { ...settings(), activeVerifications: 7 } },
			'wait',
			'Settled',
		],
		[
			'even while the rollout is paused, because nothing is changed',
			later({ ...settled, rollout: settings({ paused: 'true' }) }, hour),
			'start',
			'TimeToVerify',
		],
		[
			'but not while the node config is paused',
			{ ...settled, spec: { value: { ...spec, paused: true } }, config: { ...settled.config, requests: { plan: 'x' } } },
			'setStatus',
			'Paused',
		],
	])('%s', (_, snapshot, act, why) => {
		expect(decide(snapshot)).toMatchObject({ act, why })
	})

	test('by a run that changes nothing and is not in the status', () => {
		expect(decide(later(settled, hour))).toMatchObject({ run: { mode: 'Verify', attempt: 2 }, keepStatus: true })
	})

	test('once per interval', () => {
		const looks: number[] = []
		let lastRunAt = now
		for (let minute = 0; minute < 600; minute++) {
			const at = now + minute * 60_000
			const decision = decide({ ...settled, now: at, runs: [], rollout: { ...settings(), lastRunAt } })
			if (decision.act !== 'start') continue
			looks.push(minute)
			lastRunAt = at
		}
		expect(looks).toHaveLength(10)
		expect(new Set(looks.map(minute => minute % 60)).size).toBe(1)
	})

	test('at times that are spread over all nodes', () => {
		const minutes = Array.from({ length: 60 }, (_, node) => {
			const decision = decide({ ...settled, runs: [], config: { ...settled.config, uid: `4f7c-${node * 7}` } })
			return decision.act === 'wait' ? Math.floor(decision.afterMs / 60_000) : -1
		})
		expect(new Set(minutes).size).toBeGreaterThan(25)
	})

	test('and the request is removed after a run has answered it', () => {
		const asking = { ...settled, config: { ...settled.config, requests: { verify: 'x' } } }
		expect(decide(asking)).toMatchObject({ run: { requests: { verify: 'x' } } })
		expect(decide(seen(look({}, { requests: { verify: 'x' } }), asking))).toMatchObject({ act: 'updateMetadata', answered: ['verify'] })
		const onlyConfigMap = look({}, { requests: { verify: 'x' }, job: undefined, pod: undefined, report: undefined })
		expect(decide(seen(onlyConfigMap, asking)), 'the controller ended before it created the Job').toMatchObject({
			act: 'start',
			why: 'VerifyAsked',
		})
	})
})

describe('a verification', () => {
	test('without new findings writes nothing', () => {
		expect(decide(seen(look({})))).toMatchObject({ act: 'wait', why: 'Settled' })
	})

	test('without new findings after a boot stores only the boot ID', () => {
		const snapshot = seen(look({ machine: { ...machine, bootID: 'boot-2' } }))
		expect(statusOf(snapshot)).toEqual({ ...settled.config.status, bootID: 'boot-2' })
		expect(decide({ ...told(snapshot), node: { ...someNode, bootID: 'boot-2' } })).toMatchObject({ act: 'wait', why: 'Settled' })
	})

	test('that finds drift reports it with the message of the run and what happens next', () => {
		const status = statusOf(seen(look(drift)))
		expect(status).toMatchObject({ state: 'Failed', interfaces: '0/1', lastJobName: applied.name })
		expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'Drifted' })
		expect(condition(status, 'Ready')?.message).toBe('In sync 0/1. multinic0: mtu is 1400, not 1450. It is repaired in rollout order.')
		expect(condition(status, 'Drifted')).toMatchObject({ status: 'True', reason: 'Drifted' })
		expect(status.history).toEqual(settled.config.status.history)
	})

	test('that finds another failure reports no drift, and the failure is retried after its back-off', () => {
		const gone = look({
			outcome: 'Failed',
			reason: 'WaitingForDevice',
			interfaces: [nicReport({ state: 'Failed', reason: 'WaitingForDevice', message: 'no link' })],
		})
		const snapshot = told(seen(gone))
		expect(snapshot.config.status).toMatchObject({ state: 'Failed' })
		expect(decide(snapshot)).toMatchObject({ act: 'wait', why: 'BackingOff', afterMs: 5_000 })
	})

	test('that could not check the node sets condition Drifted to Unknown', () => {
		const status = statusOf(
			seen(look({ outcome: 'Failed', reason: 'RunFailed', interfaces: [nicReport()], message: 'another run holds the host' })),
		)
		expect(condition(status, 'Drifted')).toMatchObject({ status: 'Unknown', message: 'another run holds the host' })
	})

	test.each<[reason: Reason, interfaces: Reason[]]>([
		['InUse', ['InUse']],
		['InOtherNamespace', ['InOtherNamespace']],
		['PartlyFailed', ['InUse', 'WaitingForDevice']],
		['RunFailed', []],
	])('that fails with %s sets condition Drifted to Unknown with that reason', (reason, interfaces) => {
		const failed = interfaces.map(one => nicReport({ state: 'Failed', reason: one, message: 'as it is' }))
		const status = statusOf(seen(look({ outcome: 'Failed', reason, message: 'In sync 0/1. multinic0: as it is.', interfaces: failed })))
		expect(condition(status, 'Drifted')).toMatchObject({ status: 'Unknown', reason, message: 'In sync 0/1. multinic0: as it is.' })
	})

	test('that finished without a report changes nothing', () => {
		expect(decide(seen(look({}, { report: undefined })))).toMatchObject({ act: 'wait', why: 'Settled' })
	})

	test('from before the last change is ignored', () => {
		const since = run({ attempt: 3, report: report({ attempt: 3, machine }), job: ended })
		const snapshot = withStatus({ ...settled, runs: [applied, look(drift), since] }, reportedStatus(settled, since))
		expect(decide(snapshot)).toMatchObject({ act: 'wait', why: 'Settled' })
	})
})

describe('a node that drifted', () => {
	const drifted = told(seen(look(drift)))

	test('is repaired immediately, and the drift is reported until then', () => {
		expect(decide(drifted)).toMatchObject({ act: 'start', why: 'Drifted', run: { mode: 'Apply', attempt: 3 }, keepStatus: true })
		const repaired = seen(run({ attempt: 3, cause: 'Drifted', report: report({ attempt: 3, machine }), job: ended }), drifted)
		const status = statusOf(repaired)
		expect(status).toMatchObject({ state: 'Configured', history: [{ cause: 'Drifted', result: 'Configured' }, {}] })
		expect(condition(status, 'Drifted')).toMatchObject({ status: 'False' })
	})

	test('and is in sync again without a repair is Configured without a run', () => {
		const status = statusOf(seen(look({}, { attempt: 3 }), drifted))
		expect(status).toMatchObject({ state: 'Configured', interfaces: '1/1' })
	})

	const repairs = (minutes: readonly number[]) =>
		minutes.map((ago, index) => ({
			...{ generation: 1, job: `j${index}`, seconds: 1, changes: 1, result: 'Configured' as const, cause: 'Drifted' },
			started: new Date(now - ago * 60_000).toISOString(),
		}))
	const withHistory = (minutes: readonly number[], data: Record<string, string> = {}): Snapshot => {
		const base = withStatus(settled, { ...settled.config.status, history: repairs(minutes) })
		return told({ ...seen(look(drift), base), rollout: settings(data) })
	}

	test.each<[title: string, minutes: number[], data: Record<string, string>, act: string, words: string]>([
		['and was repaired twice within the hour is repaired', [10, 20], {}, 'start', 'It is repaired in rollout order.'],
		[
			'and was repaired three times within the hour is not repaired until the first repair is an hour old',
			[10, 20, 30],
			{},
			'wait',
			'Too many repairs within the hour; next at 12:30 UTC.',
		],
		['and was repaired three times, but not within the hour, is repaired', [10, 20, 70], {}, 'start', 'It is repaired in rollout order.'],
		['is never repaired if repairs are disabled', [], { repairsPerHour: '0' }, 'wait', 'Repairs are disabled (repairsPerHour 0).'],
	])('%s', (_, minutes, data, ...[act, words]) => {
		const snapshot = withHistory(minutes, data)
		expect(decide(snapshot)).toMatchObject({ act })
		expect(condition(snapshot.config.status, 'Ready')?.message).toContain(words)
	})

	const repairRun = (ago: number, over: Partial<Run> = {}) =>
		run({ attempt: 100 - ago, cause: 'Drifted', created: now - ago * 60_000, generation: 0, report: report(), job: ended, ...over })
	const withRuns = (runs: readonly Run[], history: readonly number[] = []): Snapshot => {
		const entries = repairs(history)
		const base = withStatus({ ...settled, runs: [...settled.runs, ...runs] }, { ...settled.config.status, history: entries })
		return told(seen(look(drift), base))
	}
	const tooOften = 'Too many repairs within the hour; next at 12:30 UTC.'

	test.each<[title: string, snapshot: Snapshot, words: string]>([
		[
			'that are no longer in the history because later runs have replaced them',
			withRuns([10, 20, 30].map(ago => repairRun(ago))),
			tooOften,
		],
		[
			'that failed, which have another reason in the history',
			withRuns([10, 20, 30].map(ago => repairRun(ago, { report: report({ outcome: 'Failed', reason: 'InUse' }) }))),
			tooOften,
		],
		[
			'only once if they are in the history and still exist',
			withRuns([repairRun(10, { name: 'j0' }), repairRun(20)], [10]),
			'It is repaired in rollout order.',
		],
		['that exist or are in the history', withRuns([repairRun(10), repairRun(20)], [30]), tooOften],
		['only of this node config', withRuns([10, 20, 30].map(ago => repairRun(ago, { uid: 'former' }))), 'It is repaired in rollout order.'],
	])('counts repairs %s', (_, snapshot, words) => {
		expect(condition(snapshot.config.status, 'Ready')?.message).toContain(words)
		expect(decide(snapshot)).toMatchObject({ act: words === tooOften ? 'wait' : 'start' })
	})

	test('keeps a repair run for an hour, even if runs are deleted sooner', () => {
		const settings = { ...settled.settings, keepRunMs: 1 }
		const done = [repairRun(59, { attempt: 1 }), repairRun(61, { attempt: 2 }), repairRun(5, { cause: 'SpecChanged', attempt: 3 })]
		const snapshot = {
			...settled,
			settings,
			runs: [...settled.runs, ...done.map(one => ({ ...one, job: { ...ended, finished: one.created } }))],
		}
		expect(decide(snapshot)).toMatchObject({ act: 'deleteRuns', runs: [done[1]?.name, done[2]?.name] })
	})

	test('keeps a ConfigMap without a known Job while one may still be created, regardless of other clocks', () => {
		const runs = [look({}, { job: undefined, pod: undefined, report: undefined, created: now - 2 * hour, firstSeenAt: now })]
		const snapshot = { ...settled, runs }
		expect(decide(snapshot)).toMatchObject({ act: 'wait', why: 'Settled' })
		expect(
			decide({ ...later(snapshot, 316_000), uptime: now + 316_000, rollout: { ...settings(), lastRunAt: now + 316_000 } }),
		).toMatchObject({ act: 'deleteRuns' })
	})

	test('too often is repaired after the hour', () => {
		const snapshot = withHistory([10, 20, 30])
		expect(decide(later(snapshot, 29 * 60_000)).act).not.toBe('setStatus')
		expect(decide({ ...later(snapshot, 31 * 60_000), rollout: { ...settings(), lastRunAt: now + 31 * 60_000 } })).toMatchObject({
			act: 'start',
			why: 'Drifted',
		})
	})

	test('is repaired if a person requests it, regardless of the number of repairs', () => {
		const snapshot = withHistory([10, 20, 30])
		expect(decide({ ...snapshot, config: { ...snapshot.config, requests: { retry: 'x' } } })).toMatchObject({
			act: 'start',
			why: 'RetryAsked',
		})
	})

	const stopped = { ...settings(), stoppedBy: { name: 'worker-2', reason: 'RolledBack' } }
	test.each<[title: string, rollout: Snapshot['rollout'], words: string]>([
		['is paused', settings({ paused: 'true' }), 'It is repaired when the rollout resumes (paused).'],
		['is stopped by another node', stopped, 'It is repaired when the rollout resumes (stopped by worker-2).'],
		['is stopped by this node', { ...stopped, skipsQueue: true }, 'It is repaired in rollout order.'],
		['has invalid settings', settings({ paused: 'yes' }), 'It is repaired when ConfigMap multinic-rollout is valid.'],
		['disables repairs', settings({ paused: 'true', repairsPerHour: '0' }), 'Repairs are disabled (repairsPerHour 0).'],
	])('in a rollout that %s reports this, and reports again when this has ended', (_, rollout, words) => {
		const held = told({ ...seen(look(drift)), rollout })
		expect(condition(held.config.status, 'Ready')?.message).toBe(`In sync 0/1. multinic0: mtu is 1400, not 1450. ${words}`)
		expect(decide(held).act).not.toBe('setStatus')
		const going = { ...held, rollout: settings() }
		const over = condition((decide(going).act === 'setStatus' ? told(going) : going).config.status, 'Ready')
		expect(over?.message).toContain('It is repaired in rollout order.')
	})

	test('too often in a paused rollout reports both', () => {
		expect(condition(withHistory([10, 20, 30], { paused: 'true' }).config.status, 'Ready')?.message).toContain(
			'Too many repairs within the hour; not before 12:30 UTC, and when the rollout resumes (paused).',
		)
	})

	test('in a rollout with invalid settings is held until they are valid', () => {
		expect(decide({ ...drifted, rollout: settings({ paused: 'yes' }) })).toMatchObject({ act: 'setStatus' })
		const held = told({ ...drifted, rollout: settings({ paused: 'yes' }) })
		expect(decide(held)).toMatchObject({ act: 'queue', why: 'SettingsUnreadable' })
	})

	test('in a paused rollout is not repaired', () => {
		const held = told({ ...drifted, rollout: settings({ paused: 'true' }) })
		expect(decide(held)).toMatchObject({ act: 'queue', why: 'RolloutPaused' })
	})
})

describe('verification runs', () => {
	test('are deleted except the last three', () => {
		const looks = [2, 3, 4, 5].map(attempt => look({}, { attempt, created: now + attempt }))
		expect(decide({ ...settled, runs: [applied, ...looks] })).toMatchObject({ act: 'deleteRuns', runs: [looks[0]?.name] })
	})
})

describe('a verification after a boot is not repeated for five minutes', () => {
	const unscheduled = settings({ verifyIntervalSeconds: '0' })
	const booted = { ...settled, node: { ...someNode, bootID: 'boot-2' }, rollout: { ...unscheduled, lastRunAt: now - hour } }
	const created = (ms: number, over: Partial<Run> = {}) => seen(look({}, { report: undefined, created: now - ms, ...over }), booted)
	test.each<[title: string, snapshot: Snapshot, why: string]>([
		['according to the clock of the API server', created(299_999), 'Settled'],
		['but not longer, according to the clock of the API server', created(300_000), 'NodeRebooted'],
		['according to the clock of the controller', { ...created(hour), rollout: { ...unscheduled, lastRunAt: now - 299_999 } }, 'Settled'],
		[
			'but not longer, according to the clock of the controller',
			{ ...created(hour), rollout: { ...unscheduled, lastRunAt: now - 300_000 } },
			'NodeRebooted',
		],
		['but a run of another node config is ignored', created(1_000, { uid: 'uid-2', generation: 7 }), 'NodeRebooted'],
		['but a run that changes the node is not a verification', { ...booted, runs: [{ ...applied, created: now - 1_000 }] }, 'NodeRebooted'],
	])('%s', (_, snapshot, why) => {
		expect(decide(snapshot).why).toBe(why)
	})
})

describe('a node is not verified', () => {
	const due = later(settled, hour)
	const failed = (reason: Reason) => reportedStatus(world(), run({ report: report({ outcome: 'Failed', reason, machine }), job: ended }))
	test.each<[title: string, snapshot: Snapshot, mode: string | undefined]>([
		['unless it is due', settled, undefined],
		['if it failed', withStatus(due, failed('NotVerified')), undefined],
		['if it was configured for another generation', withStatus(due, { ...due.config.status, observedGeneration: 0 }), undefined],
		['if it is deleted', { ...due, config: { ...due.config, deleting: true } }, undefined],
		['if the node does not exist', { ...due, node: undefined }, undefined],
		['if its kubelet does not report', { ...due, node: { ...someNode, ready: 'Unknown' } }, undefined],
		['if the settings are invalid', { ...due, rollout: { ...due.rollout, settings: { fault: 'x' } as never } }, undefined],
		['if no run may be created', { ...due, rollout: { ...due.rollout, runSlots: 0 } }, undefined],
		['but is otherwise', due, 'Verify'],
	])('%s', (_, snapshot, mode) => {
		const decision = whenVerificationDue(snapshot)
		expect(decision?.act === 'start' ? decision.run.mode : undefined).toBe(mode)
	})
})

describe('a read-only run', () => {
	const asking = (requests: Snapshot['config']['requests']): Snapshot => ({ ...settled, config: { ...settled.config, requests } })
	const at = nextVerificationAt(settled) ?? 0
	type Case = [title: string, snapshot: Snapshot, mode: Run['mode'], cause: string, requests?: Run['requests']]
	test.each<Case>([
		['that a person requests', asking({ verify: 'x' }), 'Verify', 'VerifyAsked', { verify: 'x' }],
		['that plans, which precedes one that verifies', asking({ verify: 'x', plan: 'y' }), 'Plan', 'PlanAsked', { plan: 'y' }],
		['after a reboot', { ...settled, node: { ...someNode, bootID: 'boot-2' } }, 'Verify', 'NodeRebooted'],
		['after a change of the pod networks', settledBefore(''), 'Verify', 'PodNetworksChanged'],
		['when it is due', { ...settled, now: at }, 'Verify', 'TimeToVerify'],
	])('%s starts', (_, snapshot, mode, ...[cause, requests = {}]) => {
		const one = { attempt: 2, mode, cause, requests, failures: 0 }
		expect(decide(snapshot)).toStrictEqual({ act: 'start', why: cause, run: one, keepStatus: true })
	})

	test('does not start a millisecond before it is due', () => {
		expect(decide({ ...settled, now: at - 1 })).toMatchObject({ act: 'wait', why: 'Settled' })
	})

	test('starts even if a run of a former node config has answered the same request', () => {
		const former = look({}, { uid: 'former', requests: { plan: 'x' } })
		expect(decide(seen(former, asking({ plan: 'x' })))).toMatchObject({ act: 'start', why: 'PlanAsked' })
	})

	test('is due at a time that the FNV-1a hash of the UID of the node config determines', () => {
		const of = (uid: string) => nextVerificationAt({ ...settled, runs: [], config: { ...settled.config, uid } }) ?? 0
		expect([of('a') % hour, of('foobar') % hour]).toEqual([0xe40c292c % hour, 0xbf9cf968 % hour])
	})
})

describe('the result of a verification', () => {
	const repeated = { ...settled, runs: [applied, look({}, { attempt: 3 }), look(drift)] }
	const booted = look({ machine: { ...machine, bootID: 'boot-2' } })
	const bare = withStatus({ ...settled, runs: [booted] }, { ...settled.config.status, conditions: [] })

	test.each<[title: string, snapshot: Snapshot, decision: object | undefined]>([
		['causes an Event if the state changes', seen(look(drift)), { why: 'Drifted', result: true, eventKey: `${look(drift).name}.result` }],
		['causes no Event if the state stays', seen(booted), { why: 'AllInterfacesConfigured', result: false }],
		[
			'keeps the reason of the status if that stays',
			withStatus(seen(booted), {
				...settled.config.status,
				conditions: settled.config.status.conditions?.map(one => ({ ...one, reason: 'Later' })),
			}),
			{ why: 'Later', result: false },
		],
		['has its own reason if the status has none', bare, { why: 'AllInterfacesConfigured', result: false }],
		['is that of the last verification, regardless of the order of the list', repeated, undefined],
		['is ignored if it was not the last run', { ...repeated, runs: [run({ attempt: 4 }), ...repeated.runs] }, undefined],
	])('%s', (_, snapshot, decision) => {
		const { act, status, ...rest } = (whenVerified(snapshot) ?? {}) as Record<string, unknown>
		expect(act === undefined ? undefined : rest).toEqual(decision)
	})
})

test('a verification that is due but not allowed yet is due again in 30 seconds, and any other one at its time', () => {
	expect(nextVerificationAt(later(settled, hour))).toBe(now + hour + 30_000)
	expect(nextVerificationAt(settled)).toBeGreaterThan(now + 30_000)
	expect(nextVerificationAt({ ...settled, rollout: settings({ verifyIntervalSeconds: '0' }) })).toBeUndefined()
})
