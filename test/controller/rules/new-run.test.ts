import { describe, expect, test } from 'vitest'
import type { Decision } from '../../../controller/model/decision.ts'
import type { Run, Snapshot } from '../../../controller/model/snapshot.ts'
import { whenFinalizerMissing, whenNeverRun } from '../../../controller/rules/finalizer.ts'
import { newRun } from '../../../controller/rules/new-run.ts'
import { lostStatus, reportedStatus, startedStatus } from '../../../controller/status/build-status.ts'
import { ended, report, run, withStatus, world } from '../world.ts'

/** Which run starts if nothing prevents it, and what precedes the first run. */

const bad = run({ attempt: 4, failures: 2, report: report({ attempt: 4, outcome: 'Failed', reason: 'InUse' }), job: ended })
const good = run({ attempt: 4, failures: 2, report: report({ attempt: 4 }), job: ended })
const told = (one: Run, status = reportedStatus(world(), one)): Snapshot => withStatus(world({ runs: [one] }), status)
const drifted = lostStatus(world(), good, 'Drifted' as never, 'mtu is 1400, not 1450')
const asked = (snapshot: Snapshot): Snapshot => ({ ...snapshot, config: { ...snapshot.config, requests: { retry: 'x' } } })
type Started = Extract<Decision, { act: 'start' }>['run']

describe('the next run', () => {
	test.each<[title: string, snapshot: Snapshot, why: string, more: Partial<Started> & { keepStatus?: boolean }]>([
		['is the first of a new node config', world(), 'SpecChanged', {}],
		[
			'counts the failures before it, and the failure stays in the status',
			told(bad),
			'BackOffOver',
			{ attempt: 5, failures: 3, keepStatus: true },
		],
		['counts no failures before drift, which stays in the status', told(good, drifted), 'Drifted', { attempt: 5, keepStatus: true }],
		['counts no failures if the last result is not a failure', told(bad, startedStatus(world(), bad)), 'ResultMissing', { attempt: 5 }],
		[
			'answers a request, and the status reports its start',
			asked(told(bad)),
			'RetryAsked',
			{ attempt: 5, failures: 3, requests: { retry: 'x' } },
		],
		[
			'has the same attempt again if it was not created completely',
			world({ runs: [run({ attempt: 4, failures: 2, job: undefined })] }),
			'JobMissing',
			{ attempt: 4, failures: 2 },
		],
	])('%s', (_, snapshot, why, { keepStatus = false, ...more }) => {
		const one: Started = { attempt: 1, mode: 'Apply', cause: why, requests: {}, failures: 0, ...more }
		expect(newRun(snapshot)).toStrictEqual({ act: 'start', why, run: one, keepStatus })
	})
})

test('the finalizer is added, and no request is removed', () => {
	const expected = { act: 'updateMetadata', why: 'FinalizerMissing', finalizer: true, answered: [] }
	expect(whenFinalizerMissing(world({ config: { finalizers: [], requests: { retry: 'x' } } }))).toEqual(expected)
})

describe('a deleted node config is released without a clean-up', () => {
	test.each<[title: string, snapshot: Snapshot, isReleased: boolean]>([
		['if it has no run', world({ config: { deleting: true } }), true],
		['if only a former node config has a run', world({ config: { deleting: true }, runs: [run({ uid: 'older', job: ended })] }), true],
		['unless it has a run', world({ config: { deleting: true }, runs: [run({ job: ended })] }), false],
		['unless its status names a run', world({ config: { deleting: true, status: { lastJobName: run().name } } }), false],
		['only if it is deleted', world(), false],
	])('%s', (_, snapshot, isReleased) => {
		expect(whenNeverRun(snapshot)).toEqual(isReleased ? { act: 'release', why: 'NeverRun' } : undefined)
	})
})
