import { describe, expect, test } from 'vitest'
import { rolloutOf } from '../../../contract/rollout.ts'
import { condition } from '../../../contract/status.ts'
import type { Decision } from '../../../controller/model/decision.ts'
import type { Snapshot } from '../../../controller/model/snapshot.ts'
import { whenInConflict } from '../../../controller/rules/conflict.ts'
import { whenQueued } from '../../../controller/rules/rollout-queue.ts'
import { setStatusOnce } from '../../../controller/rules/set-status-once.ts'
import { lostStatus, pendingStatus } from '../../../controller/status/build-status.ts'
import { alone, now, run, spec, withStatus, world } from '../world.ts'

/** What prevents a run from starting, and how the status reports it. */

const message = (decision: Decision | undefined) =>
	decision?.act === 'setStatus' ? condition(decision.status, 'Ready')?.message : decision?.act
const plan = { value: { ...spec, mode: 'Plan' as const } }

describe('a node config that shares a claim with another one', () => {
	const conflict = { name: 'worker-7', what: 'MAC fa:16:3e:37:c3:f1' }
	const config = { uid: 'c0ffee00-1111', generation: 3 }

	test('waits, and an Event reports this once for each generation', () => {
		const decision = whenInConflict(world({ conflict, config }))
		expect(decision).toMatchObject({
			act: 'setStatus',
			why: 'Conflict',
			status: { state: 'Pending' },
			eventKey: 'worker-1.c0ffee00.conflict-g3',
		})
		expect(decision?.act === 'setStatus' && condition(decision.status, 'Ready')).toMatchObject({
			reason: 'Conflict',
			message: 'MAC fa:16:3e:37:c3:f1 is already used by node config worker-7. The run starts when one of the two no longer uses it.',
		})
	})

	test.each<[title: string, snapshot: Snapshot]>([
		['shares no claim', world({ config })],
		['is deleted', world({ conflict, config: { ...config, deleting: true } })],
		['cannot be read', world({ conflict, config, spec: { fault: 'bad', listed: 1 } })],
		['is only planned', world({ conflict, config, spec: plan })],
	])('does not wait if it %s', (_, snapshot) => {
		expect(whenInConflict(snapshot)).toBeUndefined()
	})
})

describe('the rollout holds a run', () => {
	const pause = { paused: 'true' }
	const rollout = (more: Partial<Snapshot['rollout']>): Snapshot => world({ rollout: { ...alone, ...more } })
	const settings = (...data: Parameters<typeof rolloutOf>) => rollout({ settings: rolloutOf(...data) })
	const stoppedBy = { name: 'worker-7', reason: 'RolledBack' }
	const queued =
		'Queued behind other nodes (maxUnavailable 3; control-plane nodes last, one at a time). See the position with: kubectl multinic get'
	const three = { settings: rolloutOf({ maxUnavailable: '3' }, undefined), slots: 3 }
	const since = (reason: string, ms: number) => ({ hold: { reason: reason as never, since: now - ms } })

	const cases: [title: string, snapshot: Snapshot, reason: string, said: string][] = [
		[
			'if its settings are invalid',
			settings({ paused: 'yes' }, undefined),
			'SettingsUnreadable',
			'ConfigMap multinic-rollout: paused: must be true or false.',
		],
		[
			'if the chart pauses it',
			settings(pause, undefined),
			'RolloutPaused',
			'The rollout is paused by the chart (rollout.paused in ConfigMap multinic-rollout).',
		],
		['if a person pauses it', settings(undefined, pause), 'RolloutPaused', 'The rollout is paused by kubectl multinic pause.'],
		[
			'if both pause it',
			settings(pause, pause),
			'RolloutPaused',
			'The rollout is paused by kubectl multinic pause and the chart (rollout.paused in ConfigMap multinic-rollout).',
		],
		[
			'if another node stops it',
			rollout({ stoppedBy }),
			'RolloutStopped',
			'The rollout is stopped by worker-7 (RolledBack). It resumes when that node succeeds, is paused, or is deleted.',
		],
		['if other nodes have all slots', rollout({ ...three, queuePosition: 3 }), 'WaveIsFull', queued],
		['while another control-plane node is changed', rollout({ ...three, controlPlaneBusy: true }), 'WaveIsFull', queued],
	]

	test.each(cases)('%s, and reports this after 5 s', (_, snapshot, reason, said) => {
		expect(whenQueued(snapshot)).toEqual({ act: 'queue', why: reason, afterMs: 5_000 })
		const held = { ...snapshot, rollout: { ...snapshot.rollout, ...since(reason, 5_000) } }
		const decision = whenQueued(held)
		expect(decision).toMatchObject({ act: 'setStatus', why: 'Waiting', holdReason: reason, result: false, status: { state: 'Pending' } })
		expect(message(decision)).toBe(said)
		expect(decision?.act === 'setStatus' && condition(decision.status, 'Ready')?.reason).toBe('Waiting')
		expect(decision?.act === 'setStatus' && whenQueued(withStatus(held, decision.status))).toEqual({
			act: 'queue',
			why: reason,
			afterMs: 0,
		})
	})

	test.each<[title: string, snapshot: Snapshot]>([
		['that is next', rollout({ ...three, queuePosition: 2 })],
		['of the node that stops the rollout', rollout({ stoppedBy, skipsQueue: true })],
		['that changes nothing', { ...settings(pause, undefined), spec: plan }],
	])('but not one %s', (_, snapshot) => {
		expect(whenQueued(snapshot)).toBeUndefined()
	})

	const stopped = rollout({ stoppedBy })
	const failed = lostStatus(stopped, run(), 'RunLost', 'cause unknown')
	const heldFor = (ms: number, reason = 'RolloutStopped') => ({ ...stopped, rollout: { ...stopped.rollout, ...since(reason, ms) } })
	test.each<[title: string, snapshot: Snapshot, act: string, afterMs: number | undefined]>([
		['is not reported before it has lasted 5 s', heldFor(2_000), 'queue', 3_000],
		['is not reported because of the duration of another hold', heldFor(9_000, 'RolloutPaused'), 'queue', 5_000],
		['is not reported instead of a failure that is to be retried', withStatus(heldFor(9_000), failed), 'queue', 0],
		[
			'is reported instead of a failure of another generation',
			withStatus(heldFor(9_000), { ...failed, observedGeneration: 0 }),
			'setStatus',
			undefined,
		],
		[
			'is reported instead of a status that is not a failure',
			withStatus(heldFor(9_000), pendingStatus(stopped, 'Paused', 'words')),
			'setStatus',
			undefined,
		],
	])('and the hold %s', (_, snapshot, act, afterMs) => {
		const decision = whenQueued(snapshot)
		expect({ act: decision?.act, afterMs: decision?.act === 'queue' ? decision.afterMs : undefined }).toEqual({ act, afterMs })
	})
})

describe('the status of a wait is written', () => {
	const status = pendingStatus(world(), 'Paused', 'No run starts while spec.paused is true.')
	const told = withStatus(world(), status)

	test('not if it is already the same', () => {
		expect(setStatusOnce(told, 'Paused', status, 'key')).toEqual({ act: 'nothing', why: 'Paused' })
	})

	test.each<[title: string, before: Snapshot, why?: string]>([
		['if there is none', world()],
		['if it has another reason', told, 'NodeNotFound'],
		['if it has another message', withStatus(told, pendingStatus(world(), 'Paused', 'other words'))],
		['if it belongs to another generation', withStatus(told, { ...status, observedGeneration: 0 })],
		['if it belongs to other interfaces', { ...told, specHash: 'hash-2' }],
		['if it has another state', withStatus(told, { ...status, state: 'Failed' })],
	])('%s', (_, before, why = 'Paused') => {
		expect(setStatusOnce(before, why, status, 'key')).toEqual({ act: 'setStatus', why, status, result: false, eventKey: 'key' })
	})
})
