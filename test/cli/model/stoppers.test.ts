import { describe, expect, test } from 'vitest'
import { type StopRecord, stoppersOf, stopRecordIn } from '../../../cli/model/stoppers.ts'
import type { ConfigView } from '../../../cli/model/node-config-view.ts'
import { config, configured, failed, rolledBack, running, waiting } from '../fixtures.ts'

const recorded = (...names: string[]): StopRecord => new Map(names.map(name => [`uid-${name}`, 'RolledBack']))

describe('the nodes that stop the rollout', () => {
	test.each<[title: string, configs: ConfigView[], record: StopRecord | undefined, names: string[]]>([
		['none', [config('a', configured), config('b', failed)], undefined, []],
		['a node with reason RolledBack', [config('a', configured), config('b', rolledBack)], undefined, ['b']],
		['no paused node with reason RolledBack', [config('b', rolledBack, { spec: { paused: true } })], undefined, []],
		['a recorded node', [config('a', failed)], recorded('a'), ['a']],
		['a recorded node whose next run is in progress', [config('a', running)], recorded('a'), ['a']],
		['a recorded node whose next run is queued', [config('a', waiting)], recorded('a'), ['a']],
		['no recorded node that has succeeded since', [config('a', configured)], recorded('a'), []],
		['no recorded node that is paused', [config('a', running, { spec: { paused: true } })], recorded('a'), []],
		[
			'no node that is recorded for an earlier node config of the same name',
			[config('a', running)],
			new Map([['uid-before', 'RolledBack']]),
			[],
		],
		['no node with reason RolledBack that the controller does not record', [config('a', rolledBack)], recorded(), []],
	])('%s', (_, configs, record, names) => {
		expect(stoppersOf(configs, record).map(({ name }) => name)).toEqual(names)
	})

	test('have a note instead of the message of the run while they are retried', () => {
		expect(stoppersOf([config('a', running)], recorded('a'))).toEqual([
			{ name: 'a', reason: 'RolledBack', message: 'it is being retried.' },
		])
	})
})

test.each<[title: string, data: Record<string, string> | undefined, record: StopRecord | undefined]>([
	['a missing ConfigMap', undefined, undefined],
	['an empty ConfigMap', {}, undefined],
	['no nodes', { stops: '[]' }, new Map()],
	['one node', { stops: '[{"name":"a","uid":"uid-a","stops":"RolledBack"}]' }, recorded('a')],
	['invalid JSON', { stops: '[' }, undefined],
	['another value', { stops: '{"a":1}' }, undefined],
])('reads a record of %s', (_, data, record) => {
	expect(stopRecordIn(data)).toEqual(record)
})
