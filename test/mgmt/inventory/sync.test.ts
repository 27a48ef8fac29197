import { expect, test } from 'vitest'
import { createBacklog } from '../../../mgmt/inventory/backlog.ts'
import type { Change } from '../../../mgmt/inventory/inventory.ts'
import { createSync } from '../../../mgmt/inventory/sync.ts'
import { Failure } from '../../../runtime/errors.ts'
import { createLog } from '../../../runtime/log.ts'
import { sent } from './samples.ts'

const unavailable = new Failure('Unavailable', 'the database is lost', { retry: true })
const changes = Array.from({ length: 60 }, (_, i) => sent(i, []))

test.each<[sentence: string, bad: (node: Change) => unknown, stored: number, isDrained: boolean]>([
	['everything can be stored', () => undefined, 60, true],
	['one change cannot be stored', change => change === changes[17] && new Error('constraint'), 59, true],
	['no change of the first part can be stored', change => changes.indexOf(change) < 50 && new TypeError('a bug'), 10, true],
	['the database is lost', () => unavailable, 0, false],
	[
		'the database is lost while the bad change is searched',
		change => [new TypeError('a bug'), unavailable][changes.indexOf(change) - 17],
		17,
		false,
	],
])('%s', async (_, bad, stored, isDrained) => {
	const backlog = createBacklog()
	backlog.add(changes)
	const done: Change[] = []
	const record = async (part: readonly Change[]) => {
		for (const error of part.map(bad)) if (error) throw error
		done.push(...part)
	}
	const sync = createSync({
		backlog,
		record,
		mayWrite: () => true,
		retryMs: 60_000,
		log: createLog('test', { level: 'silent' }),
		now: () => 0,
	})
	expect(await sync.drained()).toBe(isDrained)
	expect([done.length, backlog.isEmpty()]).toEqual([stored, isDrained])
	await sync.stop()
})
