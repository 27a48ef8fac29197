/** Which alert fires when: tables of series in the syntax of the unit tests of promtool, one sample per minute. */

export type Series = Readonly<Record<string, string>>

const leader = 'job="multinic", namespace="multinic-system", instance="10.0.0.1:8080", pod="multinic-controller-a"'
const standby = 'job="multinic", namespace="multinic-system", instance="10.0.0.2:8080", pod="multinic-controller-b"'
const queue = 'name="nodeconfig", controller="nodeconfig"'
const settle = 'multinic_run_settle_seconds_bucket'

/** Two controllers and a settled fleet of 100: nothing fires. The standby reports other values where it does not know the real ones. */
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
		'a fleet in which all is well',
		[
			['settled', {}, 300, []],
			[
				'a rollout on its way',
				{
					...of('multinic_rollout_waiting', '400-4x99 0x300'),
					...of('multinic_rollout_changing', '10x99 0x300'),
					[results('Configured', 'AllInterfacesConfigured')]: '100+4x500',
				},
				60,
				[],
			],
			[
				'the standby leads after a takeover',
				{ ...lead('1x9 0x400'), ...standbyLeads('0x9 1x400'), [`multinic_rollout_waiting{${standby}}`]: '7x9 0x400' },
				60,
				[],
			],
		],
	],
	[
		'MultinicRolloutStopped',
		[
			['not while the node tries again for the first time', of('multinic_rollout_stopping', '0x9 1x4 0x400'), 14, []],
			['when it stays', of('multinic_rollout_stopping', '0x9 1x400'), 16, ['MultinicRolloutStopped']],
			['not by the word of one who does not lead', { [`multinic_rollout_stopping{${standby}}`]: '1x400' }, 60, []],
			[
				'all the same when another leads in between',
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
			['not for an hour', of('multinic_rollout_paused', '1x400'), 60, []],
			['for four', of('multinic_rollout_paused', '1x400'), 241, ['MultinicRolloutPaused']],
			[
				'settings that cannot be read are another thing',
				{ ...of('multinic_rollout_paused', '1x400'), ...of('multinic_rollout_limit', '0x400') },
				241,
				['MultinicRolloutSettingsUnreadable'],
			],
		],
	],
	[
		'MultinicRolloutSettingsUnreadable',
		[
			['not while somebody edits', of('multinic_rollout_limit', '10x2 0x2 10x400'), 6, []],
			['when nobody noticed', of('multinic_rollout_limit', '10x2 0x400'), 9, ['MultinicRolloutSettingsUnreadable']],
		],
	],
	[
		'MultinicRolloutStuck',
		[
			['waits, and nothing is changed', of('multinic_rollout_waiting', '40x400'), 11, ['MultinicRolloutStuck']],
			['not yet', of('multinic_rollout_waiting', '40x400'), 9, []],
			['not while it is paused', { ...of('multinic_rollout_waiting', '40x400'), ...of('multinic_rollout_paused', '1x400') }, 60, []],
			[
				'nor while it is stopped, which another tells',
				{ ...of('multinic_rollout_waiting', '40x400'), ...of('multinic_rollout_stopping', '1x400') },
				60,
				['MultinicRolloutStopped'],
			],
		],
	],
	[
		'MultinicRunsWithoutResult',
		[
			['runs that come to nothing', of('multinic_rollout_changing', '10x400'), 30, ['MultinicRunsWithoutResult']],
			['not yet', of('multinic_rollout_changing', '0x9 10x400'), 25, []],
			[
				'not while there are results, however bad',
				{ ...of('multinic_rollout_changing', '10x400'), [results('Failed', 'InUse')]: '0+1x400' },
				60,
				[],
			],
		],
	],
	[
		'MultinicRunLost',
		[
			['one that stays', { [configs('Failed', 'RunLost')]: '_x9 1x400' }, 12, ['MultinicRunLost']],
			['not one that came through at once', { [configs('Failed', 'RunLost')]: '_x9 1x1 stale' }, 12, []],
			['several that came through', { [results('Failed', 'RunLost')]: '0x5 1x5 2x5 4x400' }, 25, ['MultinicRunLost']],
		],
	],
	[
		'MultinicNodeConfigFailed',
		[
			['for half an hour', { [configs('Failed', 'InUse')]: '2x400' }, 31, ['MultinicNodeConfigFailed']],
			['not for less', { [configs('Failed', 'WaitingForDevice')]: '2x400' }, 29, []],
			['not when it healed in between', { [configs('Failed', 'WaitingForDevice')]: '2x20 stale _x4 1x400' }, 50, []],
			[
				'each reason by itself',
				{ [configs('Failed', 'InUse')]: '1x400', [configs('Failed', 'NameTaken')]: '1x400' },
				31,
				['MultinicNodeConfigFailed', 'MultinicNodeConfigFailed'],
			],
			['drift has its own', { [configs('Failed', 'Drifted')]: '1x400' }, 31, ['MultinicDriftRemains']],
		],
	],
	[
		'MultinicPodRefused',
		[
			[
				'whether it is said of a run under way or of its end',
				{
					[configs('InProgress', 'PodRefused')]: '1x4 stale _x1 1x4 stale',
					[configs('Failed', 'PodRefused')]: '_x5 1x1 stale _x4 1x400',
				},
				12,
				['MultinicPodRefused'],
			],
			['not for a pull that succeeds in the end', { [configs('InProgress', 'PodRefused')]: '1x8 stale' }, 12, []],
		],
	],
	[
		'MultinicNodeConfigPending',
		[
			['a node that does not join', { [configs('Pending', 'NodeNotFound')]: '1x400' }, 61, ['MultinicNodeConfigPending']],
			['another VM', { [configs('Pending', 'NodeReplaced')]: '1x400' }, 61, ['MultinicNodeConfigPending']],
			['not one that is paused on purpose', { [configs('Pending', 'Paused')]: '1x400' }, 300, []],
			['not one that waits for its turn', { [configs('Pending', 'Waiting')]: '1x400' }, 300, []],
		],
	],
	[
		'MultinicConflict',
		[
			['not while a port moves from one VM to another', { [configs('Pending', 'Conflict')]: '1x9 stale' }, 16, []],
			['when it stays', { [configs('Pending', 'Conflict')]: '1x400' }, 16, ['MultinicConflict']],
		],
	],
	[
		'MultinicDriftRemains',
		[
			['not while it is being put right', { [configs('Failed', 'Drifted')]: '1x9 stale' }, 16, []],
			['when it is not', { [configs('Failed', 'Drifted')]: '1x400' }, 16, ['MultinicDriftRemains']],
		],
	],
	[
		'MultinicDriftReturns',
		[
			['one an hour', { [runs('Drifted')]: '0x30 1x60 2x60 3x60 4x60 5x60' }, 300, ['MultinicDriftReturns']],
			['not one a day', { [runs('Drifted')]: '0x30 1x400' }, 300, []],
			['not runs for other causes', { [runs('SpecChanged')]: '0+5x400' }, 300, []],
		],
	],
	[
		'MultinicNoLeader',
		[
			["the Lease is nobody's", lead('1x9 0x400'), 12, ['MultinicNoLeader']],
			['not during a takeover', { ...lead('1x9 0x400'), ...standbyLeads('_x10 1x400') }, 12, []],
			['no process has ever led', lead('_x400'), 3, ['MultinicNoLeader']],
		],
	],
	[
		'MultinicQueueStuck',
		[
			[
				'full, and nobody takes anything',
				{
					[`workqueue_depth{priority="0", ${queue}, ${leader}}`]: '5x400',
					[`workqueue_work_duration_seconds_count{${queue}, ${leader}}`]: '500x400',
				},
				6,
				['MultinicQueueStuck'],
			],
			['not when it is only long', { [`workqueue_depth{priority="0", ${queue}, ${leader}}`]: '9000-100x80 0x300' }, 60, []],
			[
				'one that does not end',
				{ [`workqueue_longest_running_processor_seconds{${queue}, ${leader}}`]: '0+60x400' },
				10,
				['MultinicQueueStuck'],
			],
			[
				'not one that takes its two minutes',
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
				'many, for long',
				{ [`controller_runtime_reconcile_errors_total{controller="nodeconfig", ${leader}}`]: '0+30x400' },
				20,
				['MultinicReconcileErrors'],
			],
			['not some', { [`controller_runtime_reconcile_errors_total{controller="nodeconfig", ${leader}}`]: '0+2x400' }, 60, []],
		],
	],
	[
		'MultinicWatchFailing',
		[
			['two a minute', { [`multinic_cache_failures_total{kind="Node", ${leader}}`]: '0+2x400' }, 15, ['MultinicWatchFailing']],
			[
				'of a standby as well, which must be ready',
				{ [`multinic_cache_failures_total{kind="Node", ${standby}}`]: '0+2x400' },
				15,
				['MultinicWatchFailing'],
			],
			['not an API server that restarts', { [`multinic_cache_failures_total{kind="Node", ${leader}}`]: '0x5 4x400' }, 15, []],
		],
	],
	[
		'MultinicSettleSlow',
		[
			['a minute', settled({ 5: '0x400', 60: '0+9x400', '+Inf': '0+9x400' }), 20, ['MultinicSettleSlow']],
			['not a second', settled({ 1: '0+9x400', 60: '0+9x400', '+Inf': '0+9x400' }), 60, []],
			['not when there are no results', settled({ 1: '9x400', '+Inf': '9x400' }), 60, []],
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
