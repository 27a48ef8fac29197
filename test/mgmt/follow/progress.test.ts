import { expect, test } from 'vitest'
import type { Meaning } from '../../../mgmt/follow/events.ts'
import { createProgress } from '../../../mgmt/follow/progress.ts'

const config = (nodeName: string): Meaning => ({
	kind: 'config',
	view: { nodeName, interfaces: [], deleting: false, generation: 1, resourceVersion: '1' },
})
const deleted = (nodeName: string): Meaning => ({ kind: 'deleted', nodeName })
const synced: Meaning = { kind: 'synced' }
const reset: Meaning = { kind: 'reset' }
const invalid = (nodeName?: string): Meaning => ({ kind: 'invalid', fault: '', nodeName })

test.each<[sentence: string, events: [Meaning, id?: string][], names: string[], lastId: string | undefined]>([
	['nothing was sent', [], [], undefined],
	['a stream cannot continue before everything was sent', [[config('a'), '5']], ['a'], undefined],
	[
		'afterwards, it continues after the last event',
		[
			[config('a'), '5'],
			[synced, '9'],
			[config('b'), '10'],
		],
		['a', 'b'],
		'10',
	],
	['an event without an id leaves the last one', [[config('a'), '5'], [synced]], ['a'], '5'],
	['a deleted node config is no longer there', [[config('a')], [synced, '9'], [deleted('a'), '10']], [], '10'],
	['after a reset, everything is sent again', [[config('a')], [synced, '9'], [reset], [config('b'), '4']], ['b'], undefined],
	['a node config that cannot be parsed exists', [[invalid('a')], [invalid()], [synced, '9']], ['a'], '9'],
	[
		'an unknown event changes only the id',
		[
			[synced, '9'],
			[{ kind: 'unknown' }, '11'],
		],
		[],
		'11',
	],
])('%s', (_, events, names, lastId) => {
	const progress = createProgress()
	for (const [meaning, id] of events) progress.add(meaning, id)
	expect([...progress.nodeNames]).toEqual(names)
	expect(progress.lastId).toBe(lastId)
})
