import { describe, expect, test } from 'vitest'
import { type StopRecord, stoppersOf, stopRecordIn } from '../../../cli/model/stoppers.ts'
import type { ConfigView } from '../../../cli/model/node-config-view.ts'
import { config, configured, failed, rolledBack, running, waiting } from '../fixtures.ts'

const recorded = (...names: string[]): StopRecord => new Map(names.map(name => [`uid-${name}`, 'RolledBack']))

describe('the nodes that halt the rollout', () => {
	test.each<[title: string, configs: ConfigView[], record: StopRecord | undefined, names: string[]]>([
		['nobody', [config('a', configured), config('b', failed)], undefined, []],
		['a status that says so', [config('a', configured), config('b', rolledBack)], undefined, ['b']],
		['a status that says so, of a node that is paused', [config('b', rolledBack, { spec: { paused: true } })], undefined, []],
		['a record', [config('a', failed)], recorded('a'), ['a']],
		['a record of a node whose next run is under way', [config('a', running)], recorded('a'), ['a']],
		['a record of a node whose next run waits', [config('a', waiting)], recorded('a'), ['a']],
		['a record of a node that came through', [config('a', configured)], recorded('a'), []],
		['a record of a node that is paused', [config('a', running, { spec: { paused: true } })], recorded('a'), []],
		['a record of an earlier node config of that name', [config('a', running)], new Map([['uid-before', 'RolledBack']]), []],
		['a status that the controller does not count, for there is no such node', [config('a', rolledBack)], recorded(), []],
	])('%s', (_, configs, record, names) => {
		expect(stoppersOf(configs, record).map(({ name }) => name)).toEqual(names)
	})

	test('have a retry note instead of the message of the run while they are retried', () => {
		expect(stoppersOf([config('a', running)], recorded('a'))).toEqual([
			{ name: 'a', reason: 'RolledBack', message: 'it is being retried.' },
		])
	})
})

test.each<[title: string, data: Record<string, string> | undefined, record: StopRecord | undefined]>([
	['no ConfigMap', undefined, undefined],
	['an empty one', {}, undefined],
	['nobody', { stops: '[]' }, new Map()],
	['somebody', { stops: '[{"name":"a","uid":"uid-a","stops":"RolledBack"}]' }, recorded('a')],
	['no JSON', { stops: '[' }, undefined],
	['something else', { stops: '{"a":1}' }, undefined],
])('reads a record of %s', (_, data, record) => {
	expect(stopRecordIn(data)).toEqual(record)
})
