import { beforeEach, describe, expect, test } from 'vitest'
import { comparable } from '../simulated-host.ts'
import { type Operation, pretendClock } from './pretended-host.ts'
import { node, orderOf, type Ran, ranOn } from './pretended-run.ts'

/** When a run commits, with a rollback timer of 60 s. */

beforeEach(pretendClock)

/** A run whose first operation of a kind takes that long. */
function slow(at: Operation, seconds: number, when: 'before' | 'after' = 'after'): Promise<Ran> {
	return ranOn({
		meddle: async ({ what, nth }, act, { pass }) => {
			const isIt = what === at && nth === 0
			if (isIt && when === 'before') pass(seconds * 1000)
			const result = await act()
			if (isIt && when === 'after') pass(seconds * 1000)
			return result
		},
	})
}

const phases: Operation[] = ['arm', 'apply', 'echoes', 'prove']

describe('a run commits', () => {
	test.each(phases.flatMap(at => [3, 4].map(left => [at, left] as const)))('if %s leaves %d s', async (at, left) => {
		const ran = await slow(at, 60 - left)
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
		expect(orderOf(ran, 'commit', 'undo', 'disarm')).toEqual(['commit'])
		expect(ran.pretended.isArmed()).toBe(false)
	})
})

describe('a run does not try to commit', () => {
	test.each(phases.flatMap(at => [58, 59.9, 61].map(seconds => [at, seconds] as const)))('if %s has taken %d s', async (at, seconds) => {
		const ran = await slow(at, seconds)
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', changes: 0 })
		expect(orderOf(ran, 'commit')).toEqual([])
		expect(comparable(ran.pretended.now())).toEqual(comparable(node))
	})
})

test('a run whose timer ends before its first change makes none', async () => {
	expect(orderOf(await slow('arm', 61), 'apply', 'undo', 'disarm')).toEqual(['undo', 'disarm'])
})

test('a run whose timer ends while it applies changes blames no interface', async () => {
	const ran = await slow('apply', 61)
	expect(ran.report?.interfaces.map(({ reason }) => reason)).toEqual(Array(3).fill('RolledBack'))
	expect(orderOf(ran, 'apply', 'undo', 'disarm')).toEqual(['apply', 'undo', 'disarm'])
})

test('a run that is too late reports this and makes no other attempt', async () => {
	const ran = await slow('prove', 58)
	expect(ran.report).toMatchObject({
		reason: 'RolledBack',
		message: 'the run took longer than 60 s, so the host rolls back; everything was rolled back',
		interfaces: [0, 1, 2].map(id => ({ id, state: 'Failed', reason: 'RolledBack' })),
	})
	expect(orderOf(ran, 'arm', 'apply', 'commit', 'undo', 'disarm')).toEqual(['arm', 'apply', 'undo', 'disarm'])
})

test('a commit fails if the host has begun to roll back', async () => {
	const ran = await slow('commit', 61, 'before')
	expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'RolledBack', changes: 0 })
	expect(orderOf(ran, 'commit', 'undo', 'disarm')).toEqual(['commit', 'undo', 'disarm'])
	expect(comparable(ran.pretended.now())).toEqual(comparable(node))
})

test('a run that is slow after its commit stays committed', async () => {
	const ran = await slow('commit', 61)
	expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
	expect(comparable(ran.pretended.now())).not.toEqual(comparable(node))
})
