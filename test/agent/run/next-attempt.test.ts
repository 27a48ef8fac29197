import { describe, expect, test } from 'vitest'
import type { Refusal } from '../../../agent/model/check.ts'
import { blaming, failure } from '../../../agent/model/failure.ts'
import type { Bisect } from '../../../agent/run/bisect.ts'
import { excluded, FIRST_STATE, next, type RetryReason, type RetryState } from '../../../agent/run/retry.ts'
import { type Changes, type End, mac, outcomeOf, planWith } from './pretended-attempt.ts'

/** What a run does after an attempt, depending on the results of this attempt and of earlier ones. */

const inUse: Refusal = { reason: 'AddressInUse', message: 'another host has 10.0.1.23' }
const pathLost: Refusal = { reason: 'ConnectivityLost', message: 'api unreachable after the change; this interface is unchanged' }
const late: Refusal = { reason: 'RolledBack', message: 'too late; this interface is unchanged' }

const loses = (...hops: string[]): End => ({ failed: failure('CONNECTIVITY_LOST', 'api unreachable after the change', { hops }) })
const fails: End = { failed: failure('COMMAND_FAILED', 'no') }
const isLate: End = { failed: failure('EXPIRED', 'too late') }
const isBusy: End = { failed: failure('COMMAND_FAILED', 'ip link set dev if4 name multinic1: Device or resource busy', { id: 1 }) }
const blamesOne: End = { failed: failure('ADDRESS_IN_USE', inUse.message, { id: 1 }) }
const losesToOthers = (...keys: string[]): End => ({
	failed: failure('LOST_BY_OTHERS', 'gone'),
	lostByOthers: keys.map(key => ({ key, words: key })),
})

const searching = (bisect: Partial<Bisect>): Pick<RetryState, 'search'> => ({
	search: { state: { candidates: [], trial: [], deferred: [], guilty: [], ...bisect }, loss: pathLost },
})

type Attempt = Changes & { before?: Partial<RetryState>; end?: End; timeLeft?: number }

function after({ before = {}, end, timeLeft = 1, ...changes }: Attempt) {
	const then = next({ ...FIRST_STATE, ...before }, outcomeOf(planWith(changes), end), timeLeft)
	const { failed, kept, ...rest } = then.state
	const learned = { ...rest, failed: Object.fromEntries(failed), kept: Object.fromEntries(kept) }
	return { ...learned, reason: then.kind === 'again' ? then.reason : undefined }
}

type Learned = Partial<ReturnType<typeof after>>
const without = (...changes: (number | string)[]): RetryReason => ({ kind: 'excluded', changes })
const holdingBack = (...withheld: (number | string)[]): RetryReason => ({ kind: 'narrowed', withheld })

describe('after an attempt that was rolled back, a run tries again', () => {
	test.each<[title: string, attempt: Attempt, reason: RetryReason, learned: Learned]>([
		[
			'and sets links down to rename them, if the kernel requires that',
			{ changed: [1], end: isBusy },
			{ kind: 'renameDown' },
			{ renameDown: true, failed: {} },
		],
		[
			'without the interface that failed, if its link is busy although it is down',
			{ changed: [0, 1], before: { renameDown: true }, end: isBusy },
			without(1),
			{ failed: { 1: { reason: 'CommandFailed', message: 'ip link set dev if4 name multinic1: Device or resource busy' } } },
		],
		['without the interface that failed', { changed: [0, 1], end: blamesOne }, without(1), { failed: { 1: inUse } }],
		[
			'without all interfaces that failed, each with its own message, and those that failed before',
			{
				changed: [0, 1, 2],
				before: { failed: new Map([[1, inUse]]) },
				end: {
					failed: blaming(
						'ROUTED_ELSEWHERE',
						[0, 1, 2].map(id => ({ id, message: `through eth${id}` })),
					),
				},
			},
			without(0, 2),
			{
				failed: {
					0: { reason: 'RoutedElsewhere', message: 'through eth0' },
					1: inUse,
					2: { reason: 'RoutedElsewhere', message: 'through eth2' },
				},
			},
		],
		[
			'with the same changes, ignoring what other programs removed during this and earlier attempts',
			{ changed: [0], before: { excused: new Set(['rule 7']) }, end: losesToOthers('rule 7', 'route 8') },
			{ kind: 'lostByOthers', keys: ['route 8'] },
			{ excused: new Set(['rule 7', 'route 8']), failed: {} },
		],
		[
			'without the removals, if the cause is unknown',
			{ changed: [0], released: [5], end: fails },
			without(mac(5)),
			{ failed: {}, kept: { [mac(5)]: { reason: 'CommandFailed', message: 'no; this interface is unchanged' } } },
		],
		[
			'without the removals, if the result is not as desired',
			{ changed: [0], released: [5], end: { failed: failure('NOT_VERIFIED', 'no') } },
			without(mac(5)),
			{ kept: { [mac(5)]: { reason: 'NotVerified', message: 'no; this interface is unchanged' } } },
		],
		['with half of the changes, if a path is lost', { changed: [0, 1], end: loses() }, holdingBack(1), { failed: {} }],
		[
			'with half of the changes, if something not managed by MultiNIC is lost',
			{ changed: [0, 1], end: { failed: failure('FOREIGN_CHANGED', 'gone') } },
			holdingBack(1),
			{},
		],
		['without the interface on the lost path', { changed: [0, 1, 2], end: loses('10.0.1.1') }, holdingBack(1), {}],
		['with the removal alone, if a path is lost', { changed: [0], released: [5], end: loses() }, holdingBack(0), {}],
		[
			'without the only change that lost a path, if another interface is as desired',
			{ changed: [0], same: [1], end: loses() },
			without(0),
			{ failed: { 0: pathLost }, search: undefined },
		],
		[
			'with the other half of the half that lost a path',
			{ changed: [0, 1], before: searching({ candidates: [0, 1, 2], trial: [0, 1] }), end: loses() },
			holdingBack(1, 2),
			{},
		],
		[
			'without the cause, if a removal is left that was not part of the search',
			{ changed: [0], released: [5], before: searching({ candidates: [0], trial: [0] }), end: loses() },
			without(0),
			{ failed: { 0: pathLost }, kept: {} },
		],
		[
			'without all of its changes and those held back, if an earlier attempt was committed',
			{ changed: [0], released: [5], before: { committed: true, ...searching({ candidates: [0, 1], trial: [0] }) }, end: isLate },
			without(1, 0, mac(5)),
			{ failed: { 0: late, 1: late }, kept: { [mac(5)]: late }, search: undefined },
		],
		[
			'without those of its changes that are not omitted yet, if an earlier attempt was committed',
			{
				changed: [0],
				before: { committed: true, kept: new Map([[mac(5), inUse]]), ...searching({ candidates: [0, mac(5)], trial: [0] }) },
				end: isLate,
			},
			without(0),
			{ failed: { 0: late }, kept: { [mac(5)]: inUse } },
		],
		[
			'without all of its changes, if it was the last and an earlier one was committed',
			{
				changed: [0, 1],
				same: [2],
				before: { committed: true, budget: { used: 2, most: 3 } },
				end: { failed: failure('EXPIRED', 'too late', { id: 1 }) },
			},
			without(0, 1),
			{ failed: { 0: late, 1: late } },
		],
	])('%s', (_, attempt, reason, learned) => {
		expect(after(attempt)).toMatchObject({ ...learned, reason })
	})
})

describe('a run ends after an attempt', () => {
	test.each<[title: string, attempt: Attempt, learned?: Learned]>([
		['that had nothing to change', { same: [0] }],
		['that was committed', { changed: [0, 1] }],
		['that could not be rolled back', { changed: [0, 1], end: { ...blamesOne, unrestored: ['ens0, down'] } }],
		[
			'that could not be rolled back while a search was in progress',
			{ changed: [0, 1], before: searching({ candidates: [0, 1, 2, 3], trial: [0, 1] }), end: { ...loses(), unrestored: ['ens0, down'] } },
			{ failed: {} },
		],
		['that was too late', { changed: [0, 1], released: [5], end: isLate }],
		['that had no removal and failed for an unknown cause', { changed: [0, 1], end: fails }],
		['that only removed, and failed for an unknown cause', { same: [0], released: [5, 6], end: fails }],
		[
			'that failed because of the host',
			{ changed: [0], released: [5], end: { failed: failure('COMMAND_FAILED', 'no', { ofHost: true }) } },
		],
		['whose failure has another code and no cause', { changed: [0], released: [5], end: { failed: failure('ADDRESS_IN_USE', 'no') } }],
		['that blames only an interface that is already omitted', { changed: [0], before: { failed: new Map([[1, inUse]]) }, end: blamesOne }],
		['that lost only what is already ignored', { changed: [0], before: { excused: new Set(['rule 7']) }, end: losesToOthers('rule 7') }],
		[
			'that failed for its own reason while another program removed something',
			{ changed: [0], end: { ...losesToOthers('rule 7'), ...isLate } },
		],
		['that lost a path because of its only change', { changed: [0], end: loses() }, { failed: { 0: pathLost }, search: undefined }],
		['that lost a path because of its only removal', { released: [5], end: loses() }, { kept: { [mac(5)]: pathLost }, search: undefined }],
		[
			'that lost a path when there is no time to search',
			{ changed: [0, 1], end: loses(), timeLeft: 0 },
			{ failed: { 0: pathLost, 1: pathLost } },
		],
		[
			'that lost a path although every candidate was held back',
			{ changed: [2], before: searching({ candidates: [0, 1] }), end: loses() },
			{ failed: {} },
		],
		[
			'that was the last, if none was committed',
			{ changed: [0, 1], before: { budget: { used: 2, most: 3 } }, end: blamesOne },
			{ failed: {} },
		],
		[
			'that exceeded the limit',
			{ changed: [0, 1], before: { committed: true, budget: { used: 3, most: 3 } }, end: isLate },
			{ failed: {} },
		],
		[
			'that lost no path, if the search has now found the cause',
			{ changed: [0], before: searching({ candidates: [0, 1], trial: [0] }) },
			{ failed: { 1: pathLost }, search: undefined },
		],
		[
			'that lost no path, if the cause has already failed',
			{ changed: [0], before: { failed: new Map([[1, inUse]]), ...searching({ candidates: [0, 1], trial: [0] }) } },
			{ failed: { 1: inUse }, search: undefined },
		],
		[
			'that lost no path when there is no time to search',
			{ changed: [0, 1], before: searching({ candidates: [0, 1, 2, 3], trial: [0, 1] }), timeLeft: 0 },
			{ failed: { 2: pathLost, 3: pathLost }, search: undefined },
		],
		[
			'that lost no path and was the last',
			{ changed: [0, 1], before: { budget: { used: 2, most: 3 }, ...searching({ candidates: [0, 1, 2, 3], trial: [0, 1] }) } },
			{ failed: { 2: pathLost, 3: pathLost }, search: undefined },
		],
	])('%s', (_, attempt, learned = {}) => {
		expect(after(attempt)).toMatchObject({ ...learned, reason: undefined })
	})
})

test('after an attempt that lost no path, a run continues with the changes that are still deferred', () => {
	const before = searching({ candidates: [0, 1], trial: [0], deferred: [2, 3] })
	expect(after({ changed: [0], before })).toMatchObject({ reason: holdingBack(1), search: { state: { trial: [2, 3], guilty: [1] } } })
})

describe('a run counts', () => {
	test.each<[title: string, attempt: Attempt, learned: Learned]>([
		[
			'one attempt, and one more for each interface',
			{ changed: [0], same: [1], refused: [2], released: [5], kept: [6, 7] },
			{ budget: { used: 1, most: 7 } },
		],
		['no attempt that had nothing to change', { same: [0] }, { budget: { used: 0, most: 2 }, attemptCount: 1 }],
		[
			'every attempt since a link last appeared',
			{ changed: [0], before: { budget: { used: 1, most: 9 }, attemptCount: 4 } },
			{ budget: { used: 2, most: 9 }, attemptCount: 5 },
		],
		['an attempt as committed if nothing failed', { same: [0] }, { committed: true }],
		['an attempt that was rolled back as not committed', { changed: [0], end: fails }, { committed: false }],
		['an earlier attempt as committed', { changed: [0], before: { committed: true }, end: fails }, { committed: true }],
	])('%s', (_, attempt, learned) => {
		expect(after(attempt)).toMatchObject(learned)
	})
})

describe('the next attempt omits', () => {
	test.each<[title: string, state: Partial<RetryState>, failed: Record<number, Refusal>, kept: Record<string, Refusal>]>([
		['nothing at first', {}, {}, {}],
		['what failed', { failed: new Map([[1, inUse]]), kept: new Map([[mac(5), late]]) }, { 1: inUse }, { [mac(5)]: late }],
		[
			'what is held back, because of the lost path',
			searching({ candidates: [0, 1, mac(5)], trial: [0] }),
			{ 1: pathLost },
			{ [mac(5)]: pathLost },
		],
		[
			'what has failed and is held back, because it has failed',
			{ failed: new Map([[1, inUse]]), kept: new Map([[mac(5), late]]), ...searching({ candidates: [1, mac(5)] }) },
			{ 1: inUse },
			{ [mac(5)]: late },
		],
	])('%s', (_, state, failed, kept) => {
		const left = excluded({ ...FIRST_STATE, ...state })
		expect({ failed: Object.fromEntries(left.failed), kept: Object.fromEntries(left.kept) }).toEqual({ failed, kept })
	})
})
