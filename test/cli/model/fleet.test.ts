import { describe, expect, test } from 'vitest'
import { fleetOf, type Rollout } from '../../../cli/model/fleet.ts'
import { nextStep } from '../../../cli/render/next-step.ts'
import { similarNames } from '../../../cli/model/similar-names.ts'
import { coloursFor } from '../../../cli/render/colours.ts'
import { fleetLines, summaryLine } from '../../../cli/render/fleet.ts'
import type { ConfigView } from '../../../cli/model/node-config-view.ts'
import { rolloutOf } from '../../../contract/rollout.ts'
import { fleetPaused, fleetResumed, nodeResumed } from '../../../cli/render/paused.ts'
import { config, configured, drifted, failed, rolledBack, running, waiting } from '../fixtures.ts'

const settings = rolloutOf({ maxUnavailable: '2' }, undefined)
const lost = { id: 1, name: 'multinic1', macAddress: '', status: 'Failed' as const, reason: 'ConnectivityLost', message: '' }
const controlPlane = new Set(['a-master'])

const askedOf = (name: string) => ({ metadata: { name, generation: 3, annotations: { 'multinic.io/retry': 'now' } } })
const asked = askedOf('a')
const healing = { state: 'Failed' as const, reason: 'WaitingForDevice' }

describe('the lines about the fleet', () => {
	test.each<[title: string, configs: ConfigView[], rollout: Rollout, said: string[]]>([
		['none while all nodes are settled', [config('a', configured), config('b', failed)], settings, []],
		[
			'a run in progress and an empty queue',
			[config('a', running), config('b', configured)],
			settings,
			['Rollout: 1 of 2 finished, 1 running, none queued'],
		],
		[
			'a full wave with its size',
			[config('a', running), config('b', running), config('c', waiting)],
			settings,
			['Rollout: 0 of 3 finished, 2 running, 1 queued: the wave is full (at most 2 nodes)'],
		],
		[
			'a wave that is not full, with the message of the first queued node',
			[config('a', running), config('c', { ...waiting, message: 'One node of the control plane at a time.' })],
			settings,
			['Rollout: 0 of 2 finished, 1 running, 1 queued: One node of the control plane at a time'],
		],
		[
			'the node that stops the rollout, and the reason',
			[config('a', rolledBack), config('c', waiting)],
			settings,
			[
				'a (RolledBack) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 1 of 2 finished, 0 running, 1 queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'the node that stops the rollout because of one interface',
			[config('a', failed, { status: { interfaceStatuses: [lost] } }), config('c', waiting)],
			settings,
			[
				'a (ConnectivityLost) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 1 of 2 finished, 0 running, 1 queued: stopped by a: ConnectivityLost, multinic1: no link has the MAC yet',
			],
		],
		[
			'two nodes that stop the rollout, and both names in the command',
			[config('a', rolledBack), config('b', { ...rolledBack, reason: 'ConnectivityLost' }), config('c', waiting)],
			settings,
			[
				'a (RolledBack) and b (ConnectivityLost) stop the rollout. To continue without them: kubectl multinic pause a b',
				'Rollout: 2 of 3 finished, 0 running, 1 queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'many nodes that stop the rollout',
			['a', 'b', 'c', 'd', 'e'].map(name => config(name, rolledBack)),
			settings,
			[
				'a (RolledBack), b (RolledBack), c (RolledBack) and 2 more stop the rollout. To continue without them: kubectl multinic pause NODE for each of them',
				'Rollout: 5 of 5 finished, 0 running, none queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'the node that stops the rollout, while the rollout is paused',
			[config('a', rolledBack)],
			rolloutOf({ paused: 'true' }, undefined),
			[
				'a (RolledBack) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 0 of 1 finished, 0 running, 1 queued: the rollout is paused',
			],
		],
		[
			'no stop by a node that is paused',
			[config('a', rolledBack, { spec: { paused: true } }), config('c', waiting)],
			settings,
			['Rollout: 1 of 2 finished, 0 running, 1 queued: The wave is full'],
		],
		[
			'a pause with an empty queue',
			[config('a', configured)],
			rolloutOf({ paused: 'true' }, undefined),
			['Rollout: 1 of 1 finished, 0 running, none queued: the rollout is paused'],
		],
		[
			'a repair and retries that a pause delays',
			[config('a', drifted), config('b', healing), config('c', configured, askedOf('c')), config('d', configured)],
			rolloutOf({ paused: 'true' }, undefined),
			['Rollout: 1 of 4 finished, 0 running, 3 queued: the rollout is paused'],
		],
		[
			'a repair that a stop delays, but not a retry',
			[config('a', rolledBack), config('b', drifted), config('c', configured, askedOf('c'))],
			settings,
			[
				'a (RolledBack) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 2 of 3 finished, 0 running, 1 queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'no queued node if no run is due, even during a pause',
			[
				config('a', { state: 'Failed', reason: 'InvalidConfig' }),
				config('b', drifted, { spec: { paused: true } }),
				config('c', drifted, { metadata: { name: 'c', generation: 4 } }),
			],
			rolloutOf({ paused: 'true' }, undefined),
			['Rollout: 2 of 3 finished, 0 running, none queued: the rollout is paused'],
		],
		[
			'no queued repair if repairs are disabled',
			[config('a', drifted)],
			rolloutOf({ paused: 'true', repairsPerHour: '0' }, undefined),
			['Rollout: 1 of 1 finished, 0 running, none queued: the rollout is paused'],
		],
		[
			'invalid settings with the key',
			[config('a', configured)],
			rolloutOf({ paused: 'yes' }, undefined),
			['Rollout: 1 of 1 finished, 0 running, none queued: ConfigMap multinic-rollout cannot be used: paused: must be true or false'],
		],
		[
			'the message of the controller if the user may not read the settings',
			[config('a', running), config('b', waiting)],
			undefined,
			['Rollout: 0 of 2 finished, 1 running, 1 queued: The wave is full'],
		],
	])('%s', (_, configs, rollout, said) => {
		expect(fleetLines(fleetOf(configs, new Set(), rollout), coloursFor(false))).toEqual(said)
	})

	test.each<[title: string, one: ConfigView, settled: number]>([
		['a node that is Configured is settled', config('a', configured), 1],
		['a node that is Failed is settled', config('a', failed), 1],
		[
			'a node that is Configured for another generation is not settled',
			config('a', configured, { metadata: { name: 'a', generation: 4 } }),
			0,
		],
		['a node that is planned in mode Plan is settled', config('a', { reason: 'Planned' }, { spec: { mode: 'Plan' } }), 1],
		['a node without a status is not settled', config('a'), 0],
		[
			'a node whose node config is being deleted is not settled',
			config('a', configured, { metadata: { name: 'a', generation: 3, deletionTimestamp: 'now' } }),
			0,
		],
	])('%s', (_, one, settled) => {
		expect(fleetOf([one], new Set(), settings).settled).toBe(settled)
	})

	test('the queue has workers by name, then control-plane nodes', () => {
		const configs = ['w-2', 'a-master', 'w-1'].map(name => config(name, waiting))
		expect([...fleetOf(configs, controlPlane, settings).line]).toEqual([
			['w-1', 1],
			['w-2', 2],
			['a-master', 3],
		])
	})

	test('the summary counts nodes by state and omits states without nodes', () => {
		const some = [config('a', configured), config('b', failed), config('c', waiting), config('d')]
		expect(summaryLine(fleetOf(some, new Set(), settings))).toBe('4 nodes: 1 Configured, 2 Pending, 1 Failed')
		expect(summaryLine(fleetOf([], new Set(), settings))).toBe('0 nodes')
	})
})

describe('what happens next', () => {
	test.each<[title: string, one: ConfigView, next: string]>([
		['a node that matches its node config', config('a', configured), 'Nothing. The node matches its node config.'],
		[
			'a run',
			config('a', running, { status: { lastJobName: 'job-1' } }),
			'Job job-1 is running. Follow it with: kubectl multinic logs a -f',
		],
		[
			'a run that Kubernetes does not start',
			config('a', { state: 'InProgress', reason: 'PodRefused', message: 'ErrImagePull' }, { status: { lastJobName: 'job-1' } }),
			'Kubernetes has not started the pod of Job job-1. Kubernetes keeps trying until the deadline of the run; then the run is retried automatically.',
		],
		['a queued node', config('a', waiting), 'It is 1 of 1 in the queue: The wave is full.'],
		['a failure that is retried', config('a', healing), 'It is retried automatically. To retry now: kubectl multinic retry a'],
		[
			'a node that stops the rollout',
			config('a', rolledBack),
			'It is retried automatically. To retry now: kubectl multinic retry a. It stops the rollout. To continue without it: kubectl multinic pause a',
		],
		[
			'a failure that is not retried',
			config('a', { state: 'Failed', reason: 'InvalidConfig' }),
			'It is not retried until the node config changes. To retry now: kubectl multinic retry a',
		],
		['a requested retry', config('a', failed, asked), 'A run was requested and starts as soon as possible.'],
		[
			'a paused node',
			config('a', { reason: 'Paused' }, { spec: { paused: true } }),
			'It is paused. Resume with: kubectl multinic resume a',
		],
		[
			'a node that drifted',
			config('a', drifted),
			'It is repaired automatically, at most repairsPerHour times an hour. Show the drift with: kubectl multinic diff a',
		],
		['a node that is not Ready', config('a', { reason: 'NodeNotReady' }), 'The run starts automatically when that is resolved.'],
		['a node config without a status', config('a'), 'The controller has not observed generation 3 yet.'],
		[
			'a requested retry of a node config without a status',
			config('a', undefined, asked),
			'A run was requested. The controller has not observed generation 3 yet.',
		],
		[
			'a newer generation',
			config('a', configured, { metadata: { name: 'a', generation: 4 } }),
			'The controller has not observed generation 4 yet; this status is of generation 3.',
		],
	])('%s', (_, one, next) => {
		expect(nextStep(one, fleetOf([one], new Set(), settings))).toBe(next)
	})

	test('names the node that stops the rollout', () => {
		const one = config('b', waiting)
		const words = nextStep(one, fleetOf([config('a', rolledBack), one], new Set(), settings))
		expect(words).toMatch(
			/^It is 1 of 1 in the queue: stopped by a: RolledBack, .* a \(RolledBack\) stops the rollout\. To continue without it: kubectl multinic pause a$/,
		)
	})

	test('a partial failure is retryable if one of its reasons is', () => {
		const nic = (reason: string) => ({ id: 0, name: 'multinic0', macAddress: '', status: 'Failed' as const, reason, message: '' })
		const next = (reason: string) =>
			nextStep(config('a', failed, { status: { interfaceStatuses: [nic(reason)] } }), fleetOf([], new Set(), settings))
		expect(next('WaitingForDevice')).toContain('It is retried automatically')
		expect(next('MtuRefused')).toContain('not retried until the node config changes')
	})

	const inLine = 'It is 1 of 1 in the queue: the rollout is paused. Resume with: kubectl multinic resume'
	test('resuming a paused node config that is being deleted leads to its removal', () => {
		const metadata = { name: 'a', generation: 3, deletionTimestamp: 'now' }
		const one = config('a', { reason: 'Paused' }, { spec: { paused: true }, metadata })
		expect(nodeResumed(one, fleetOf([one], new Set(), settings))).toBe(
			'a: resumed. It is being deleted. A last run restores the node, then the node config is removed.',
		)
	})

	test.each<[title: string, one: ConfigView, next: string]>([
		['waits', config('a', waiting), inLine],
		['drifted', config('a', drifted), inLine],
		['failed', config('a', healing), inLine],
		[
			'has a requested retry',
			config('a', configured, asked),
			'A run was requested. It starts when the rollout resumes: kubectl multinic resume',
		],
		[
			'is deleted',
			config('a', configured, { metadata: { name: 'a', generation: 3, deletionTimestamp: 'now' } }),
			'It is being deleted. A last run restores the node when the rollout resumes: kubectl multinic resume',
		],
		[
			'is invalid',
			config('a', { state: 'Failed', reason: 'InvalidConfig' }),
			'It is not retried until the node config changes. To retry now: kubectl multinic retry a',
		],
	])('in a paused rollout, to a node that %s', (_, one, next) => {
		expect(nextStep(one, fleetOf([one], new Set(), rolloutOf({ paused: 'true' }, undefined)))).toBe(next)
	})

	test('when the rollout resumes, to queued repairs', () => {
		const fleet = fleetOf([config('a', configured), config('b', drifted)], new Set(), rolloutOf({}, { paused: 'true' }))
		expect(fleetResumed(fleet, 'multinic-system')).toBe('rollout resumed. 1 node queued, b is next.')
		expect(fleetPaused(fleet)).toContain('1 node queued.')
	})
})

test.each<[meant: string, names: string[], near: string[]]>([
	['worker1', ['worker-1', 'worker-2', 'master'], ['worker-1', 'worker-2']],
	['wroker-1', ['worker-1', 'gpu-7'], ['worker-1']],
	['gpu', ['gpu-7', 'gpu-8', 'gpu-9', 'gpu-10', 'x'], ['gpu-10', 'gpu-7', 'gpu-8']],
	['zzz', ['worker-1'], []],
	['worker-1', [], []],
])('suggests names near %s', (meant, names, near) => {
	expect(similarNames(meant, names)).toEqual(near)
})
