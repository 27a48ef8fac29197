/** When each alert fires: tables of series in the syntax of promtool's unit tests, with one sample per minute. */

export type Series = Readonly<Record<string, string>>

const leader = 'job="multinic", namespace="multinic-system", instance="10.0.0.1:8080", pod="multinic-controller-a"'
const standby = 'job="multinic", namespace="multinic-system", instance="10.0.0.2:8080", pod="multinic-controller-b"'
const queue = 'name="nodeconfig", controller="nodeconfig"'
const settle = 'multinic_run_settle_seconds_bucket'

/**
 * Two controllers and a settled fleet of 100 nodes: no alert fires. The standby reports different values for what only the leader knows.
 */
export const calm: Series = {
	[`leader_election_master_status{name="multinic-controller", ${leader}}`]: '1x500',
	[`leader_election_master_status{name="multinic-controller", ${standby}}`]: '0x500',
	[`multinic_rollout_limit{${leader}}`]: '10x500',
	[`multinic_rollout_limit{${standby}}`]: '10x500',
	[`multinic_rollout_waiting{${leader}}`]: '0x500',
	[`multinic_rollout_waiting{${standby}}`]: '7x500',
	[`multinic_rollout_changing{${leader}}`]: '0x500',
	[`multinic_rollout_changing{${standby}}`]: '0x500',
	[`multinic_rollout_stopping{${leader}}`]: '0x500',
	[`multinic_rollout_stopping{${standby}}`]: '0x500',
	[`multinic_rollout_paused{${leader}}`]: '0x500',
	[`multinic_rollout_paused{${standby}}`]: '0x500',
	[configs('Configured', 'AllInterfacesConfigured')]: '100x500',
	[results('Configured', 'AllInterfacesConfigured')]: '100x500',
	[`workqueue_depth{priority="0", ${queue}, ${leader}}`]: '0x500',
	[`workqueue_depth{priority="0", ${queue}, ${standby}}`]: '100+1x500',
	[`workqueue_work_duration_seconds_count{${queue}, ${leader}}`]: '500+10x500',
	[`workqueue_longest_running_processor_seconds{${queue}, ${leader}}`]: '0x500',
	[`controller_runtime_reconcile_errors_total{controller="nodeconfig", ${leader}}`]: '3x500',
	[`multinic_cache_failures_total{kind="Node", ${leader}}`]: '2x500',
	[`multinic_cache_failures_total{kind="Node", ${standby}}`]: '2x500',
}

const of = (metric: string, values: string): Series => ({ [`${metric}{${leader}}`]: values })
const lead = (values: string): Series => ({ [`leader_election_master_status{name="multinic-controller", ${leader}}`]: values })

/** Series in addition to `calm`, after how many minutes the alerts are evaluated, and the names of those that fire then. */
export type Row = [title: string, series: Series, minutes: number, fires: string[]]

/** Tables by alert. */
export const tables: [alert: string, rows: Row[]][] = [
	[
		'a healthy fleet',
		[
			['no alert in a settled fleet', {}, 300, []],
			[
				'no alert during a rollout',
				{
					...of('multinic_rollout_waiting', '400-4x99 0x300'),
					...of('multinic_rollout_changing', '10x99 0x300'),
					[results('Configured', 'AllInterfacesConfigured')]: '100+4x500',
				},
				60,
				[],
			],
			[
				'no alert after the standby took over',
				{ ...lead('1x9 0x400'), ...standbyLeads('0x9 1x400'), [`multinic_rollout_waiting{${standby}}`]: '7x9 0x400' },
				60,
				[],
			],
		],
	],
	[
		'MultinicRolloutStopped',
		[
			['does not fire during the first retry of the node', of('multinic_rollout_stopping', '0x9 1x4 0x400'), 14, []],
			['fires when the stop remains', of('multinic_rollout_stopping', '0x9 1x400'), 16, ['MultinicRolloutStopped']],
			['does not fire for a stop that only the standby reports', { [`multinic_rollout_stopping{${standby}}`]: '1x400' }, 60, []],
			[
				'fires even if the leader changes in between',
				{
					...of('multinic_rollout_stopping', '1x400'),
					[`multinic_rollout_stopping{${standby}}`]: '1x400',
					...lead('1x2 0x400'),
					...standbyLeads('0x2 1x400'),
				},
				6,
				['MultinicRolloutStopped'],
			],
		],
	],
	[
		'MultinicRolloutPaused',
		[
			['does not fire after an hour', of('multinic_rollout_paused', '1x400'), 60, []],
			['fires after four hours', of('multinic_rollout_paused', '1x400'), 241, ['MultinicRolloutPaused']],
			[
				'does not fire for invalid settings, which have their own alert',
				{ ...of('multinic_rollout_paused', '1x400'), ...of('multinic_rollout_limit', '0x400') },
				241,
				['MultinicRolloutSettingsUnreadable'],
			],
		],
	],
	[
		'MultinicRolloutSettingsUnreadable',
		[
			['does not fire for settings that are invalid for two minutes', of('multinic_rollout_limit', '10x2 0x2 10x400'), 6, []],
			['fires for settings that stay invalid', of('multinic_rollout_limit', '10x2 0x400'), 9, ['MultinicRolloutSettingsUnreadable']],
		],
	],
	[
		'MultinicRolloutStuck',
		[
			['fires when nodes wait and no node is changed', of('multinic_rollout_waiting', '40x400'), 11, ['MultinicRolloutStuck']],
			['does not fire after nine minutes', of('multinic_rollout_waiting', '40x400'), 9, []],
			[
				'does not fire while the rollout is paused',
				{ ...of('multinic_rollout_waiting', '40x400'), ...of('multinic_rollout_paused', '1x400') },
				60,
				[],
			],
			[
				'does not fire while the rollout is stopped, which has its own alert',
				{ ...of('multinic_rollout_waiting', '40x400'), ...of('multinic_rollout_stopping', '1x400') },
				60,
				['MultinicRolloutStopped'],
			],
		],
	],
	[
		'MultinicRunsWithoutResult',
		[
			['fires when runs have no result', of('multinic_rollout_changing', '10x400'), 30, ['MultinicRunsWithoutResult']],
			['does not fire after 15 minutes', of('multinic_rollout_changing', '0x9 10x400'), 25, []],
			[
				'does not fire while there are results, even failures',
				{ ...of('multinic_rollout_changing', '10x400'), [results('Failed', 'InUse')]: '0+1x400' },
				60,
				[],
			],
		],
	],
	[
		'MultinicRunLost',
		[
			['fires while a node config stays Failed after a lost run', { [configs('Failed', 'RunLost')]: '_x9 1x400' }, 12, ['MultinicRunLost']],
			['does not fire for one lost run whose retry succeeds', { [configs('Failed', 'RunLost')]: '_x9 1x1 stale' }, 12, []],
			[
				'fires for several lost runs whose retries succeed',
				{ [results('Failed', 'RunLost')]: '0x5 1x5 2x5 4x400' },
				25,
				['MultinicRunLost'],
			],
		],
	],
	[
		'MultinicNodeConfigFailed',
		[
			['fires after half an hour', { [configs('Failed', 'InUse')]: '2x400' }, 31, ['MultinicNodeConfigFailed']],
			['does not fire after less than half an hour', { [configs('Failed', 'WaitingForDevice')]: '2x400' }, 29, []],
			[
				'does not fire if the node config recovered in between',
				{ [configs('Failed', 'WaitingForDevice')]: '2x20 stale _x4 1x400' },
				50,
				[],
			],
			[
				'fires for each reason separately',
				{ [configs('Failed', 'InUse')]: '1x400', [configs('Failed', 'NameTaken')]: '1x400' },
				31,
				['MultinicNodeConfigFailed', 'MultinicNodeConfigFailed'],
			],
			['does not fire for drift, which has its own alert', { [configs('Failed', 'Drifted')]: '1x400' }, 31, ['MultinicDriftRemains']],
		],
	],
	[
		'MultinicPodRefused',
		[
			[
				'fires if runs in progress and failed runs alternate',
				{
					[configs('InProgress', 'PodRefused')]: '1x4 stale _x1 1x4 stale',
					[configs('Failed', 'PodRefused')]: '_x5 1x1 stale _x4 1x400',
				},
				12,
				['MultinicPodRefused'],
			],
			['does not fire for an image pull that finally succeeds', { [configs('InProgress', 'PodRefused')]: '1x8 stale' }, 12, []],
		],
	],
	[
		'MultinicNodeConfigPending',
		[
			['fires for a node that does not join', { [configs('Pending', 'NodeNotFound')]: '1x400' }, 61, ['MultinicNodeConfigPending']],
			['fires for a node on another VM', { [configs('Pending', 'NodeReplaced')]: '1x400' }, 61, ['MultinicNodeConfigPending']],
			['does not fire for a paused node config', { [configs('Pending', 'Paused')]: '1x400' }, 300, []],
			['does not fire for a queued node config', { [configs('Pending', 'Waiting')]: '1x400' }, 300, []],
		],
	],
	[
		'MultinicConflict',
		[
			['does not fire while a port moves from one VM to another', { [configs('Pending', 'Conflict')]: '1x9 stale' }, 16, []],
			['fires when the conflict remains', { [configs('Pending', 'Conflict')]: '1x400' }, 16, ['MultinicConflict']],
		],
	],
	[
		'MultinicDriftRemains',
		[
			['does not fire during a repair', { [configs('Failed', 'Drifted')]: '1x9 stale' }, 16, []],
			['fires when drift is not repaired', { [configs('Failed', 'Drifted')]: '1x400' }, 16, ['MultinicDriftRemains']],
		],
	],
	[
		'MultinicDriftReturns',
		[
			['fires for one repair an hour', { [runs('Drifted')]: '0x30 1x60 2x60 3x60 4x60 5x60' }, 300, ['MultinicDriftReturns']],
			['does not fire for one repair a day', { [runs('Drifted')]: '0x30 1x400' }, 300, []],
			['does not fire for runs with other causes', { [runs('SpecChanged')]: '0+5x400' }, 300, []],
		],
	],
	[
		'MultinicNoLeader',
		[
			['fires when the Lease has no holder', lead('1x9 0x400'), 12, ['MultinicNoLeader']],
			['does not fire during a takeover', { ...lead('1x9 0x400'), ...standbyLeads('_x10 1x400') }, 12, []],
			['fires when no controller was ever the leader', lead('_x400'), 3, ['MultinicNoLeader']],
		],
	],
	[
		'MultinicQueueStuck',
		[
			[
				'fires when the queue is not empty and no key is processed',
				{
					[`workqueue_depth{priority="0", ${queue}, ${leader}}`]: '5x400',
					[`workqueue_work_duration_seconds_count{${queue}, ${leader}}`]: '500x400',
				},
				6,
				['MultinicQueueStuck'],
			],
			[
				'does not fire for a long queue that is processed',
				{ [`workqueue_depth{priority="0", ${queue}, ${leader}}`]: '9000-100x80 0x300' },
				60,
				[],
			],
			[
				'fires for a reconcile that does not end',
				{ [`workqueue_longest_running_processor_seconds{${queue}, ${leader}}`]: '0+60x400' },
				10,
				['MultinicQueueStuck'],
			],
			[
				'does not fire for a reconcile of two minutes',
				{ [`workqueue_longest_running_processor_seconds{${queue}, ${leader}}`]: '0 60 120 0 60 120 0x400' },
				10,
				[],
			],
		],
	],
	[
		'MultinicReconcileErrors',
		[
			[
				'fires for many errors over a long time',
				{ [`controller_runtime_reconcile_errors_total{controller="nodeconfig", ${leader}}`]: '0+30x400' },
				20,
				['MultinicReconcileErrors'],
			],
			[
				'does not fire for a few errors',
				{ [`controller_runtime_reconcile_errors_total{controller="nodeconfig", ${leader}}`]: '0+2x400' },
				60,
				[],
			],
		],
	],
	[
		'MultinicWatchFailing',
		[
			[
				'fires for two failures a minute',
				{ [`multinic_cache_failures_total{kind="Node", ${leader}}`]: '0+2x400' },
				15,
				['MultinicWatchFailing'],
			],
			[
				'fires for failures of the standby, which must be ready',
				{ [`multinic_cache_failures_total{kind="Node", ${standby}}`]: '0+2x400' },
				15,
				['MultinicWatchFailing'],
			],
			['does not fire for a restart of the API server', { [`multinic_cache_failures_total{kind="Node", ${leader}}`]: '0x5 4x400' }, 15, []],
		],
	],
	[
		'MultinicSettleSlow',
		[
			['fires for a minute', settled({ 5: '0x400', 60: '0+9x400', '+Inf': '0+9x400' }), 20, ['MultinicSettleSlow']],
			['does not fire for a second', settled({ 1: '0+9x400', 60: '0+9x400', '+Inf': '0+9x400' }), 60, []],
			['does not fire without results', settled({ 1: '9x400', '+Inf': '9x400' }), 60, []],
		],
	],
]

/** Returns a test group of promtool(1) for a row. */
export function groupOf(series: Series, expectations: object): object {
	return { interval: '1m', input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })), ...expectations }
}

/** Returns the expectation that exactly these alerts fire after that many minutes. */
export function firing(minutes: number, fires: readonly string[]): object {
	const counts = Map.groupBy(fires, name => name)
	const exp_samples = [...counts].map(([name, all]) => ({ labels: `{alertname="${name}"}`, value: all.length }))
	const expr = 'count by (alertname) (ALERTS{alertstate="firing"})'
	return { promql_expr_test: [{ expr, eval_time: `${minutes}m`, exp_samples }] }
}

export function configs(state: string, reason: string): string {
	return `multinic_node_configs{state="${state}", reason="${reason}", ${leader}}`
}

function results(state: string, reason: string): string {
	return `multinic_run_results_total{state="${state}", reason="${reason}", ${leader}}`
}

function runs(cause: string): string {
	return `multinic_runs_started_total{cause="${cause}", mode="Apply", ${leader}}`
}

function settled(buckets: Record<string, string>): Series {
	return Object.fromEntries(Object.entries(buckets).map(([le, values]) => [`${settle}{le="${le}", ${leader}}`, values]))
}

function standbyLeads(values: string): Series {
	return { [`leader_election_master_status{name="multinic-controller", ${standby}}`]: values }
}
