import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changesBetween, select } from '../../../viola/targets/select.ts'
import type { SecretTarget } from '../../../viola/targets/secret.ts'
import type { Target } from '../../../viola/targets/target.ts'
import { secretTarget, target } from './targets.ts'

const older = { createdAt: '2026-01-01T00:00:00Z' }
const younger = { createdAt: '2026-01-02T00:00:00Z' }

type Sources = { file?: Target[]; secrets?: SecretTarget[] }

test.each<[sentence: string, sources: Sources, chosen: Record<string, string>, refused: [source: string, reason: string][]]>([
	['without sources there are no targets', {}, {}, []],
	[
		'each provider has its target',
		{ file: [target('a')], secrets: [secretTarget('s', 'b')] },
		{ a: 'clusters.yaml', b: 'Secret viola/s' },
		[],
	],
	[
		'the file wins over a Secret',
		{ file: [target('a')], secrets: [secretTarget('s', 'a')] },
		{ a: 'clusters.yaml' },
		[['Secret viola/s', 'provider a is already defined by clusters.yaml']],
	],
	[
		'the older Secret wins over the younger, in whatever order they arrive',
		{ secrets: [secretTarget('a', 'p', younger), secretTarget('b', 'p', older)] },
		{ p: 'Secret viola/b' },
		[['Secret viola/a', 'provider p is already defined by Secret viola/b']],
	],
	[
		'of two Secrets of the same second, the first name wins',
		{ secrets: [secretTarget('b', 'p'), secretTarget('a', 'p')] },
		{ p: 'Secret viola/a' },
		[['Secret viola/b', 'provider p is already defined by Secret viola/a']],
	],
	[
		'an invalid Secret keeps its provider, and is reported',
		{ secrets: [secretTarget('a', 'p', { ...older, fault: 'exec' }), secretTarget('b', 'p', younger)] },
		{ p: 'Secret viola/a' },
		[
			['Secret viola/a', 'exec'],
			['Secret viola/b', 'provider p is already defined by Secret viola/a'],
		],
	],
	[
		'a Secret without a provider id defines nothing',
		{ secrets: [secretTarget('a', '', { fault: 'empty' })] },
		{},
		[['Secret viola/a', 'empty']],
	],
])('%s', (_, { file = [], secrets = [] }, chosen, refused) => {
	const selected = select(file, secrets)
	expect(Object.fromEntries([...selected.targets].map(([id, { source }]) => [id, source]))).toEqual(chosen)
	expect(selected.refused.map(({ source, reason }) => [source, reason])).toEqual(refused)
})

const someSecret = fc
	.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), providerId: fc.constantFrom('p', 'q'), day: fc.integer({ min: 1, max: 3 }) })
	.map(({ name, providerId, day }) => secretTarget(name, providerId, { createdAt: `2026-01-0${day}T00:00:00Z` }))

test('the order in which Secrets arrive does not matter', () => {
	const secrets = fc.uniqueArray(someSecret, { selector: ({ name }) => name })
	const pairs = secrets.chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
	fc.assert(
		fc.property(pairs, ([list, shuffled]) => {
			expect(select([], shuffled)).toEqual(select([], list))
		}),
	)
})

test('a Secret that is added later never takes a provider from another source', () => {
	fc.assert(
		fc.property(fc.uniqueArray(someSecret, { selector: ({ name }) => name }), fc.constantFrom('p', 'q'), (before, providerId) => {
			const added = secretTarget('z', providerId, { createdAt: '2026-01-04T00:00:00Z' })
			const now = select([], [...before, added]).targets
			for (const [id, { source }] of select([], before).targets) expect(now.get(id)?.source).toBe(source)
		}),
	)
})

const map = (...targets: Target[]) => new Map(targets.map(one => [one.providerId, one]))

test.each<[sentence: string, before: Map<string, Target>, now: Map<string, Target>, changes: [type: string, providerId: string][]]>([
	['nothing changes', map(target('a')), map(target('a')), []],
	['a target is added', map(), map(target('a')), [['added', 'a']]],
	['a target is removed', map(target('a')), map(), [['removed', 'a']]],
	['credentials change', map(target('a')), map(target('a', { version: '2' })), [['changed', 'a']]],
	[
		'one target replaces another: the removal comes first',
		map(target('a')),
		map(target('b')),
		[
			['removed', 'a'],
			['added', 'b'],
		],
	],
])('%s', (_, before, now, changes) => {
	expect(changesBetween(before, now).map(({ type, target: { providerId } }) => [type, providerId])).toEqual(changes)
})
