import { describe, expect, test } from 'vitest'
import type { Run, Snapshot } from '../../../controller/model/snapshot.ts'
import { obsoleteRuns } from '../../../controller/rules/gc.ts'
import { ended, now, report, run, underWay, withStatus, world } from '../world.ts'

/** Which runs are deleted. A run is kept for an hour. */

const hour = 3_600_000
const time = (ms: number) => new Date(ms).toISOString()
const finished = (ago: number) => ({ ...ended, finished: now - ago })

/** A successful run that has ended; it was created a minute before. */
const good = (attempt: number, ago: number, over: Partial<Run> = {}): Run =>
	run({ attempt, report: report({ attempt }), job: finished(ago), created: now - ago - 60_000, firstSeenAt: now - ago - 60_000, ...over })
const bad = (attempt: number, ago: number, over: Partial<Run> = {}): Run =>
	good(attempt, ago, { report: report({ attempt, outcome: 'Failed', reason: 'InUse' }), ...over })
const check = (attempt: number, ago: number, over: Partial<Run> = {}): Run => bad(attempt, ago, { mode: 'Verify', ...over })

const names = (runs: readonly Run[]) => runs.map(({ name }) => name)

/** By default, the status names a run that was reported recently and no longer exists. */
const of = (runs: readonly Run[], status: Snapshot['config']['status'] = {}): Snapshot =>
	withStatus(world({ runs: [...runs] }), { state: 'Configured', lastJobName: 'gone', lastProcessed: time(now), ...status })
const reported = (one: Run, ago: number) => ({ lastJobName: one.name, lastProcessed: time(now - ago) })

describe('a run is deleted', () => {
	test.each<[title: string, runs: Run[], status?: Snapshot['config']['status']]>([
		['an hour after its Job has finished', [good(1, hour)]],
		['an hour after its creation, if the end of its Job is unknown', [good(1, hour - 60_000, { job: undefined })]],
		['an hour after its result was reported, if the status names it', [good(1, 5_000)], reported(good(1, 0), hour)],
		[
			'an hour after its Job has finished, if the status has no valid time of the report',
			[good(1, hour)],
			{ lastJobName: run().name, lastProcessed: 'x' },
		],
		['although it failed, if the node is configured', [bad(1, hour)]],
		['although it failed, if it was a verification', [check(1, hour)], { state: 'Failed' }],
		['an hour after its creation, if its node config no longer exists', [good(1, 0, { uid: 'older', created: now - hour })]],
		['together with all others, although the status names it', [good(1, hour), good(2, hour)], reported(good(2, 0), hour)],
	])('%s', (_, runs, status) => {
		expect(obsoleteRuns(of(runs, status))).toEqual({ due: names(runs), nextAt: undefined })
	})
})

describe('a run is kept', () => {
	test.each<[title: string, one: Run, more: { status?: Snapshot['config']['status']; nextAt?: number }]>([
		['for less than an hour after its Job has finished', good(1, hour - 1), { nextAt: now + 1 }],
		[
			'for less than an hour after its creation, if the end of its Job is unknown',
			good(1, hour - 60_001, { job: undefined }),
			{ nextAt: now + 1 },
		],
		['for less than an hour after its result was reported', good(1, 2 * hour), { status: reported(good(1, 0), hour - 1), nextAt: now + 1 }],
		[
			'for less than an hour after its creation, if its node config no longer exists',
			good(1, 0, { uid: 'older', created: now - hour + 1 }),
			{ nextAt: now + 1 },
		],
		['while its Job may still be created', good(1, 2 * hour, { job: undefined, firstSeenAt: now }), { nextAt: now + 315_000 }],
		['while it is in progress', good(1, 2 * hour, { report: undefined, job: underWay }), {}],
		['if only its Job is left, which Kubernetes deletes', good(1, 2 * hour, { hasConfigMap: false }), {}],
		['if it failed and no run has succeeded since', bad(1, 2 * hour), { status: { state: 'Failed' } }],
	])('%s', (_, one, { status, nextAt }) => {
		expect(obsoleteRuns(of([one], status))).toEqual({ due: [], nextAt })
	})
})

describe('of several runs', () => {
	const failures = [1, 2, 3, 4, 5].map(attempt => bad(attempt, 5_000))
	const older = good(1, 2 * hour, { uid: 'older' })

	test.each<[title: string, runs: Run[], due: Run[], status?: Snapshot['config']['status']]>([
		[
			'the one that the status names is deleted last',
			[good(1, hour), good(2, 2 * hour), good(3, 0)],
			[good(2, 0)],
			reported(good(1, 0), hour),
		],
		['the one that the status names is kept while another one is kept', [good(1, hour), good(3, 0)], [], reported(good(1, 0), hour)],
		['five that failed are kept', failures, []],
		['five that failed are kept in addition to one that succeeded', [...failures, good(6, 5_000)], []],
		['five that failed are kept in addition to a verification', [...failures, check(6, 5_000)], []],
		['the oldest of six that failed is deleted', [bad(9, 8_000), ...failures], [bad(9, 0)], { state: 'Failed' }],
		[
			'the lowest attempt of six that failed is deleted if all were created at the same time',
			[bad(6, 5_000), ...failures],
			[bad(1, 0)],
			{ state: 'Failed' },
		],
		['three verifications are kept, and the oldest is deleted', [2, 3, 4, 5].map(attempt => check(attempt, 5_000)), [check(2, 0)]],
		['one of a former node config is kept if the current one has a run with the same name', [good(1, 0), good(2, 0), older], []],
		['one of a former node config is deleted if the current one has no run with the same name', [good(2, 0), older], [older]],
	])('%s', (_, runs, due, status) => {
		expect(obsoleteRuns(of(runs, status)).due).toEqual(names(due))
	})
})

test('the next deletion is due with the next run that is kept, not with one that is already due or is kept until another one succeeds', () => {
	const runs = [good(1, 2 * hour), good(2, hour), bad(3, 3 * hour), good(4, hour - 7_000), good(5, hour - 9_000)]
	const status = { state: 'Failed' as const }
	expect(obsoleteRuns(of(runs, status))).toEqual({ due: names([good(1, 0), good(2, 0)]), nextAt: now + 7_000 })
	expect(obsoleteRuns(of(runs.slice(2, 3), status))).toEqual({ due: [], nextAt: undefined })
})
