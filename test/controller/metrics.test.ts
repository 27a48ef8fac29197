import { Registry } from '@prometheus-io/client'
import { expect, test } from 'vitest'
import type { AgentReport } from '../../contract/agent-run.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { CacheCount } from '../../controller/cache/caches.ts'
import { decide } from '../../controller/rules/decide.ts'
import type { Decision } from '../../controller/model/decision.ts'
import { createFleet, type FleetCounts } from '../../controller/rollout/fleet.ts'
import { countDecisions, observeFleet } from '../../controller/metrics.ts'
import type { ConfigView, Mode, Run, Snapshot } from '../../controller/model/snapshot.ts'
import { ended, nic, nicReport, now, report, run, someNode, startedFor, withStatus, world } from './world.ts'

/** Returns MultiNIC's lines of /metrics that are not zero, without their prefix. */
async function lines(registry: Registry): Promise<string[]> {
	const text = (await registry.metrics()).split('\n')
	const own = text.filter(line => line.startsWith('multinic_') && !line.includes('_bucket{') && !line.endsWith(' 0'))
	return own.map(line => line.slice('multinic_'.length))
}

test.each<[title: string, decisions: Decision[], lines: string[]]>([
	['a decision to do nothing is not counted', [{ act: 'nothing', why: 'Settled' }], []],
	['a wait is not counted', [{ act: 'wait', why: 'BackingOff', afterMs: 5_000 }], []],
	['a queued run is not counted', [{ act: 'queue', why: 'WaveIsFull', afterMs: 0 }], []],
	['a status without a result is not counted', [told('InProgress', 'RunStarted', false)], []],
	['a run is counted by its cause', [started('Apply', 'SpecChanged')], ['runs_started_total{cause="SpecChanged",mode="Apply"} 1']],
	[
		'runs with several causes are counted by cause',
		[started('Apply', 'SpecChanged'), started('Verify', 'TimeToVerify'), started('Apply', 'SpecChanged')],
		['runs_started_total{cause="SpecChanged",mode="Apply"} 2', 'runs_started_total{cause="TimeToVerify",mode="Verify"} 1'],
	],
	[
		'results are counted by state and reason',
		[told('Configured', 'NoInterfaces'), told('Failed', 'InUse'), told('Configured', 'NoInterfaces')],
		['run_results_total{state="Configured",reason="NoInterfaces"} 2', 'run_results_total{state="Failed",reason="InUse"} 1'],
	],
])('%s', async (_, decisions, expected) => {
	const registry = new Registry()
	const count = countDecisions(registry)
	for (const decision of decisions) count(decision, world())
	expect(await lines(registry)).toEqual(expected)
})

const configured = 'run_results_total{state="Configured",reason="AllInterfacesConfigured"} 1'
const failed = (reason: string) => `run_results_total{state="Failed",reason="${reason}"} 1`
const spent = (mode: Mode, outcome: string, seconds: number) => [
	`run_seconds_sum{mode="${mode}",outcome="${outcome}"} ${seconds}`,
	`run_seconds_count{mode="${mode}",outcome="${outcome}"} 1`,
]
const begun = (seconds: number) => [`run_start_seconds_sum ${seconds}`, 'run_start_seconds_count 1']
const settled = (seconds: number) => [`run_settle_seconds_sum ${seconds}`, 'run_settle_seconds_count 1']
const phase = (name: string, seconds: number) => [
	`run_phase_seconds_sum{phase="${name}"} ${seconds}`,
	`run_phase_seconds_count{phase="${name}"} 1`,
]

// created 10 s ago; the agent started 6 s ago and ended 4 s ago
const times = { started: '2026-01-01T11:59:54Z', finished: '2026-01-01T11:59:56Z' }

test.each<[title: string, over: Partial<AgentReport>, lines: string[]]>([
	[
		'until the agent starts, per phase, and until the result is reported',
		{ ...times, milliseconds: { observe: 38, apply: 61, total: 2_000 } },
		[
			configured,
			'run_changes_total 3',
			...begun(4),
			...spent('Apply', 'Succeeded', 2),
			...phase('observe', 0.038),
			...phase('apply', 0.061),
			...settled(4),
		],
	],
	[
		'a run without changes',
		{ ...times, changes: 0, milliseconds: {} },
		[configured, ...begun(4), ...spent('Apply', 'Succeeded', 2), ...settled(4)],
	],
	[
		'a run that was rolled back',
		{ ...times, outcome: 'RolledBack', reason: 'ConnectivityLost', changes: 0, milliseconds: { undo: 90 } },
		[failed('ConnectivityLost'), ...begun(4), ...spent('Apply', 'RolledBack', 2), ...phase('undo', 0.09), ...settled(4)],
	],
	[
		'a node whose clock is behind, so that its run starts before its creation',
		{ started: '2026-01-01T11:59:00Z', finished: '2026-01-01T11:59:02Z', milliseconds: {} },
		[configured, 'run_changes_total 3', ...spent('Apply', 'Succeeded', 2), ...settled(58)],
	],
	[
		'a node whose clock is ahead, so that its run ends in the future',
		{ started: '2026-01-01T12:01:00Z', finished: '2026-01-01T12:01:02Z', milliseconds: {} },
		[configured, 'run_changes_total 3', ...begun(70), ...spent('Apply', 'Succeeded', 2)],
	],
	['a report with invalid times', { started: 'noon', finished: 'later', milliseconds: {} }, [configured, 'run_changes_total 3']],
	[
		'unknown phases, which are combined into one',
		{ started: 'noon', finished: 'later', milliseconds: { a: 10, b: 20, apply: 30, c: -5 } },
		[
			configured,
			'run_changes_total 3',
			'run_phase_seconds_sum{phase="other"} 0.03',
			'run_phase_seconds_count{phase="other"} 2',
			...phase('apply', 0.03),
		],
	],
])('measures the duration of a run: %s', async (_, over, expected) => {
	expect(await linesOf(run({ report: report(over) }))).toEqual(expected)
})

test('counts a run without a report as a result and without a duration', async () => {
	expect(await linesOf(run({ job: ended }))).toEqual([failed('RunLost')])
})

test('a verification that finds drift has its own duration and no changes; the repair counts as a started run', async () => {
	const registry = new Registry()
	const count = countDecisions(registry)
	const before = run({ report: report(), job: ended })
	const drifted = nicReport({ state: 'Failed', reason: 'Drifted', message: 'mtu 1500', changes: 2 })
	const over = { attempt: 2, mode: 'Verify' as const, reason: 'Drifted' as const, changes: 2, interfaces: [drifted] }
	const found = report({ ...over, outcome: 'Failed', ...times, milliseconds: {} })
	const look = run({ attempt: 2, mode: 'Verify', cause: 'TimeToVerify', report: found, job: ended })
	const snapshot = withStatus(world({ runs: [before, look] }), statusAfter(before))
	const told = decide(snapshot)
	count(told, snapshot)
	expect(await lines(registry)).toEqual([failed('Drifted'), ...begun(4), ...spent('Verify', 'Failed', 2), ...settled(4)])
	const repair = withStatus(snapshot, told.act === 'setStatus' ? told.status : {})
	count(decide(repair), repair)
	expect((await lines(registry))[0]).toBe('runs_started_total{cause="Drifted",mode="Apply"} 1')
})

test('the series that alerts need exist from the start', async () => {
	const registry = new Registry()
	countDecisions(registry)
	const text = await registry.metrics()
	expect(text).toContain('multinic_runs_started_total{cause="Drifted",mode="Apply"} 0')
	expect(text).toContain('multinic_run_results_total{state="Failed",reason="RunLost"} 0')
})

test('counts a plan as a result without changes', async () => {
	const planned = nicReport({ state: 'Pending', reason: 'Planned' })
	const found = report({
		mode: 'Plan',
		reason: 'Planned',
		changes: 31,
		interfaces: [planned],
		started: 'noon',
		finished: 'later',
		milliseconds: {},
	})
	const one = run({ mode: 'Plan', report: found, job: ended })
	const spec = { value: { nodeName: 'worker-1', interfaces: [nic], mode: 'Plan' as const } }
	expect(await linesOf(one, { spec })).toEqual(['run_results_total{state="Pending",reason="Planned"} 1'])
})

test('counts a clean-up as a result, although no status reports it', async () => {
	const one = run({ mode: 'Cleanup', cause: 'Deleted', report: report({ mode: 'Cleanup', ...times, milliseconds: {} }), job: ended })
	const released = ['run_results_total{state="Released",reason="Released"} 1', 'run_changes_total 3']
	const config = { ...world().config, deleting: true }
	expect(await linesOf(one, { config })).toEqual([...released, ...begun(4), ...spent('Cleanup', 'Succeeded', 2), ...settled(4)])
})

test('does not count a node config that is released without a run as a result', async () => {
	expect(await linesOf(run({ mode: 'Cleanup' }), { config: { ...world().config, deleting: true }, node: undefined })).toEqual([])
})

const calm: FleetCounts = { total: 0, changing: 0, queued: 0, stopping: 0, paused: false, limit: 0 }
const nobody = {
	...{ configOf: () => undefined, nodeOf: () => undefined, runsOf: () => [], active: () => 0, wake: () => {} },
	...{ recordedStop: () => undefined, stopsChanged: () => {} },
	...{ maxConcurrentRuns: 1, startedAt: now },
}
const pending = { ...readyBecause('NodeNotFound'), state: 'Pending' } as const

test.each<[title: string, world: World, lines: string[]]>([
	['no node configs', {}, []],
	[
		'a rollout',
		{ counts: { changing: 3, queued: 40, stopping: 1, limit: 10, paused: true } },
		['rollout_changing 3', 'rollout_waiting 40', 'rollout_stopping 1', 'rollout_limit 10', 'rollout_paused 1'],
	],
	[
		'node configs by state and reason, including one without a status',
		{ statuses: [pending, {}, pending] },
		['node_configs{state="Pending",reason="NodeNotFound"} 2', 'node_configs{state="Unknown",reason="Unknown"} 1'],
	],
	[
		'interfaces by state',
		{ statuses: [statusAfter(run({ report: report(), job: ended }))] },
		['node_configs{state="Configured",reason="AllInterfacesConfigured"} 1', 'interfaces{state="Configured"} 1'],
	],
	[
		'caches by kind',
		{
			caches: [
				{ kind: 'Node', objects: 3, events: 40, lists: 1, failures: 2 },
				{ kind: 'Pod', objects: 5, events: 6, lists: 1, failures: 0 },
			],
		},
		[
			...['cache_objects{kind="Node"} 3', 'cache_objects{kind="Pod"} 5', 'cache_events_total{kind="Node"} 40'],
			...['cache_events_total{kind="Pod"} 6', 'cache_lists_total{kind="Node"} 1', 'cache_lists_total{kind="Pod"} 1'],
			'cache_failures_total{kind="Node"} 2',
		],
	],
])('exports the fleet: %s', async (_, seen, expected) => {
	const registry = new Registry()
	observe(registry, seen)
	expect(await lines(registry)).toEqual(expected)
	expect(await lines(registry), 'second scrape').toEqual(expected)
})

test('drops the series of a state that no node config has any longer', async () => {
	const registry = new Registry()
	const statuses: NodeConfigStatus[] = [pending]
	observe(registry, { statuses })
	expect(await lines(registry)).toEqual(['node_configs{state="Pending",reason="NodeNotFound"} 1'])
	statuses.pop()
	expect(await lines(registry)).toEqual([])
})

type World = { counts?: Partial<FleetCounts>; statuses?: NodeConfigStatus[]; caches?: CacheCount[] }

function observe(registry: Registry, { counts = {}, statuses = [], caches = [] }: World): void {
	const configs = (): ConfigView[] => statuses.map(status => ({ ...world().config, status }))
	const fleet = { ...createFleet(nobody), counts: () => ({ ...calm, ...counts }) }
	observeFleet(registry, { fleet, census: { configs, caches: () => caches } })
}

function started(mode: Mode, cause: string): Decision {
	return { act: 'start', why: cause, run: { attempt: 1, mode, cause, requests: {}, failures: 0 }, keepStatus: false }
}

function told(state: NonNullable<NodeConfigStatus['state']>, reason: string, result = true): Decision {
	return { act: 'setStatus', why: reason, status: { state, ...readyBecause(reason) }, result }
}

function readyBecause(reason: string): NodeConfigStatus {
	const lastTransitionTime = '2026-01-01T12:00:00Z'
	return { conditions: [{ type: 'Ready', status: 'False', reason, message: '', lastTransitionTime }] }
}

/** Returns the metrics after the controller's decision about this run. */
async function linesOf(one: Run, over: Partial<Snapshot> = {}): Promise<string[]> {
	const registry = new Registry()
	const snapshot = withStatus(world({ node: someNode, runs: [one], ...over }), startedFor(one))
	countDecisions(registry)(decide(snapshot), snapshot)
	return lines(registry)
}

function statusAfter(one: Run): NodeConfigStatus {
	const snapshot = withStatus(world({ runs: [one] }), startedFor(one))
	const decision = decide(snapshot)
	if (decision.act !== 'setStatus') throw new Error(`expected a result, not ${decision.act}`)
	return decision.status
}
