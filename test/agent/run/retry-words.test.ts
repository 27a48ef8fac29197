import { expect, test } from 'vitest'
import type { Refusal } from '../../../agent/model/check.ts'
import { FIRST_STATE, type RetryReason, type RetryState } from '../../../agent/run/retry.ts'
import { retryWords } from '../../../agent/run/retry-words.ts'
import { type Changes, mac, outcomeOf, planWith } from './pretended-attempt.ts'

/** The log line about the next attempt. */

const refusal: Refusal = { reason: 'CommandFailed', message: 'no' }
const excluded: RetryReason = { kind: 'excluded', changes: [] }

type Case = [
	title: string,
	reason: RetryReason,
	known: { changes: Changes; state?: Partial<RetryState> },
	said: [head: string, words: string],
]

test.each<Case>([
	[
		'what is held back, the interfaces first',
		{ kind: 'narrowed', withheld: [mac(5), mac(6), 0, 2] },
		{ changes: { changed: [0, 1, 2], released: [4, 5], kept: [6] } },
		[
			'held back',
			`multinic0, multinic2, the removal of multinic5 (${mac(5)}), the removal of multinic6 (${mac(6)}); the others are tried again`,
		],
	],
	[
		'that nothing is omitted if another program caused the loss',
		{ kind: 'lostByOthers', keys: ['route 8'] },
		{ changes: { changed: [0] }, state: { failed: new Map([[0, refusal]]) } },
		['again', 'this run did not cause the loss, so the same changes are applied again'],
	],
	[
		'that links are set down',
		{ kind: 'renameDown' },
		{ changes: { changed: [0] }, state: { renameDown: true } },
		['again', 'links are set down to be renamed'],
	],
	[
		'everything that is omitted',
		excluded,
		{
			changes: { changed: [0, 1], refused: [2], kept: [5] },
			state: { failed: new Map([1, 2].map(id => [id, refusal])), kept: new Map([[mac(5), refusal]]) },
		},
		['again', `without multinic1, multinic2, the removal of multinic5 (${mac(5)})`],
	],
	[
		'everything that is omitted, and that links are set down',
		excluded,
		{ changes: { changed: [0, 1] }, state: { renameDown: true, failed: new Map([[0, refusal]]) } },
		['again', 'without multinic0; links are set down to be renamed'],
	],
])('the log contains %s', (_, reason, { changes, state = {} }, said) => {
	const plan = planWith(changes)
	const interfaces = [...plan.accepted, ...plan.refused].map(({ nic }) => nic)
	expect(retryWords(reason, { interfaces, outcome: outcomeOf(plan), retry: { ...FIRST_STATE, ...state } })).toEqual(said)
})
