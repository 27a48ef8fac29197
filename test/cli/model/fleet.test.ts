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
		['nothing while all is settled', [config('a', configured), config('b', failed)], settings, []],
		[
			'a run under way, and nobody waits',
			[config('a', running), config('b', configured)],
			settings,
			['Rollout: 1 of 2 finished, 1 running, none queued'],
		],
		[
			'a full wave, with its size',
			[config('a', running), config('b', running), config('c', waiting)],
			settings,
			['Rollout: 0 of 3 finished, 2 running, 1 queued: the wave is full (at most 2 nodes)'],
		],
		[
			'a wave that is not full: what the controller says of the first in line',
			[config('a', running), config('c', { ...waiting, message: 'One node of the control plane at a time.' })],
			settings,
			['Rollout: 0 of 2 finished, 1 running, 1 queued: One node of the control plane at a time'],
		],
		[
			'who stops it, and why',
			[config('a', rolledBack), config('c', waiting)],
			settings,
			[
				'a (RolledBack) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 1 of 2 finished, 0 running, 1 queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'who stops it by one interface',
			[config('a', failed, { status: { interfaceStatuses: [lost] } }), config('c', waiting)],
			settings,
			[
				'a (ConnectivityLost) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 1 of 2 finished, 0 running, 1 queued: stopped by a: ConnectivityLost, multinic1: no link has the MAC yet',
			],
		],
		[
			'two who stop it: both have to be paused',
			[config('a', rolledBack), config('b', { ...rolledBack, reason: 'ConnectivityLost' }), config('c', waiting)],
			settings,
			[
				'a (RolledBack) and b (ConnectivityLost) stop the rollout. To continue without them: kubectl multinic pause a b',
				'Rollout: 2 of 3 finished, 0 running, 1 queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'many who stop it',
			['a', 'b', 'c', 'd', 'e'].map(name => config(name, rolledBack)),
			settings,
			[
				'a (RolledBack), b (RolledBack), c (RolledBack) and 2 more stop the rollout. To continue without them: kubectl multinic pause NODE for each of them',
				'Rollout: 5 of 5 finished, 0 running, none queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'who stops it, while it is paused',
			[config('a', rolledBack)],
			rolloutOf({ paused: 'true' }, undefined),
			[
				'a (RolledBack) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 0 of 1 finished, 0 running, 1 queued: the rollout is paused',
			],
		],
		[
			'one that would stop it and is paused stops nobody',
			[config('a', rolledBack, { spec: { paused: true } }), config('c', waiting)],
			settings,
			['Rollout: 1 of 2 finished, 0 running, 1 queued: The wave is full'],
		],
		[
			'a pause, be it with nobody in line',
			[config('a', configured)],
			rolloutOf({ paused: 'true' }, undefined),
			['Rollout: 1 of 1 finished, 0 running, none queued: the rollout is paused'],
		],
		[
			'a repair and retries that a pause holds back',
			[config('a', drifted), config('b', healing), config('c', configured, askedOf('c')), config('d', configured)],
			rolloutOf({ paused: 'true' }, undefined),
			['Rollout: 1 of 4 finished, 0 running, 3 queued: the rollout is paused'],
		],
		[
			'a repair that another node holds back, but no retry',
			[config('a', rolledBack), config('b', drifted), config('c', configured, askedOf('c'))],
			settings,
			[
				'a (RolledBack) stops the rollout. To continue without it: kubectl multinic pause a',
				'Rollout: 2 of 3 finished, 0 running, 1 queued: stopped by a: RolledBack, The API server could not be reached; everything was rolled back',
			],
		],
		[
			'none of what no run is to come for, pause or not',
			[
				config('a', { state: 'Failed', reason: 'InvalidConfig' }),
				config('b', drifted, { spec: { paused: true } }),
				config('c', drifted, { metadata: { name: 'c', generation: 4 } }),
			],
			rolloutOf({ paused: 'true' }, undefined),
			['Rollout: 2 of 3 finished, 0 running, none queued: the rollout is paused'],
		],
		[
			'no repair where they are switched off',
			[config('a', drifted)],
			rolloutOf({ paused: 'true', repairsPerHour: '0' }, undefined),
			['Rollout: 1 of 1 finished, 0 running, none queued: the rollout is paused'],
		],
		[
			'settings that cannot be used, with the key',
			[config('a', configured)],
			rolloutOf({ paused: 'yes' }, undefined),
			['Rollout: 1 of 1 finished, 0 running, none queued: ConfigMap multinic-rollout cannot be used: paused: must be true or false'],
		],
		[
			'settings that we may not read: what the controller says',
			[config('a', running), config('b', waiting)],
			undefined,
			['Rollout: 0 of 2 finished, 1 running, 1 queued: The wave is full'],
		],
	])('%s', (_, configs, rollout, said) => {
		expect(fleetLines(fleetOf(configs, new Set(), rollout), coloursFor(false))).toEqual(said)
	})

	test.each<[title: string, one: ConfigView, settled: number]>([
		['Configured', config('a', configured), 1],
		['Failed', config('a', failed), 1],
		['Configured for another generation is not', config('a', configured, { metadata: { name: 'a', generation: 4 } }), 0],
		['planned, where a plan is all that is wanted', config('a', { reason: 'Planned' }, { spec: { mode: 'Plan' } }), 1],
		['one that no controller has seen is not', config('a'), 0],
		['one that is being deleted is not', config('a', configured, { metadata: { name: 'a', generation: 3, deletionTimestamp: 'now' } }), 0],
	])('settled: %s', (_, one, settled) => {
		expect(fleetOf([one], new Set(), settings).settled).toBe(settled)
	})

	test('the queue has workers by name, then the control plane', () => {
		const configs = ['w-2', 'a-master', 'w-1'].map(name => config(name, waiting))
		expect([...fleetOf(configs, controlPlane, settings).line]).toEqual([
			['w-1', 1],
			['w-2', 2],
			['a-master', 3],
		])
	})

	test('the summary counts states and omits those without nodes', () => {
		const some = [config('a', configured), config('b', failed), config('c', waiting), config('d')]
		expect(summaryLine(fleetOf(some, new Set(), settings))).toBe('4 nodes: 1 Configured, 2 Pending, 1 Failed')
		expect(summaryLine(fleetOf([], new Set(), settings))).toBe('0 nodes')
	})
})

describe('what happens next', () => {
	test.each<[title: string, one: ConfigView, next: string]>([
		['a node that is right', config('a', configured), 'Nothing. The node matches its node config.'],
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
		['a place in line', config('a', waiting), 'It is 1 of 1 in the queue: The wave is full.'],
		['what time may heal', config('a', healing), 'It is retried automatically. To retry now: kubectl multinic retry a'],
		[
			'what stops the rollout',
			config('a', rolledBack),
			'It is retried automatically. To retry now: kubectl multinic retry a. It stops the rollout. To continue without it: kubectl multinic pause a',
		],
		[
			'what only a person can',
			config('a', { state: 'Failed', reason: 'InvalidConfig' }),
			'It is not retried until the node config changes. To retry now: kubectl multinic retry a',
		],
		['a retry that waits', config('a', failed, asked), 'A run was requested and starts as soon as possible.'],
		[
			'a pause of its own',
			config('a', { reason: 'Paused' }, { spec: { paused: true } }),
			'It is paused. Resume with: kubectl multinic resume a',
		],
		[
			'a node that drifted',
			config('a', drifted),
			'It is repaired automatically, at most repairsPerHour times an hour. Show the drift with: kubectl multinic diff a',
		],
		['a silent node', config('a', { reason: 'NodeNotReady' }), 'The run starts automatically when that is resolved.'],
		['no word yet', config('a'), 'The controller has not observed generation 3 yet.'],
		[
			'a retry before the first word',
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

	test('names the node that halts the rollout in a halted queue', () => {
		const one = config('b', waiting)
		const words = nextStep(one, fleetOf([config('a', rolledBack), one], new Set(), settings))
		expect(words).toMatch(
			/^It is 1 of 1 in the queue: stopped by a: RolledBack, .* a \(RolledBack\) stops the rollout\. To continue without it: kubectl multinic pause a$/,
		)
	})

	test('a partial failure is retryable if one of its causes is', () => {
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
		['is asked for', config('a', configured, asked), 'A run was requested. It starts when the rollout resumes: kubectl multinic resume'],
		[
			'is deleted',
			config('a', configured, { metadata: { name: 'a', generation: 3, deletionTimestamp: 'now' } }),
			'It is being deleted. A last run restores the node when the rollout resumes: kubectl multinic resume',
		],
		[
			'is wrong until a person mends it',
			config('a', { state: 'Failed', reason: 'InvalidConfig' }),
			'It is not retried until the node config changes. To retry now: kubectl multinic retry a',
		],
	])('in a paused fleet, to a node that %s', (_, one, next) => {
		expect(nextStep(one, fleetOf([one], new Set(), rolloutOf({ paused: 'true' }, undefined)))).toBe(next)
	})

	test('when a fleet resumes, to the queued repairs', () => {
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
