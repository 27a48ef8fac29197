import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/report/outcome.ts'
import { blaming, type Code, failure } from '../../../agent/model/failure.ts'
import type { ChangeId } from '../../../agent/run/bisect.ts'
import { excluded, FIRST_STATE, next, type RetryReason, type RetryState } from '../../../agent/run/retry.ts'
import { type End, mac, outcomeOf, planWith } from './pretended-attempt.ts'

/** A run of attempts that change nothing: each attempt ends with a given result, and the test checks what the run decides. */
type Wish = { wanted: number; removed: number }
/** The result of an attempt that changes these NICs. */
type Ends = (changed: { macs: readonly string[]; all: readonly ChangeId[]; turn: number }) => End
type Ran = { retry: RetryState; last?: Outcome; lessons: RetryReason[]; applied: number; configured: Set<ChangeId> }

function runOf({ wanted, removed }: Wish, ends: Ends, hasTime = true): Ran {
	const ran: Ran = { lessons: [], applied: 0, configured: new Set(), retry: FIRST_STATE }
	for (let turn = 0; turn < 100; turn++) {
		const outcome = attemptOf({ wanted, removed }, { ran, ends, turn })
		if (outcome.plan.steps.length > 0) ran.applied++
		const then = next(ran.retry, outcome, hasTime ? 1 : 0)
		Object.assign(ran, { retry: then.state, last: outcome })
		if (then.kind === 'end') return ran
		ran.lessons.push(then.reason)
	}
	throw new Error('the run does not end')
}

function attemptOf(wish: Wish, { ran, ends, turn }: { ran: Ran; ends: Ends; turn: number }): Outcome {
	const plan = planOf(wish, ran.retry, ran.configured)
	const ids = plan.accepted.map(({ nic }) => nic.id).filter(id => !ran.configured.has(id))
	const macs = plan.released.map(({ ours }) => ours.mac)
	const end: End = plan.steps.length > 0 ? ends({ macs, all: [...ids, ...macs], turn }) : {}
	if (!end.failed) for (const done of [...ids, ...macs]) ran.configured.add(done)
	return outcomeOf(plan, end)
}

function planOf({ wanted, removed }: Wish, retry: RetryState, configured: ReadonlySet<ChangeId>): Outcome['plan'] {
	const { failed, kept } = excluded(retry)
	const accepted = without(wanted, [...failed.keys()])
	const left = Array.from({ length: removed }, (_, at) => 20 + at).filter(id => !configured.has(mac(id)))
	return planWith({
		changed: accepted.filter(id => !configured.has(id)),
		same: accepted.filter(id => configured.has(id)),
		refused: without(wanted, []).filter(id => failed.has(id)),
		released: left.filter(id => !kept.has(mac(id))),
		kept: left.filter(id => kept.has(mac(id))),
	})
}

const loss = (hops: readonly string[] = []) => failure('CONNECTIVITY_LOST', 'api unreachable after the change', { hops })
const costing =
	(causes: ReadonlySet<ChangeId>): Ends =>
	({ all }) =>
		all.some(one => causes.has(one)) ? { failed: loss() } : {}

const wishes = fc.record({ wanted: fc.nat(10), removed: fc.nat(4) }).filter(({ wanted, removed }) => wanted + removed > 0)
const codes: Code[] = [
	'COMMAND_FAILED',
	'NOT_VERIFIED',
	'ADDRESS_IN_USE',
	'EXPIRED',
	'FOREIGN_CHANGED',
	'CONNECTIVITY_LOST',
	'LOST_BY_OTHERS',
]

/** Any result of an attempt, drawn for each attempt. */
const anyEnd = fc.record({
	code: fc.option(fc.constantFrom(...codes), { nil: undefined, freq: 6 }),
	blames: fc.array(fc.nat(11), { maxLength: 3 }),
	isBusy: fc.boolean(),
	hops: fc.subarray(['10.0.1.1', '10.0.3.9', '192.168.9.1']),
	key: fc.nat(20),
})
type Drawn = typeof anyEnd extends fc.Arbitrary<infer T> ? T : never

function endOf({ code, blames, isBusy, hops, key }: Drawn): End {
	if (code === undefined) return {}
	if (code === 'LOST_BY_OTHERS') return others(`route ${key}`)
	const message = isBusy ? 'Device or resource busy' : 'no'
	const isBlaming = blames.length > 0 && code === 'COMMAND_FAILED'
	return {
		failed: isBlaming
			? blaming(
					code,
					blames.map(id => ({ id, message })),
				)
			: failure(code, message, { hops }),
	}
}

describe('a run ends', () => {
	test('after at most 1 + (number of interfaces) attempts that change something, with any results', () => {
		fc.assert(
			fc.property(wishes, fc.array(anyEnd, { minLength: 40, maxLength: 40 }), fc.boolean(), (wish, drawn, hasTime) => {
				const { applied, lessons } = runOf(wish, ({ turn }) => endOf(drawn[turn % drawn.length] as Drawn), hasTime)
				expect(applied).toBeLessThanOrEqual(1 + wish.wanted + wish.removed)
				expect(lessons.length).toBeLessThanOrEqual(2 * (1 + wish.wanted + wish.removed))
			}),
			{ numRuns: 1_000 },
		)
	})

	test('immediately if an attempt could not be rolled back', () => {
		const { applied } = runOf({ wanted: 4, removed: 1 }, () => ({ failed: loss(), unrestored: ['api does not answer'] }))
		expect(applied).toBe(1)
	})

	test.each<[title: string, wish: Wish, ends: Ends, applied: number]>([
		['that removes the NIC to the API server', { wanted: 0, removed: 1 }, () => ({ failed: loss() }), 1],
		['that always takes too long', { wanted: 3, removed: 0 }, () => ({ failed: failure('EXPIRED', 'too long') }), 1],
		['whose command fails without blaming an interface', { wanted: 3, removed: 0 }, () => ({ failed: failure('COMMAND_FAILED', 'no') }), 1],
		['whose only interface breaks the path', { wanted: 1, removed: 0 }, () => ({ failed: loss() }), 1],
		['whose two interfaces both break the path', { wanted: 2, removed: 0 }, () => ({ failed: loss() }), 3],
		['that other programs disturb each time', { wanted: 2, removed: 0 }, ({ turn }) => others(`route ${turn}`), 3],
		['that other programs disturb with the same change', { wanted: 2, removed: 0 }, () => others('route'), 2],
	])('%s after the expected number of attempts (case %#)', (_, wish, ends, applied) => {
		expect(runOf(wish, ends).applied).toBe(applied)
	})
})

const others = (key: string): End => ({ failed: failure('LOST_BY_OTHERS', 'gone'), lostByOthers: [{ key, words: key }] })

describe('a desired interface or removal that breaks a path of the node', () => {
	const pairs = (all: readonly ChangeId[]) => all.flatMap((one, at) => all.slice(at + 1).map(other => [one, other]))

	test.each(Array.from({ length: 10 }, (_, count) => count + 1))('is found as any one of %i, and all others are configured', wanted => {
		for (const id of without(wanted, [])) {
			const { configured, applied } = runOf({ wanted, removed: 0 }, costing(new Set([id])))
			expect(applied).toBeLessThanOrEqual(1 + wanted)
			expect([...configured].toSorted(), `${id}`).toEqual(without(wanted, [id]))
		}
	})

	test.each([8, 9, 10])('is found as any two of %i, and all others are configured', wanted => {
		for (const causes of pairs(without(wanted, []))) {
			const { configured, applied } = runOf({ wanted, removed: 0 }, costing(new Set(causes)))
			expect(applied).toBeLessThanOrEqual(1 + wanted)
			expect([...configured].toSorted(), `${causes}`).toEqual(without(wanted, causes))
		}
	})

	test('is found if it is a removal: that link stays unchanged, and everything else is applied', () => {
		for (const wanted of [1, 2, 5, 10]) {
			const { configured, retry, lessons } = runOf({ wanted, removed: 2 }, costing(new Set([mac(20)])))
			expect(configured).toEqual(new Set([...without(wanted, []), mac(21)]))
			expect([...retry.kept.keys()]).toEqual([mac(20)])
			expect(retry.kept.get(mac(20))).toMatchObject({ reason: 'ConnectivityLost' })
			expect(lessons.every(({ kind }) => kind === 'narrowed' || kind === 'excluded')).toBe(true)
		}
	})

	test('is never configured, regardless of how many there are', () => {
		fc.assert(
			fc.property(wishes, fc.infiniteStream(fc.boolean()), (wish, isCause) => {
				const all: ChangeId[] = [...without(wish.wanted, []), ...Array.from({ length: wish.removed }, (_, at) => mac(20 + at))]
				const causes = new Set(all.filter(() => isCause.next().value))
				const { configured, applied } = runOf(wish, costing(causes))
				expect([...configured].filter(one => causes.has(one))).toEqual([])
				expect(applied).toBeLessThanOrEqual(1 + all.length)
				if (causes.size === 0) expect(configured.size).toBe(all.length)
			}),
			{ numRuns: 500 },
		)
	})

	test('is excluded immediately, together with other candidates, if there is no time to search', () => {
		const { configured, applied } = runOf({ wanted: 4, removed: 0 }, costing(new Set([2])), false)
		expect({ configured, applied }).toEqual({ configured: new Set(), applied: 1 })
	})
})

test('a failure that blames no interface is retried without the removals', () => {
	const { configured, retry } = runOf({ wanted: 2, removed: 1 }, ({ macs }) =>
		macs.length > 0 ? { failed: failure('COMMAND_FAILED', 'ip link set dev if9 name ens20: no such device') } : {},
	)
	expect(configured).toEqual(new Set([0, 1]))
	expect(retry.kept.get(mac(20))).toMatchObject({ reason: 'CommandFailed', message: expect.stringMatching(/is unchanged$/) })
})

function without(count: number, causes: readonly ChangeId[]): number[] {
	return Array.from({ length: count }, (_, id) => id).filter(id => !causes.includes(id))
}
